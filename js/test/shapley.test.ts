import assert from "node:assert/strict";
import { test } from "node:test";
import { forces, layers, partsOf, pick, readPart, readSwarm, rowOf, shader, ways } from "../src/shapley";
import type { Swarm } from "../src/state";

const view = (...values: number[]) => new DataView(Float32Array.from(values).buffer);
const LABELS = ["c", "a", "b"];
const TOLD: Swarm = {
	total: 10,
	count: 2,
	samples: [0, 9],
	method: "KernelSHAP",
	target: 1,
	target_name: "yes",
	values: view(1, -3, 0.5, 2, 0.25, -1),
	data: view(10, 20, 30, 11, 21, Number.NaN),
	base: view(0.5, 0.5),
	score: view(-1, 1.75),
};

function swarm(changes: Partial<Swarm> = {}) {
	const read = readSwarm({ ...TOLD, ...changes }, 3);
	assert.ok(read);
	return read;
}

function row(sample: number, changes: Partial<Swarm> = {}) {
	const found = rowOf(swarm(changes), sample);
	assert.ok(found);
	return found;
}

test("samples are read feature by feature, and one by itself", () => {
	assert.equal(readSwarm({}, 3), null);
	assert.deepEqual(readSwarm({ total: 4 }, 3)?.samples, []);
	assert.deepEqual(Array.from(swarm().values[1]), [-3, 0.25]);
	assert.deepEqual(Array.from(row(9).values), [2, 0.25, -1]);
	assert.equal(row(9).score, 1.75);
	assert.equal(row(9).residual, 0);
	assert.equal(rowOf(swarm(), 4), null);
});

test("the largest are picked, in magnitude, by name or as given", () => {
	assert.deepEqual(pick([1, -3, 0.5, 2], ["c", "a", "b", "d"], "magnitude", 2), {
		shown: [1, 3],
		rest: [0, 2],
	});
	assert.deepEqual(pick([1, -3, 0.5, 2], ["c", "a", "b", "d"], "as given", 2).shown, [1, 3]);
	assert.deepEqual(pick([1, -3, 0.5], LABELS, "name", 3).shown, [1, 2, 0]);
	assert.deepEqual(pick([1, -3, 0.5], LABELS, "as given", 3).shown, [0, 1, 2]);
	assert.deepEqual(pick([1, -3, 0.5], LABELS, "magnitude", 2).rest, [], "one alone stands for itself");
});

test("a waterfall leads from the base value to the score", () => {
	const { parts } = partsOf(row(0), { labels: LABELS }, "magnitude", 1);
	assert.deepEqual(
		parts.map(({ label, value, text }) => [label, value, text]),
		[
			["a", -3, "20"],
			["2 others", 1.5, ""],
		],
	);
	assert.deepEqual(ways(-1, parts), [
		{ from: 2, to: -1 },
		{ from: 0.5, to: 2 },
	]);
});

test("what the values miss of the score is a part of its own", () => {
	const missing = row(0, { score: view(-0.5, 1.75) });
	const { parts } = partsOf(missing, { labels: LABELS }, "magnitude", 9);
	assert.equal(parts.at(-1)?.label, "not accounted for");
	assert.equal(parts.at(-1)?.value, 0.5);
	assert.equal(ways(missing.score, parts).at(-1)?.from, 0.5);
});

test("without a base value the values start at nothing", () => {
	const unknown = row(0, { base: view(Number.NaN, Number.NaN), score: view(Number.NaN, Number.NaN) });
	assert.deepEqual([unknown.based, unknown.base, unknown.score, unknown.residual], [false, 0, -1.5, 0]);
});

test("a force plot has pushes up to the left of the score and pushes down to its right", () => {
	const { apart } = partsOf(row(0), { labels: LABELS }, "magnitude", 3);
	const placed = forces(-1, apart);
	assert.deepEqual(
		placed.map(({ part, low, high }) => [part.label, low, high]),
		[
			["b", -2.5, -2],
			["c", -2, -1],
			["a", -1, 2],
		],
	);
	const joined = partsOf(row(9), { labels: LABELS }, "magnitude", 1).apart;
	assert.deepEqual(
		joined.map(({ label, value }) => [label, value]),
		[
			["c", 2],
			["1 other", 0.25],
			["1 other", -1],
		],
	);
});

test("dots of one value stand side by side", () => {
	assert.deepEqual(Array.from(layers(Float64Array.of(0, 0, 0, 5, 0))), [0, 1, -1, 0, 2]);
	assert.deepEqual(Array.from(layers(Float64Array.of(3, 3))), [0, 1]);
});

test("colours run from the 5th to the 95th percentile of a feature", () => {
	const shade = shader(Float64Array.from({ length: 101 }, (_, i) => i));
	assert.equal(shade(5), 0);
	assert.equal(shade(50), 0.5);
	assert.equal(shade(100), 1);
	assert.equal(shade(Number.NaN), null);
	const rare = shader(Float64Array.from({ length: 1000 }, (_, i) => Number(i === 0)));
	assert.equal(rare(1), 1);
	assert.equal(rare(0), 0);
});

test("a part says what it is", () => {
	assert.equal(
		readPart({ feature: 0, label: "<b>age", text: "41", value: -0.5, error: 0.01 }),
		"<b>age = 41  −0.5 ± 0.01",
	);
});
