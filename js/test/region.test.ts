import assert from "node:assert/strict";
import { test } from "node:test";
import { border, claimOf, fromRuns, stroked, toRuns } from "../src/region";

const SIZE = { height: 6, width: 8 };
const count = ({ bits }: { bits: Uint8Array }) => bits.reduce((sum, bit) => sum + bit, 0);

test("runs are the mask, there and back", () => {
	const runs = [3, 4, 9, 1, 40, 8];
	const mask = fromRuns(runs, SIZE);
	assert.equal(count(mask), 13);
	assert.deepEqual(toRuns(mask), runs);
	assert.deepEqual(toRuns(fromRuns([], SIZE)), []);
});

test("a stroke covers its way, takes it out again, and leaves the mask that it was given", () => {
	const empty = fromRuns([], SIZE);
	const from = { x: 0.5 / 8, y: 2.5 / 6 };
	const to = { x: 7.5 / 8, y: 2.5 / 6 };
	const line = stroked(empty, from, to, 0.5, true);
	assert.deepEqual(toRuns(line), [16, 8]);
	assert.equal(count(empty), 0);
	assert.equal(count(stroked(line, from, to, 1, false)), 0);
});

test("a dab is round, never less than a pixel, and may reach beyond the picture", () => {
	const at = { x: 0.5 / 8, y: 0.5 / 6 };
	assert.deepEqual(toRuns(stroked(fromRuns([], SIZE), at, at, 0, true)), [0, 1]);
	assert.deepEqual(toRuns(stroked(fromRuns([], SIZE), at, at, 1, true)), [0, 2, 8, 1]);
	assert.deepEqual(
		toRuns(stroked(fromRuns([], SIZE), { x: -0.1, y: -0.1 }, { x: 1.2, y: 1.2 }, 20, true)),
		[0, 48],
	);
});

test("a dab about the middle of any pixel has the same shape", () => {
	const size = { height: 28, width: 28 };
	const sizes = Array.from({ length: 20 }, (_, i) => {
		const at = { x: (i + 4.5) / 28, y: 13.5 / 28 };
		return count(stroked(fromRuns([], size), at, at, 2, true));
	});
	assert.deepEqual(new Set(sizes), new Set([13]));
});

test("the border goes once around", () => {
	const mask = fromRuns([9, 2, 17, 2], SIZE);
	const lines = border(mask).match(/M[^M]*/g) ?? [];
	assert.deepEqual(new Set(lines), new Set(["M1 1H3", "M1 3H3", "M1 1V3", "M3 1V3"]));
	const all = border(fromRuns([0, 48], SIZE)).match(/M[^M]*/g) ?? [];
	assert.deepEqual(new Set(all), new Set(["M0 0H8", "M0 6H8", "M0 0V6", "M8 0V6"]));
	assert.equal(border(fromRuns([], SIZE)), "");
});

test("a claim is the sum in the region, and its share of all magnitudes", () => {
	const values = Float64Array.from([1, -3, 2, 0, 4, -2]);
	assert.deepEqual(claimOf(values, [1, 2, 5, 1], 12), { sum: -3, share: 7 / 12 });
	assert.deepEqual(claimOf(new Float64Array(6), [0, 6], 0), { sum: 0, share: 0 });
});
