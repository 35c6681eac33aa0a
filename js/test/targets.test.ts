import assert from "node:assert/strict";
import { test } from "node:test";
import { targetLabel, targetOptions } from "../src/targets";

const names = ["tench", "tiger", "cat", "tiger cat", "catamaran"];
const predictions = { kind: "probability" as const, classes: [3, 1], values: [0.523, 0.0412], count: 5 };
const targets = (query: string) => targetOptions(query, names, predictions).map(({ target }) => target);

test("the whole list: anything, the best predictions, the rest in order", () => {
	assert.deepEqual(targets(""), [null, 3, 1, 0, 2, 4]);
});

test("typing finds names anywhere, those that begin with it before the others", () => {
	assert.deepEqual(targets("cat"), [3, 2, 4]);
	assert.deepEqual(targets("  TIGER "), [3, 1]);
	assert.deepEqual(targets("zebra"), []);
});

test("a number finds its class", () => {
	assert.deepEqual(targets("4"), [4]);
});

test("predictions carry a percentage, or the score where it is no probability", () => {
	const values = (kind: "probability" | "score") =>
		targetOptions("tiger", names, { ...predictions, kind }).map(({ value }) => value);
	assert.deepEqual(values("probability"), ["52 %", "4.1 %"]);
	assert.deepEqual(values("score"), ["0.523", "0.0412"]);
});

test("of a thousand classes fifty are shown, fast", () => {
	const many = Array.from({ length: 1000 }, (_, i) => `class ${i}`);
	const times = Array.from({ length: 5 }, () => {
		const start = performance.now();
		assert.equal(targetOptions("class", many, { ...predictions, count: 1000 }).length, 50);
		return performance.now() - start;
	});
	assert.ok(Math.min(...times) < 20);
});

test("without names the numbers stand for the classes", () => {
	assert.deepEqual(
		targetOptions("", [], predictions).map(({ label }) => label),
		["predicted class", "3", "1", "0", "2", "4"],
	);
});

test("the closed box names the class, and says when it is the predicted one", () => {
	assert.equal(targetLabel(2, names, predictions), "cat");
	assert.equal(targetLabel({ label: "cat rather than dog" }, names, predictions), "cat rather than dog");
	assert.equal(targetLabel(null, names, predictions), "tiger cat (predicted)");
	assert.equal(targetLabel(null, names, { ...predictions, classes: [], values: [] }), "predicted class");
});
