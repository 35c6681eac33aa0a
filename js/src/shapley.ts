/** What charts of Shapley values are made of, as pure functions. Orders and sums are those of shap's own plots. */
import { decodeFloats } from "./buffers";
import { signed, significant } from "./format";
import { percentile } from "./paint";
import type { Empty, Features, Order, Swarm } from "./state";

/** One sample: how its score comes about. */
export interface Explained {
	sample: number;
	base: number;
	/** Whether the base value is known; where it is not, the values start at 0. */
	based: boolean;
	score: number;
	/** What the values have more than the difference. */
	residual: number;
	values: Float64Array;
	data: Float64Array;
	error: Float64Array | null;
}

/** Many samples, their numbers feature by feature. */
export interface Explaineds {
	told: Swarm;
	samples: number[];
	base: Float64Array;
	score: Float64Array;
	values: Float64Array[];
	data: Float64Array[];
}

/** A feature, several of them joined, or what the values miss of the score. */
export interface Part {
	feature: number | null;
	label: string;
	text: string;
	value: number;
	error: number | null;
	/** What the value is, where it is not that of one sample. */
	of?: string;
}

/** What is known of the samples; null where no table is explained. */
export function readSwarm(told: Swarm | Empty, width: number): Explaineds | null {
	if (!("total" in told)) return null;
	const floats = (name: "base" | "score" | "values" | "data") =>
		decodeFloats((told as Swarm)[name] ?? new DataView(new ArrayBuffer(0)));
	const columns = (all: Float64Array) =>
		Array.from({ length: width }, (_, feature) => all.filter((_, i) => i % width === feature));
	return {
		told: told as Swarm,
		samples: told.samples ?? [],
		base: floats("base"),
		score: floats("score"),
		values: columns(floats("values")),
		data: columns(floats("data")),
	};
}

/** One of the samples by itself. */
export function rowOf(
	{ told, samples, base, score, values, data }: Explaineds,
	sample: number,
): Explained | null {
	const at = samples.indexOf(sample);
	if (at < 0) return null;
	const own = Float64Array.from(values, (column) => column[at]);
	const based = !Number.isNaN(base[at]);
	const start = based ? base[at] : 0;
	const end = based ? score[at] : sum(own);
	return {
		...{ sample, based, base: start, score: end, residual: sum(own) - (end - start), values: own },
		data: Float64Array.from(data, (column) => column[at]),
		error: told.error ? decodeFloats(told.error) : null,
	};
}

/** The features of the largest weights, in the order in which they stand, and those that are joined. */
export function pick(
	weights: ArrayLike<number>,
	labels: string[],
	order: Order,
	top: number,
): { shown: number[]; rest: number[] } {
	const strongest = Array.from(weights, (_, feature) => feature).sort(
		(a, b) => Math.abs(weights[b]) - Math.abs(weights[a]),
	);
	// One alone is no crowd.
	const count = strongest.length - top === 1 ? strongest.length : top;
	const shown = strongest.slice(0, count);
	if (order === "name") shown.sort((a, b) => labels[a].localeCompare(labels[b]));
	if (order === "as given") shown.sort((a, b) => a - b);
	return { shown, rest: strongest.slice(count) };
}

/** Below this share of all magnitudes nothing is missed. */
const NOTHING = 1e-3;

/** What leads from the base value to the score: from the top down, the last one starts at the base value. */
export function partsOf(row: Explained, { labels }: Pick<Features, "labels">, order: Order, top: number) {
	const { values, data, error, residual } = row;
	const { shown, rest } = pick(values, labels, order, top);
	const parts: Part[] = shown.map((feature) => ({
		...{ feature, label: labels[feature], text: significant(data[feature], 4) },
		...{ value: values[feature], error: error?.[feature] ?? null },
	}));
	const joined = (features: number[]): Part => ({
		...{ feature: null, label: othersOf(features), text: "", error: null },
		value: sum(features.map((feature) => values[feature])),
	});
	const up = rest.filter((feature) => values[feature] > 0);
	const down = rest.filter((feature) => values[feature] <= 0);
	const size = sum(values.map(Math.abs));
	const missed: Part[] =
		Math.abs(residual) > NOTHING * size
			? [{ feature: null, label: "not accounted for", text: "", value: -residual, error: null }]
			: [];
	return {
		parts: [...parts, ...(rest.length > 0 ? [joined(rest)] : []), ...missed],
		/** The same with the joined ones by their signs: nothing cancels out. */
		apart: [...parts, ...[joined(up), joined(down)].filter(({ value }) => value !== 0), ...missed],
	};
}

export function othersOf({ length }: number[]): string {
	return length === 1 ? "1 other" : `${length} others`;
}

/** Where each part starts and ends: the first one ends at the score. */
export function ways(score: number, parts: Part[]): { from: number; to: number }[] {
	let at = score;
	return parts.map(({ value }) => {
		const to = at;
		at -= value;
		return { from: at, to };
	});
}

/** A force plot: pushes upwards end at the score, pushes downwards start there, the largest next to it, joined ones last. */
export function forces(score: number, parts: Part[]): { part: Part; low: number; high: number }[] {
	const placed = [];
	let [low, high] = [score, score];
	const size = ({ feature, value }: Part) => (feature === null ? 0 : Math.abs(value));
	for (const part of parts.slice().sort((a, b) => size(b) - size(a))) {
		if (part.value > 0) {
			placed.push({ part, low: low - part.value, high: low });
			low -= part.value;
		} else if (part.value < 0) {
			placed.push({ part, low: high, high: high - part.value });
			high -= part.value;
		}
	}
	return placed.sort((a, b) => a.low - b.low);
}

export function meanSize(values: Float64Array): number {
	return sum(values.map(Math.abs)) / (values.length || 1);
}

/** The mean magnitude of each feature. */
export function importance({ values }: Explaineds): number[] {
	return values.map(meanSize);
}

const BINS = 100;

/** By how many dots each one lies beside the middle of its row: those of nearly one value stand side by side. */
export function layers(values: Float64Array): Int16Array {
	const low = Math.min(...values);
	const range = Math.max(...values) - low || 1;
	const filled = new Map<number, number>();
	return Int16Array.from(values, (value) => {
		const bin = Math.round((BINS * (value - low)) / range);
		const before = filled.get(bin) ?? 0;
		filled.set(bin, before + 1);
		return Math.ceil(before / 2) * (before % 2 ? 1 : -1);
	});
}

/** Where a feature lies between its low values (0) and its high ones (1), as shap has it: from the 5th to the 95th percentile. */
export function shader(data: Float64Array): (value: number) => number | null {
	const sorted = data.filter((value) => !Number.isNaN(value)).sort();
	if (sorted.length === 0) return () => null;
	let [low, high] = [percentile(sorted, 5), percentile(sorted, 95)];
	if (low === high) [low, high] = [percentile(sorted, 1), percentile(sorted, 99)];
	if (low === high) [low, high] = [sorted[0], sorted[sorted.length - 1]];
	const range = high - low || 1;
	return (value) => (Number.isNaN(value) ? null : Math.min(Math.max((value - low) / range, 0), 1));
}

export function sum(values: ArrayLike<number>): number {
	return Array.from(values).reduce((total, value) => total + value, 0);
}

/** What is said of a part where it is pointed at. */
export function readPart({ label, text, value, error, of = "" }: Part): string {
	const spread = error ? ` ± ${significant(error, 2)}` : "";
	return `${label}${text && ` = ${text}`}  ${of}${signed(value, 4)}${spread}`;
}
