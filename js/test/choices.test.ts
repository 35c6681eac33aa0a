import assert from "node:assert/strict";
import { test } from "node:test";
import { topBars } from "../src/bars";
import { createSwitch } from "../src/recall";
import type { Field, Schema } from "../src/state";

const schema = (name: string, defaults: Record<string, number>): Schema => ({
	name,
	label: name,
	doc: "",
	fields: Object.entries(defaults).map(([field, value]) => ({ name: field, default: value }) as Field),
});

test("who leaves a choice and comes back finds it as it was", () => {
	const change = createSwitch();
	const blur = schema("blur", { sigma: 8 });
	const constant = schema("constant", { value: 0 });
	const first = change({ name: "constant", value: 0.5 }, blur);
	assert.deepEqual(first, { name: "blur", sigma: 8 });
	assert.deepEqual(change({ ...first, sigma: 20 }, constant), { name: "constant", value: 0.5 });
	assert.deepEqual(change({ name: "constant", value: 1 }, blur), { name: "blur", sigma: 20 });
});

test("bars: the largest first, the others as one sum", () => {
	const values = Float64Array.from({ length: 20 }, (_, i) => (i % 2 ? i : -i));
	const labels = Array.from({ length: 20 }, (_, i) => `feature ${i}`);
	const bars = topBars(values, { labels, texts: [] }, "both");
	assert.equal(bars.length, 17);
	assert.deepEqual(bars[0], { label: "feature 19", text: "", value: 19 });
	assert.deepEqual(bars[16], { label: "4 others", text: "", value: 2 });
	const total = bars.reduce((sum, { value }) => sum + value, 0);
	assert.equal(total, 10);
});

test("bars of one sign", () => {
	const features = { labels: ["a", "b"], texts: ["1", "2"] };
	const bars = topBars(Float64Array.of(-3, 2), features, "positive");
	assert.deepEqual(bars[0], { label: "b", text: "2", value: 2 });
});
