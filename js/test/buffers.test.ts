import assert from "node:assert/strict";
import { test } from "node:test";
import { decodeArray, decodeColours, decodeGrey, decodeTable, float16 } from "../src/buffers";

test("float16 at its landmarks", () => {
	const landmarks: [bits: number, value: number][] = [
		[0x0000, 0],
		[0x0001, 2 ** -24],
		[0x03ff, 1023 * 2 ** -24],
		[0x0400, 2 ** -14],
		[0x3555, 0.333251953125],
		[0x3c00, 1],
		[0x3c01, 1 + 2 ** -10],
		[0xc000, -2],
		[0x7bff, 65504],
		[0x7c00, Number.POSITIVE_INFINITY],
		[0xfc00, Number.NEGATIVE_INFINITY],
	];
	for (const [bits, value] of landmarks) assert.equal(float16(bits), value);
	assert.ok(Object.is(float16(0x8000), -0));
	assert.ok(Number.isNaN(float16(0x7e00)));
});

/** Bytes as a host may hand them out: in the middle of something larger, at an odd address. */
function within(bytes: number[]): DataView {
	const message = Uint8Array.from([99, 99, 99, ...bytes, 99]);
	return new DataView(message.buffer, 3, bytes.length);
}

test("an array starts at its offset, is little endian and scaled", () => {
	const data = within([0, 0, 0x00, 0x3c, 0x00, 0xc0]);
	const values = decodeArray(data, { input: 0, shape: [1, 2], dtype: "float16", scale: 0.5, offset: 2 });
	assert.deepEqual([...values], [0.5, -1]);
});

test("grey is luma, or the one channel", () => {
	assert.deepEqual([...decodeGrey({ shape: [1, 2, 1], data: within([7, 200]) })], [7, 200]);
	const [red, white] = decodeGrey({ shape: [1, 2, 3], data: within([255, 0, 0, 255, 255, 255]) });
	assert.ok(Math.abs(red - 76.245) < 1e-9);
	assert.ok(Math.abs(white - 255) < 1e-9);
});

test("colours are three bytes a pixel, also where the picture has one channel", () => {
	assert.deepEqual(
		[...decodeColours({ shape: [1, 2, 1], data: within([7, 200]) })],
		[7, 7, 7, 200, 200, 200],
	);
	assert.deepEqual([...decodeColours({ shape: [1, 1, 3], data: within([1, 2, 3]) })], [1, 2, 3]);
});

test("a table is read where it lies", () => {
	assert.deepEqual([...decodeTable({ diverging: false, data: within([1, 2, 3]) })], [1, 2, 3]);
});
