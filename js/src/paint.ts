/**
 * From attributions to pixels, as pure functions. Python's tests repeat this arithmetic to the last digit: change both or neither.
 */
import type { Sign } from "./state";

export interface Raster {
	height: number;
	width: number;
	values: Float64Array;
}

export interface Table {
	diverging: boolean;
	colours: Uint8Array;
}

export interface Look {
	table: Table;
	sign: Sign;
	opacity: number;
	/** The magnitude at which colours end. */
	scale: number;
}

/** The magnitudes in rising order: sorted once per map, so that moving "Clip" only looks up. */
export function sortedMagnitudes(values: Float64Array): Float64Array {
	return values.map(Math.abs).sort();
}

/** As `numpy.percentile` with linear interpolation. */
export function percentile(sorted: Float64Array, percent: number): number {
	const rank = (percent / 100) * (sorted.length - 1);
	const below = Math.floor(rank);
	const low = sorted[below];
	const high = sorted[Math.min(below + 1, sorted.length - 1)];
	return low + (high - low) * (rank - below);
}

/** Where colours end: the clip percentile, or the largest value of a map so sparse that the percentile is 0. */
export function colourScale(sorted: Float64Array, clip: number): number {
	return sorted.length === 0 ? 0 : percentile(sorted, clip) || sorted[sorted.length - 1];
}

/** The part of a value that a sign lets through. */
export function keepSign(value: number, sign: Sign): number {
	switch (sign) {
		case "positive":
			return Math.max(value, 0);
		case "negative":
			return Math.min(value, 0);
		case "absolute":
			return Math.abs(value);
		case "both":
			return value;
	}
}

/** matplotlib's diverging tables end in near-black, lost on a dark picture: this much of each arm is used. */
const REACH = 0.7;

/** The entry of a colour table for t in -1..1. */
export function tableIndex(t: number, { diverging }: Table, sign: Sign): number {
	if (diverging) return round((REACH * t + 1) * 127.5);
	return round((sign === "both" ? (t + 1) / 2 : Math.abs(t)) * 255);
}

/** The range of t that a sign leaves: what a legend has to show. */
export function signRange(sign: Sign): [low: number, high: number] {
	return [sign === "both" || sign === "negative" ? -1 : 0, sign === "negative" ? 0 : 1];
}

/** The colours of `length` equal steps through what a sign leaves of the table. */
export function paintLegend(pixels: Uint32Array, table: Table, sign: Sign): void {
	const [low, high] = signRange(sign);
	const last = Math.max(pixels.length - 1, 1);
	for (let i = 0; i < pixels.length; i++) {
		const at = 3 * tableIndex(low + ((high - low) * i) / last, table, sign);
		pixels[i] = opaque(table.colours[at], table.colours[at + 1], table.colours[at + 2]);
	}
}

/** Lay a map over a picture of the same size; where there is no map the picture is left as it is. */
export function paintMap(
	pixels: Uint32Array,
	grey: Float64Array,
	map: Float64Array | null,
	look: Look,
): void {
	const { scale, sign, opacity, table } = look;
	const { colours } = table;
	// What the sign decides is decided here, once and not per pixel.
	const [low, high] = signRange(sign);
	const absolute = sign === "absolute";
	const shown = map !== null && scale > 0;
	for (let i = 0; i < pixels.length; i++) {
		const value = shown ? map[i] / scale : 0;
		const t = Math.min(Math.max(absolute ? Math.abs(value) : value, low), high);
		// |t| ** 0.75, for a fifth of what a power costs.
		const root = Math.sqrt(Math.abs(t));
		const alpha = opacity * root * Math.sqrt(root);
		const at = 3 * tableIndex(t, table, sign);
		const under = grey[i] * (1 - alpha);
		pixels[i] = opaque(
			round(under + colours[at] * alpha),
			round(under + colours[at + 1] * alpha),
			round(under + colours[at + 2] * alpha),
		);
	}
}

/** A map at another size, by nearest neighbour: a coarse map keeps its honest blocks. */
export function resize(map: Raster, height: number, width: number): Raster {
	if (map.height === height && map.width === width) return map;
	const values = new Float64Array(height * width);
	for (let y = 0, i = 0; y < height; y++) {
		const row = Math.floor(((y + 0.5) * map.height) / height) * map.width;
		for (let x = 0; x < width; x++, i++) {
			values[i] = map.values[row + Math.floor(((x + 0.5) * map.width) / width)];
		}
	}
	return { height, width, values };
}

/** Halves go up, unlike numpy's. Nothing rounded here is negative, so cutting off is rounding down, and quick. */
function round(value: number): number {
	return (value + 0.5) | 0;
}

/** One pixel of an ImageData seen as 32-bit words. */
function opaque(red: number, green: number, blue: number): number {
	return 0xff000000 | (blue << 16) | (green << 8) | red;
}
