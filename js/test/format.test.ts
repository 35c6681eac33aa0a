import assert from "node:assert/strict";
import { test } from "node:test";
import { fixed, percent, sharedDecimals, signed, significant, typed, withUnit } from "../src/format";

test("the minus sign is a minus sign, and zero has none", () => {
	assert.equal(fixed(-1.754, 2), "\u22121.75");
	assert.equal(fixed(-0.001, 2), "0.00");
	assert.equal(significant(-1.234e-7, 3), "\u22121.23e\u22127");
});

test("the ends of a scale show their sign", () => {
	assert.deepEqual(
		[-0.02811, 0, 0.02811].map((value) => signed(value, 3)),
		["\u22120.0281", "0", "+0.0281"],
	);
});

test("small percentages keep a decimal", () => {
	assert.deepEqual([0.0149, 0.523, 1].map(percent), ["1.5 %", "52 %", "100 %"]);
});

test("a column of numbers shares its decimals", () => {
	assert.equal(sharedDecimals([14.74, -1.75, 0.01]), 2);
	assert.equal(sharedDecimals([0.5]), 4);
	assert.equal(sharedDecimals([123456]), 0);
	assert.equal(sharedDecimals([]), 2);
});

test("a number box holds what can be typed", () => {
	assert.equal(typed(0.1 + 0.2), "0.3");
	assert.equal(typed(-64), "-64");
	assert.equal(typed(0.000001), "1e-6");
	assert.equal(typed(0.0005), "0.0005");
	assert.equal(withUnit("12", "px"), "12 px");
	assert.equal(withUnit("12", ""), "12");
});
