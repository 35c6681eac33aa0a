import assert from "node:assert/strict";
import { test } from "node:test";
import { edges, everyone, playerMap, predicted, ranked, without } from "../src/players";

const view = (bytes: number[]) => new DataView(Uint8Array.from(bytes).buffer);

test("players are numbered through all inputs, and named by them where there are several", () => {
	const one = { name: "a", labels: ["x", "y"], texts: ["1", "2"] };
	const { players, starts } = everyone([one, { ...one, name: "b" }]);
	assert.deepEqual(starts, [0, 2]);
	assert.deepEqual(players[3], { number: 3, label: "b: y", text: "2" });
	assert.equal(everyone([one]).players[0].label, "x");
});

test("the strongest within a sign come first", () => {
	const weights = Float64Array.from([1, -3, 2]);
	assert.deepEqual(ranked(weights, "both"), [1, 2, 0]);
	assert.deepEqual(ranked(weights, "positive"), [2, 0, 1]);
	assert.deepEqual(ranked(weights, "negative"), [1, 0, 2]);
});

test("what is off does not count in a prediction", () => {
	assert.equal(predicted(10, Float64Array.from([1, 2, 4]), [1]), 15);
});

test("labels take the size of the picture, from one byte or two", () => {
	const map = { shape: [1, 2] as [number, number], data: view([0, 1]) };
	assert.deepEqual([...playerMap(map, 5, { height: 2, width: 4 })], [5, 5, 6, 6, 5, 5, 6, 6]);
	const wide = { ...map, data: view([0, 0, 44, 1]) };
	assert.deepEqual([...playerMap(wide, 0, { height: 1, width: 2 })], [0, 300]);
});

test("a picture without some players shows what is absent, of whatever size", () => {
	const picture = { shape: [1, 4, 1] as [number, number, number], data: view([1, 2, 3, 4]) };
	const absent = { shape: [1, 2, 1] as [number, number, number], data: view([8, 9]) };
	const edited = without(picture, absent, Uint16Array.from([0, 1, 1, 2]), new Set([1]));
	assert.deepEqual([...new Uint8Array(edited.data.buffer)], [1, 8, 9, 4]);
	assert.deepEqual([...new Uint8Array(picture.data.buffer)], [1, 2, 3, 4]);
});

test("edges run between pixels that differ, in lines of full length", () => {
	const labels = [0, 0, 1, 0, 0, 1];
	const lines = edges({ height: 2, width: 3 }, (a, b) => labels[a] !== labels[b]);
	assert.deepEqual(lines, [[2, 0, 2, 2]]);
	const rows = [0, 0, 1, 1];
	assert.deepEqual(
		edges({ height: 2, width: 2 }, (a, b) => rows[a] !== rows[b]),
		[[0, 1, 2, 1]],
	);
});
