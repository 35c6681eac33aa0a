import assert from "node:assert/strict";
import { test } from "node:test";
import { spreadOver } from "../src/players";
import { claimIn, sharesOf } from "../src/shares";
import type { FrameArray } from "../src/state";

const picture = {
	name: "x",
	shape: [4, 4, 1] as [number, number, number],
	data: new DataView(new ArrayBuffer(16)),
};

function frame(values: number[], shape: number[], spread?: number[]) {
	const all = Float32Array.from([...values, ...(spread ?? [])]);
	const array: FrameArray = { input: 0, shape, dtype: "float32", scale: 2, offset: 0 };
	if (spread) array.spread = { ...array, scale: 1, offset: 4 * values.length };
	return { arrays: [array], data: new DataView(all.buffer) };
}

test("a coarse map gives each pixel its part of a cell, so that the whole picture has the whole sum", () => {
	const shares = sharesOf(frame([1, -2, 3, 4], [2, 2]), [picture]);
	assert.deepEqual(claimIn(shares, { input: 0, runs: [0, 16] }), { sum: 12, share: 1 });
	// The upper right quarter, and one pixel of the lower left one.
	const { sum, share } = claimIn(shares, { input: 0, runs: [2, 2, 6, 2, 8, 1] });
	assert.equal(sum, -4 + 6 / 4);
	assert.equal(share, (4 + 6 / 4) / 20);
});

test("cells that do not divide the picture are shared out over the pixels that each one covers", () => {
	for (const [rows, columns] of [
		[3, 3],
		[1, 3],
		[8, 5],
	]) {
		const values = Array.from({ length: rows * columns }, (_, i) => i + 1);
		const { maps, total } = sharesOf(frame(values, [rows, columns]), [picture]);
		const sum = 2 * values.reduce((all, value) => all + value);
		assert.ok(Math.abs(total - sum) < 1e-9 && maps[0]?.length === 16);
	}
});

test("where values are painted over many pixels, the map that shares them out is summed", () => {
	const painted = new Array(16).fill(8);
	const shares = sharesOf(frame(painted, [4, 4], new Array(16).fill(0.5)), [picture]);
	assert.deepEqual(claimIn(shares, { input: 0, runs: [4, 4] }), { sum: 2, share: 0.25 });
});

test("another input has no part of the region, but of the whole", () => {
	const { arrays, data } = frame([1, 1, 1, 1, 2, 2, 2, 2], [2, 2]);
	const both = { arrays: [arrays[0], { ...arrays[0], input: 1, offset: 16 }], data };
	const { share } = claimIn(sharesOf(both, [picture, { ...picture, name: "y" }]), { input: 1, runs: [0, 8] });
	assert.equal(share, 1 / 3);
});

test("a player shares its weight out over its pixels", () => {
	const spread = spreadOver(Uint16Array.from([0, 0, 1, 0, 2]), Float64Array.from([6, -1, 0, 9]));
	assert.deepEqual([...spread], [2, 2, -1, 2, 0]);
});
