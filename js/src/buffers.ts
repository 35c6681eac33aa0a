import type { FrameArray, LabelMap, Picture, TableData } from "./state";

// 2 ** (exponent - 25) for the 31 finite exponents: a lookup is far cheaper than a power per pixel.
const UNITS = Float64Array.from({ length: 31 }, (_, exponent) => 2 ** (Math.max(exponent, 1) - 25));

/** The number that 16 bits of IEEE 754 binary16 stand for. */
export function float16(bits: number): number {
	const exponent = (bits >> 10) & 0x1f;
	const fraction = bits & 0x3ff;
	const magnitude =
		exponent === 0x1f
			? fraction
				? Number.NaN
				: Number.POSITIVE_INFINITY
			: (exponent ? fraction + 0x400 : fraction) * UNITS[exponent];
	return bits & 0x8000 ? -magnitude : magnitude;
}

/** The values of one array of a frame. */
export function decodeArray(data: DataView, { shape, dtype, scale, offset }: FrameArray): Float64Array {
	const values = new Float64Array(shape.reduce((product, side) => product * side, 1));
	if (dtype === "float32") return values.map((_, i) => data.getFloat32(offset + 4 * i, true) * scale);
	for (let i = 0; i < values.length; i++) {
		values[i] = float16(data.getUint16(offset + 2 * i, true)) * scale;
	}
	return values;
}

/** Numbers of 32 bits. */
export function decodeFloats(data: DataView): Float64Array {
	return Float64Array.from({ length: data.byteLength / 4 }, (_, i) => data.getFloat32(4 * i, true));
}

/** The label of each pixel. */
export function decodeLabels({ shape: [height, width], data }: LabelMap): Uint16Array {
	const wide = data.byteLength > height * width;
	return Uint16Array.from({ length: height * width }, (_, i) =>
		wide ? data.getUint16(2 * i, true) : data.getUint8(i),
	);
}

/** The brightness of a picture, 0..255 (Rec. 601 luma where it has colours). */
export function decodeGrey({ shape: [height, width, channels], data }: Picture): Float64Array {
	const bytes = bytesOf(data);
	if (channels === 1) return Float64Array.from(bytes);
	const grey = new Float64Array(height * width);
	for (let i = 0, at = 0; i < grey.length; i++, at += channels) {
		grey[i] = 0.299 * bytes[at] + 0.587 * bytes[at + 1] + 0.114 * bytes[at + 2];
	}
	return grey;
}

/** The colours of a picture, three bytes a pixel. */
export function decodeColours({ shape: [, , channels], data }: Picture): Uint8Array {
	const bytes = bytesOf(data);
	if (channels === 3) return bytes;
	const colours = new Uint8Array(3 * bytes.length);
	for (let i = 0; i < bytes.length; i++) colours.fill(bytes[i], 3 * i, 3 * i + 3);
	return colours;
}

/** 256 colours as red, green, blue. */
export function decodeTable({ data }: TableData): Uint8Array {
	return bytesOf(data);
}

/** A host may hand out a view into a larger message: its offset counts. */
export function bytesOf(data: DataView): Uint8Array {
	return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
