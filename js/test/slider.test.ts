import assert from "node:assert/strict";
import { test } from "node:test";
import { admit, endsOf, stepOf } from "../src/slider";
import type { Field } from "../src/state";

function field(changes: Partial<Field>): Field {
	return {
		name: "steps",
		label: "Steps",
		doc: "",
		kind: "int",
		default: 32,
		min: 1,
		max: 256,
		step: null,
		unit: "",
		choices: null,
		...changes,
	};
}

test("a slider ends where the field does", () => {
	assert.deepEqual(endsOf(field({})), { min: 1, max: 256 });
});

test("no end, no slider", () => {
	assert.equal(endsOf(field({ max: null })), null);
	assert.equal(endsOf(field({ min: null })), null);
});

test("a seed has no slider, and is whole", () => {
	const seed = field({ kind: "seed", min: 0, max: 100 });
	assert.equal(endsOf(seed), null);
	assert.equal(stepOf(seed), 1);
	assert.equal(admit(seed, 3.7), 4);
});

test("a continuous field steps by a round part of its range", () => {
	assert.equal(stepOf(field({ kind: "float", min: 0, max: 1 })), 0.01);
	assert.equal(stepOf(field({ kind: "float", min: 0, max: 50 })), 1);
	assert.equal(stepOf(field({ kind: "float", step: 0.25 })), 0.25);
});

test("what is sent is within bounds and of the kind", () => {
	assert.equal(admit(field({}), 12.4), 12);
	assert.equal(admit(field({}), 0), 1);
	assert.equal(admit(field({}), 1e9), 256);
	assert.equal(admit(field({ kind: "float", max: null }), 1e9), 1e9);
});
