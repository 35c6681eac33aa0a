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
	/** Percent of the scale below which a value counts as nothing. */
	threshold: number;
}

/** The values of some maps, one after the other. */
export function joined(maps: Iterable<Raster>): Float64Array {
	const parts = Array.from(maps, ({ values }) => values);
	const all = new Float64Array(parts.reduce((length, { length: more }) => length + more, 0));
	let at = 0;
	for (const part of parts) {
		all.set(part, at);
		at += part.length;
	}
	return all;
}

export function sumOfMagnitudes(maps: Iterable<Raster>): number {
	return joined(maps).reduce((sum, value) => sum + Math.abs(value), 0);
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

/** The colours of equal steps through what a sign leaves of the table; nothing where the threshold hides it. */
export function paintLegend(pixels: Uint32Array, table: Table, sign: Sign, threshold: number): void {
	const [low, high] = signRange(sign);
	const last = Math.max(pixels.length - 1, 1);
	for (let i = 0; i < pixels.length; i++) {
		const t = low + ((high - low) * i) / last;
		pixels[i] = Math.abs(t) < threshold / 100 ? 0 : colourAt(t, table, sign);
	}
}

/** Lay a map over a picture of the same size; where there is no map the picture is left as it is. */
export function paintOverlay(
	pixels: Uint32Array,
	grey: Float64Array,
	map: Float64Array | null,
	look: Look,
): void {
	const { sign, opacity, table } = look;
	const { colours } = table;
	const level = leveller(look);
	for (let i = 0; i < pixels.length; i++) {
		const t = map ? level(map[i]) : 0;
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

/** A map in nothing but its own colours; where there is none, and at the zero of a diverging table, the page shows. */
export function paintBare(pixels: Uint32Array, map: Float64Array | null, look: Look): void {
	const { sign, table } = look;
	const level = leveller(look);
	for (let i = 0; i < pixels.length; i++) {
		const t = map ? level(map[i]) : 0;
		const root = Math.sqrt(Math.abs(t));
		const alpha = table.diverging ? root * Math.sqrt(root) : Number(map !== null);
		pixels[i] = (colourAt(t, table, sign) & 0xffffff) | (round(255 * alpha) << 24);
	}
}

/** A picture in its own colours, dark where the map is weak. */
export function paintMask(
	pixels: Uint32Array,
	colours: Uint8Array,
	map: Float64Array | null,
	look: Look,
): void {
	const level = leveller(look);
	for (let i = 0, at = 0; i < pixels.length; i++, at += 3) {
		const root = Math.sqrt(map ? Math.abs(level(map[i])) : 1);
		const light = 1 - look.opacity * (1 - root * Math.sqrt(root));
		pixels[i] = opaque(
			round(colours[at] * light),
			round(colours[at + 1] * light),
			round(colours[at + 2] * light),
		);
	}
}

export function paintPicture(pixels: Uint32Array, colours: Uint8Array): void {
	for (let i = 0, at = 0; i < pixels.length; i++, at += 3) {
		pixels[i] = opaque(colours[at], colours[at + 1], colours[at + 2]);
	}
}

/** What a look leaves of a value, as t in -1..1. What the look alone decides is decided once and not per pixel. */
function leveller({ scale, sign, threshold }: Look): (value: number) => number {
	const [low, high] = signRange(sign);
	const absolute = sign === "absolute";
	const least = threshold / 100;
	const end = scale > 0 ? scale : Number.POSITIVE_INFINITY;
	return (value) => {
		const share = value / end;
		const t = Math.min(Math.max(absolute ? Math.abs(share) : share, low), high);
		return Math.abs(t) < least ? 0 : t;
	};
}

function colourAt(t: number, table: Table, sign: Sign): number {
	const { colours } = table;
	const at = 3 * tableIndex(t, table, sign);
	return opaque(colours[at], colours[at + 1], colours[at + 2]);
}

/** The colour of a bar: the end of the table that its sign points to. */
export function barColour(table: Table, sign: Sign, value: number): string {
	const at = 3 * tableIndex(Math.sign(value), table, sign);
	return `rgb(${table.colours[at]} ${table.colours[at + 1]} ${table.colours[at + 2]})`;
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

/** A map at another size, linearly between the middles of its cells. */
export function enlarge(map: Raster, height: number, width: number): Raster {
	if (map.height === height && map.width === width) return map;
	const values = new Float64Array(height * width);
	const columns = stops(map.width, width);
	let i = 0;
	for (const { first, second, share } of stops(map.height, height)) {
		for (const column of columns) {
			const upper = between(map.values, first * map.width, column);
			values[i++] = upper + (between(map.values, second * map.width, column) - upper) * share;
		}
	}
	return { height, width, values };
}

/** Between which two of `small` cells each of `large` ones lies, and how far from the first. */
interface Stop {
	first: number;
	second: number;
	share: number;
}

function stops(small: number, large: number): Stop[] {
	return Array.from({ length: large }, (_, i) => {
		const at = Math.min(Math.max(((i + 0.5) * small) / large - 0.5, 0), small - 1);
		const first = Math.floor(at);
		return { first, second: Math.min(first + 1, small - 1), share: at - first };
	});
}

function between(values: Float64Array, row: number, { first, second, share }: Stop): number {
	return values[row + first] + (values[row + second] - values[row + first]) * share;
}

/** Halves go up, unlike numpy's. Nothing rounded here is negative, so cutting off is rounding down, and quick. */
function round(value: number): number {
	return (value + 0.5) | 0;
}

/** One pixel of an ImageData seen as 32-bit words. */
function opaque(red: number, green: number, blue: number): number {
	return 0xff000000 | (blue << 16) | (green << 8) | red;
}
