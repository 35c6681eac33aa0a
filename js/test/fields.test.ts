import assert from "node:assert/strict";
import { test } from "node:test";
import { fromHex, toHex } from "../src/colour";
import { curvePoints } from "../src/curve";

test("a colour and its channels, in the units of the model", () => {
	assert.equal(toHex([0, 128, 255], { min: 0, max: 255 }), "#0080ff");
	assert.equal(toHex([-1, 0, 9], { min: -1, max: 1 }), "#0080ff");
	assert.deepEqual(fromHex("#0080ff", { min: 0, max: 255 }), [0, 128, 255]);
	assert.deepEqual(fromHex("#00ff00", { min: -1, max: 1 }), [-1, 1, -1]);
});

test("a path fills its box from the lowest score to the highest", () => {
	const ends: [string, string] = ["baseline", "input"];
	const path = { alphas: [0, 0.5, 1], scores: [-1, 3, 1], early: null, ends };
	assert.equal(curvePoints(path, 200, 60), "0.0,60.0 100.0,0.0 200.0,30.0");
	assert.equal(
		curvePoints({ alphas: [0, 1], scores: [2, 2], early: null, ends }, 200, 60),
		"0.0,60.0 200.0,60.0",
	);
});
