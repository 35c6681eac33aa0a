import assert from "node:assert/strict";
import { test } from "node:test";
import type { Raster } from "../src/paint";
import { boxMean } from "../src/smooth";

function raster(height: number, width: number, value: (i: number) => number): Raster {
	return { height, width, values: Float64Array.from({ length: height * width }, (_, i) => value(i)) };
}

/** The definition, word for word. */
function slowly({ height, width, values }: Raster, radius: number): number[] {
	return Array.from(values, (_, i) => {
		const [row, column] = [Math.floor(i / width), i % width];
		let sum = 0;
		let count = 0;
		for (let y = Math.max(row - radius, 0); y <= Math.min(row + radius, height - 1); y++) {
			for (let x = Math.max(column - radius, 0); x <= Math.min(column + radius, width - 1); x++) {
				sum += values[y * width + x];
				count++;
			}
		}
		return sum / count;
	});
}

test("a box mean is the mean of the box, cut at the borders", () => {
	for (const [height, width] of [
		[9, 14],
		[1, 12],
		[3, 2],
	]) {
		const map = raster(height, width, (i) => Math.sin(i * i));
		for (const radius of [1, 2, 4, 10]) {
			const expected = slowly(map, radius);
			boxMean(map, radius).values.forEach((value, i) => {
				assert.ok(Math.abs(value - expected[i]) < 1e-14, `${height} x ${width}, radius ${radius}, ${i}`);
			});
		}
	}
});

test("radius 0 leaves a map alone", () => {
	const map = raster(2, 2, (i) => i);
	assert.equal(boxMean(map, 0), map);
});

test("far from anything zero stays zero, to the last bit", () => {
	const map = raster(1, 40, (i) => (i < 5 ? 0.1 * i + 0.3 : 0));
	assert.ok(
		boxMean(map, 2)
			.values.subarray(7)
			.every((value) => value === 0),
	);
});
