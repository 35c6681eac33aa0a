import assert from "node:assert/strict";
import { test } from "node:test";
import { border, claimOf, dabbed, emptyMask, fromRuns, stroked, toRuns } from "../src/region";

const SIZE = { height: 6, width: 8 };
const count = ({ bits }: { bits: Uint8Array }) => bits.reduce((sum, bit) => sum + bit, 0);

test("runs are the mask, there and back", () => {
	const runs = [3, 4, 9, 1, 40, 8];
	const mask = fromRuns(runs, SIZE);
	assert.equal(count(mask), 13);
	assert.deepEqual(toRuns(mask), runs);
	assert.deepEqual(toRuns(emptyMask(SIZE)), []);
});

test("a stroke covers its way, takes it out again, and leaves the mask that it was given", () => {
	const empty = emptyMask(SIZE);
	const from = { x: 0.5 / 8, y: 2.5 / 6 };
	const to = { x: 7.5 / 8, y: 2.5 / 6 };
	const line = stroked(empty, from, to, 0.5, true);
	assert.deepEqual(toRuns(line), [16, 8]);
	assert.equal(count(empty), 0);
	assert.equal(count(stroked(line, from, to, 1, false)), 0);
});

test("a dab is round, never less than a pixel, and may reach beyond the picture", () => {
	const at = { x: 0.5 / 8, y: 0.5 / 6 };
	assert.deepEqual(toRuns(stroked(emptyMask(SIZE), at, at, 0, true)), [0, 1]);
	assert.deepEqual(toRuns(stroked(emptyMask(SIZE), at, at, 1, true)), [0, 2, 8, 1]);
	assert.deepEqual(
		toRuns(stroked(emptyMask(SIZE), { x: -0.1, y: -0.1 }, { x: 1.2, y: 1.2 }, 20, true)),
		[0, 48],
	);
});

test("a dab about the middle of any pixel has the same shape", () => {
	const size = { height: 28, width: 28 };
	const sizes = Array.from({ length: 20 }, (_, i) => {
		const at = { x: (i + 4.5) / 28, y: 13.5 / 28 };
		return count(stroked(emptyMask(size), at, at, 2, true));
	});
	assert.deepEqual(new Set(sizes), new Set([13]));
});

test("a dab with what is in hand adds to the region, or takes from it", () => {
	const at = { x: 0.5 / 8, y: 0.5 / 6 };
	const once = dabbed({ tool: "paint", radius: 1, mask: null }, SIZE, at);
	assert.deepEqual(toRuns(once), [0, 2, 8, 1]);
	const line = dabbed({ tool: "paint", radius: 0, mask: once }, SIZE, { x: 7.5 / 8, y: 0.5 / 6 }, at);
	assert.deepEqual(toRuns(line), [0, 9]);
	assert.deepEqual(toRuns(dabbed({ tool: "erase", radius: 1, mask: line }, SIZE, at)), [2, 6]);
});

test("the border goes once around", () => {
	const mask = fromRuns([9, 2, 17, 2], SIZE);
	const lines = border(mask).match(/M[^M]*/g) ?? [];
	assert.equal(lines.length, 8);
	assert.equal(new Set(lines).size, 8);
	assert.ok(lines.includes("M1 1h1") && lines.includes("M3 2v1"));
	assert.equal(border(emptyMask(SIZE)), "");
});

test("a claim is the sum in the region, and its share of all magnitudes", () => {
	const values = Float64Array.from([1, -3, 2, 0, 4, -2]);
	assert.deepEqual(claimOf(values, [1, 2, 5, 1], 12), { sum: -3, share: 7 / 12 });
	assert.deepEqual(claimOf(new Float64Array(6), [0, 6], 0), { sum: 0, share: 0 });
});
