import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeArray } from "../src/buffers";
import { shownAt, strongest } from "../src/flow";
import type { Features, Flow, Frame, FrameArray, Input, Stop } from "../src/state";

const array = (shape: number[]): FrameArray => ({ input: 0, shape, dtype: "float16", scale: 1, offset: 0 });
const stop = (more: Partial<Stop>): Stop => ({
	name: "conv",
	path: "conv",
	shape: "2 × 2 × 3",
	sum: 3,
	maps: [],
	block: 1,
	units: array([3]),
	...more,
});
const flow = (...stops: Stop[]): Flow => ({ score: 4, stops, data: new DataView(new ArrayBuffer(64)) });
const frame = {
	arrays: [array([2, 2])],
	sentence: "The map.",
	card: { target_name: "cat" },
} as unknown as Frame;
const picture: Input = { name: "image", shape: [4, 4, 1], data: new DataView(new ArrayBuffer(16)) };
const table: Input = { name: "table", shape: [2], labels: ["age", "income"], texts: ["1", "2"] };

test("at the inputs the map of the method is shown", () => {
	const way = flow(stop({ name: "input", path: "" }));
	assert.deepEqual(shownAt(way.stops[0], way, frame, [picture]), { frame, inputs: [picture] });
});

test("a layer with positions lies over the picture and says what it holds of the score", () => {
	const way = flow(stop({ path: "" }), stop({ maps: [array([2, 2])] }));
	const shown = shownAt(way.stops[1], way, frame, [picture]);
	assert.deepEqual(shown.frame.arrays, way.stops[1].maps);
	assert.deepEqual(shown.inputs, [picture]);
	assert.match(
		shown.frame.sentence,
		/conv \(2 × 2 × 3\) adds up to 3\.000, 75 % of the score of “cat”, 4\.000/,
	);
});

test("a layer without positions leaves the picture bare, and turns a table into units", () => {
	const way = flow(stop({ path: "" }), stop({ name: "dense" }));
	const bare = shownAt(way.stops[1], way, frame, [picture, table]).frame;
	assert.deepEqual(Array.from(decodeArray(bare.data, bare.arrays[0])), [0]);
	assert.deepEqual(Array.from(decodeArray(bare.data, bare.arrays[1])), [0, 0]);
	const { inputs } = shownAt(way.stops[1], way, frame, [table]);
	assert.deepEqual((inputs[0] as Features).labels, ["unit 0", "unit 1", "unit 2"]);
});

test("a relevance that is not finite is said to be so", () => {
	const way = flow(stop({ path: "" }), stop({ sum: null }));
	assert.match(shownAt(way.stops[1], way, frame, [picture]).frame.sentence, /not finite/);
});

test("of many values those stay that are largest regardless of sign", () => {
	assert.deepEqual(Array.from(strongest(Float64Array.of(1, -3, 0, 0.5, 2, -1), 3)), [-3, 0.5, 2]);
	assert.deepEqual(Array.from(strongest(Float64Array.of(1, 2), 3)), [1, 2]);
});
