import assert from "node:assert/strict";
import { test } from "node:test";
import { moved, pointAt, reading, spotOf } from "../src/reading";

const size = { height: 4, width: 8 };

test("every pixel is found where it lies", () => {
	const point = { column: 5, row: 2 };
	assert.deepEqual(pointAt(spotOf(point, size), size), point);
	assert.deepEqual(pointAt({ x: 1, y: -0.1 }, size), { column: 7, row: 0 });
});

test("arrows go one pixel or ten, and stop at the border", () => {
	const from = { column: 5, row: 2 };
	assert.deepEqual(moved(from, "ArrowLeft", false, size), { column: 4, row: 2 });
	assert.deepEqual(moved(from, "ArrowDown", true, size), { column: 5, row: 3 });
	assert.equal(moved(from, "Enter", false, size), null);
});

test("a reading: place, raw value, share of all", () => {
	const values = Float64Array.from({ length: 32 }, (_, i) => (i === 21 ? -0.24061 : 0));
	const point = { column: 5, row: 2 };
	assert.equal(reading(point, size, { ...size, values }, 557), "x 5  y 2  −0.2406  0.043 %");
	assert.equal(reading(point, size, null, 0), "x 5  y 2");
});

test("a coarse map is read at the cell under the pixel", () => {
	const coarse = { height: 2, width: 2, values: Float64Array.of(1, 2, 3, 4) };
	assert.equal(reading({ column: 5, row: 2 }, size, coarse, 10), "x 5  y 2  4  40 %");
	assert.equal(reading({ column: 3, row: 1 }, size, coarse, 0), "x 3  y 1  1  0 %");
});
