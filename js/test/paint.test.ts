import assert from "node:assert/strict";
import { test } from "node:test";
import {
	colourScale,
	enlarge,
	type Look,
	paintBare,
	paintLegend,
	paintMask,
	paintOverlay,
	paintPicture,
	percentile,
	resize,
	signRange,
	sortedMagnitudes,
	tableIndex,
} from "../src/paint";

/** Entry i of this table is the colour (i, 255 - i, 7). */
const colours = Uint8Array.from({ length: 768 }, (_, at) => {
	const i = Math.floor(at / 3);
	return [i, 255 - i, 7][at % 3];
});

function look(changes: Partial<Look> = {}): Look {
	return {
		table: { diverging: true, colours },
		sign: "both",
		opacity: 1,
		scale: 1,
		threshold: 0,
		...changes,
	};
}

function paintOne(value: number, grey: number, changes: Partial<Look> = {}): number[] {
	const pixels = new Uint32Array(1);
	paintOverlay(pixels, Float64Array.of(grey), Float64Array.of(value), look(changes));
	return [...new Uint8Array(pixels.buffer)];
}

test("percentile interpolates as numpy's", () => {
	const sorted = Float64Array.of(1, 2, 4, 8);
	assert.equal(percentile(sorted, 0), 1);
	assert.equal(percentile(sorted, 50), 3);
	assert.ok(Math.abs(percentile(sorted, 99) - 7.88) < 1e-12);
	assert.equal(percentile(sorted, 100), 8);
	assert.equal(percentile(Float64Array.of(5), 73), 5);
});

test("magnitudes are sorted as numbers and leave the map alone", () => {
	const values = Float64Array.of(-10, 9, 1);
	assert.deepEqual([...sortedMagnitudes(values)], [1, 9, 10]);
	assert.deepEqual([...values], [-10, 9, 1]);
});

test("a sparse map is scaled by its largest value, an empty one by nothing", () => {
	assert.equal(colourScale(sortedMagnitudes(Float64Array.of(0, 0, 0, -3)), 50), 3);
	assert.equal(colourScale(sortedMagnitudes(new Float64Array(4)), 99), 0);
	assert.equal(colourScale(new Float64Array(0), 99), 0);
});

test("a diverging table has zero in its middle for every sign, and its dark ends are left out", () => {
	for (const sign of ["both", "positive", "negative", "absolute"] as const) {
		assert.equal(tableIndex(0, look().table, sign), 128);
		assert.equal(tableIndex(-1, look().table, sign), 38);
		assert.equal(tableIndex(1, look().table, sign), 217);
	}
});

test("a sequential table starts at zero where there is one sign", () => {
	const table = { diverging: false, colours };
	assert.equal(tableIndex(0, table, "both"), 128);
	assert.equal(tableIndex(0, table, "positive"), 0);
	assert.equal(tableIndex(-1, table, "negative"), 255);
});

test("without attribution the picture shows as it is", () => {
	assert.deepEqual(paintOne(0, 100), [100, 100, 100, 255]);
	assert.deepEqual(paintOne(5, 100, { scale: 0 }), [100, 100, 100, 255]);
	assert.deepEqual(paintOne(5, 100, { opacity: 0 }), [100, 100, 100, 255]);
	const pixels = new Uint32Array(1);
	paintOverlay(pixels, Float64Array.of(100), null, look());
	assert.deepEqual([...new Uint8Array(pixels.buffer)], [100, 100, 100, 255]);
});

test("beyond the scale a value has the last colour in full", () => {
	assert.deepEqual(paintOne(3, 100), [217, 38, 7, 255]);
	assert.deepEqual(paintOne(-3, 100), [38, 217, 7, 255]);
});

test("between, colour and opacity follow the contract to the digit", () => {
	const t = 0.3;
	const alpha = 0.85 * t ** 0.75;
	const index = Math.floor(((0.7 * t + 1) / 2) * 255 + 0.5);
	const expected = [index, 255 - index, 7].map((colour) =>
		Math.floor(80 * (1 - alpha) + colour * alpha + 0.5),
	);
	assert.deepEqual(paintOne(0.6, 80, { scale: 2, opacity: 0.85 }), [...expected, 255]);
});

test("a sign hides the other one", () => {
	assert.deepEqual(paintOne(-1, 100, { sign: "positive" }), [100, 100, 100, 255]);
	assert.deepEqual(paintOne(1, 100, { sign: "negative" }), [100, 100, 100, 255]);
	assert.deepEqual(paintOne(-1, 100, { sign: "absolute" }), [217, 38, 7, 255]);
});

test("a legend runs through what the sign leaves", () => {
	const reds = (sign: Look["sign"], diverging: boolean) => {
		const pixels = new Uint32Array(256);
		paintLegend(pixels, { diverging, colours }, sign, 0);
		return [pixels[0] & 255, pixels[255] & 255];
	};
	assert.deepEqual(reds("both", true), [38, 217]);
	assert.deepEqual(reds("positive", true), [128, 217]);
	assert.deepEqual(reds("negative", true), [38, 128]);
	assert.deepEqual(reds("negative", false), [255, 0]);
	assert.deepEqual(signRange("absolute"), [0, 1]);
});

test("below the threshold the map is not there, at it the map is as ever", () => {
	assert.deepEqual(paintOne(0.29, 100, { threshold: 30 }), [100, 100, 100, 255]);
	assert.deepEqual(paintOne(-0.5, 100, { threshold: 50 }), paintOne(-0.5, 100));
	assert.deepEqual(paintOne(0.8, 100, { threshold: 30 }), paintOne(0.8, 100));
	const pixels = new Uint32Array(5);
	paintLegend(pixels, look().table, "both", 60);
	assert.deepEqual([...pixels].map(Boolean), [true, false, false, false, true]);
});

test("a bare map has the table's colours in full, and lets the page through where a diverging one is zero", () => {
	const paint = (changes: Partial<Look>) => {
		const pixels = new Uint32Array(3);
		paintBare(pixels, Float64Array.of(-2, 0.2, 1), look(changes));
		return pixels;
	};
	const reds = (changes: Partial<Look>) => [...paint(changes)].map((pixel) => pixel & 255);
	const alphas = (changes: Partial<Look>) => [...paint(changes)].map((pixel) => pixel >>> 24);
	assert.deepEqual(alphas({}), [255, Math.round(255 * 0.2 ** 0.75), 255]);
	assert.deepEqual(alphas({ threshold: 25 }), [255, 0, 255]);
	assert.deepEqual(alphas({ threshold: 25, table: { diverging: false, colours } }), [255, 255, 255]);
	assert.deepEqual(reds({}), [38, 145, 217]);
	assert.deepEqual(reds({ opacity: 0 }), [38, 145, 217]);
	assert.deepEqual(reds({ threshold: 25 }), [38, 128, 217]);
	assert.deepEqual(reds({ sign: "positive" }), [128, 145, 217]);
	const nothing = Uint32Array.of(1);
	paintBare(nothing, null, look());
	assert.equal(nothing[0] >>> 24, 0);
});

test("a mask lights a picture by the strength of the map", () => {
	const light = (value: number, changes: Partial<Look> = {}) => {
		const pixels = new Uint32Array(1);
		paintMask(pixels, Uint8Array.of(200, 100, 50), Float64Array.of(value), look(changes));
		return [...new Uint8Array(pixels.buffer)];
	};
	assert.deepEqual(light(0), [0, 0, 0, 255]);
	assert.deepEqual(light(7), [200, 100, 50, 255]);
	const m = 1 - 0.8 * (1 - 0.3 ** 0.75);
	const expected = [200, 100, 50].map((colour) => Math.floor(colour * m + 0.5));
	assert.deepEqual(light(-0.3, { opacity: 0.8 }), [...expected, 255]);
	assert.deepEqual(light(-0.3, { sign: "positive" }), [0, 0, 0, 255]);
	assert.deepEqual(light(-0.3, { threshold: 31, opacity: 0.5 }), [100, 50, 25, 255]);
	const [before, own] = [new Uint32Array(1), new Uint32Array(1)];
	paintMask(before, Uint8Array.of(200, 100, 50), null, look());
	paintPicture(own, Uint8Array.of(200, 100, 50));
	assert.deepEqual(before, own);
});

test("nearest neighbour doubles a coarse map into blocks", () => {
	const coarse = { height: 1, width: 2, values: Float64Array.of(1, 2) };
	assert.deepEqual([...resize(coarse, 2, 4).values], [1, 1, 2, 2, 1, 1, 2, 2]);
	assert.equal(resize(coarse, 1, 2), coarse);
});

test("between the middles of cells a map runs linearly, and is flat beyond them", () => {
	const coarse = { height: 1, width: 2, values: Float64Array.of(1, 3) };
	assert.deepEqual([...enlarge(coarse, 1, 4).values], [1, 1.5, 2.5, 3]);
	const square = { height: 2, width: 2, values: Float64Array.of(0, 4, 8, 12) };
	assert.deepEqual([...enlarge(square, 3, 3).values], [0, 2, 4, 4, 6, 8, 8, 10, 12]);
	assert.equal(enlarge(square, 2, 2), square);
	const even = { height: 3, width: 5, values: new Float64Array(15).fill(7) };
	assert.ok(enlarge(even, 224, 100).values.every((value) => value === 7));
	assert.equal(
		enlarge({ height: 4, width: 4, values: Float64Array.from({ length: 16 }, (_, i) => i) }, 2, 2).values[0],
		2.5,
	);
});

test("a repaint of 224 x 224 is quick", () => {
	const size = 224 * 224;
	const pixels = new Uint32Array(size);
	const grey = new Float64Array(size).fill(90);
	const map = Float64Array.from({ length: size }, (_, i) => Math.sin(i));
	const colours = new Uint8Array(3 * size).fill(90);
	const look30 = look({ threshold: 30 });
	const painters = {
		overlay: () => paintOverlay(pixels, grey, map, look30),
		bare: () => paintBare(pixels, map, look30),
		mask: () => paintMask(pixels, colours, map, look30),
	};
	for (const [name, paint] of Object.entries(painters)) {
		const repaint = () => {
			const start = performance.now();
			paint();
			return performance.now() - start;
		};
		const times = Array.from({ length: 60 }, repaint).sort((a, b) => a - b);
		// What a busy machine takes the processor away from does not count.
		assert.ok(times[15] < 3, `${name}: ${times[15]} ms in the best quarter`);
	}
});
