import assert from "node:assert/strict";
import { test } from "node:test";
import { pan, reveal, toPane, toPicture, WHOLE, zoomBy } from "../src/view";

test("what is under the pointer stays there", () => {
	const at = { x: 0.7, y: 0.4 };
	const before = zoomBy(WHOLE, 2, at);
	const after = zoomBy(before, 3, at);
	for (const [now, was] of Object.values(toPicture(after, at)).map((value, i) => [
		value,
		Object.values(toPicture(before, at))[i],
	])) {
		assert.ok(Math.abs(now - was) < 1e-12);
	}
	const there = toPane(after, toPicture(after, at));
	assert.ok(Math.abs(there.x - at.x) + Math.abs(there.y - at.y) < 1e-12);
});

test("no nearer than 16 times, no farther than the whole", () => {
	assert.equal(zoomBy(WHOLE, 100).zoom, 16);
	assert.deepEqual(zoomBy(zoomBy(WHOLE, 4, { x: 1, y: 0 }), 0.01), WHOLE);
});

test("a drag stops at the border", () => {
	const near = zoomBy(WHOLE, 2);
	assert.deepEqual(pan(near, { x: 0.2, y: 0 }), { zoom: 2, x: 0.4, y: 0.5 });
	assert.deepEqual(pan(near, { x: 9, y: -9 }), { zoom: 2, x: 0.25, y: 0.75 });
	assert.deepEqual(pan(WHOLE, { x: 0.3, y: 0.3 }), WHOLE);
});

test("a spot out of sight is brought into it, one in sight moves nothing", () => {
	const near = zoomBy(WHOLE, 4);
	assert.deepEqual(reveal(near, { x: 0.5, y: 0.55 }), near);
	const { x } = toPane(reveal(near, { x: 0.8, y: 0.5 }), { x: 0.8, y: 0.5 });
	assert.ok(Math.abs(x - 0.9) < 1e-12);
});
