import assert from "node:assert/strict";
import { test } from "node:test";
import { consensus } from "../src/consensus";

const map = (values: number[], end: number) => ({
	raster: { height: 1, width: values.length, values: Float64Array.from(values) },
	end,
});

test("mean and standard deviation, each map in units of its own end and cut there", () => {
	const found = consensus([map([2, -4, 8, 0], 4), map([0.1, 0.1, -0.1, 0], 0.1)]);
	assert.ok(found);
	assert.deepEqual([...found.mean.values], [0.75, 0, 0, 0]);
	assert.deepEqual([...found.spread.values], [0.25, 1, 1, 0]);
});

test("a map that is zero everywhere counts, and says nothing", () => {
	const found = consensus([map([1, -1], 1), map([0, 0], 0)]);
	assert.deepEqual([...(found?.mean.values ?? [])], [0.5, -0.5]);
});

test("of no map there is none", () => assert.equal(consensus([]), null));
