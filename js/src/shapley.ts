/** What charts of Shapley values are made of, as pure functions. Orders and sums are those of shap's own plots. */
import { decodeFloats } from "./buffers";
import { signed, significant } from "./format";
import { percentile } from "./paint";
import type { Empty, Features, Order, Row, Swarm } from "./state";

/** One sample: how its score comes about. */
export interface Explained {
	sample: number;
	target: string;
	base: number;
	/** Whether the base value is known; where it is not, the values start at 0. */
	based: boolean;
	score: number;
	residual: number | null;
	values: Float64Array;
	error: Float64Array | null;
	texts: string[];
}

/** Many samples, feature by feature. */
export interface Explaineds {
	total: number;
	count: number;
	method: string;
	target: number | null;
	targetName: string;
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

export function readRow(row: Row | Empty, texts: string[]): Explained | null {
	if (!("values" in row)) return null;
	const { sample, target, base, score, residual, values, error } = row as Row;
	return {
		...{ sample, target, base: base ?? 0, based: base !== null, score, residual, texts },
		values: decodeFloats(values),
		error: error && decodeFloats(error),
	};
}

/** What is known of the samples; null where no table is explained. */
export function readSwarm(told: Swarm | Empty, width: number): Explaineds | null {
	if (!("total" in told)) return null;
	const swarm = told as Swarm;
	const floats = (view?: DataView) => (view ? decodeFloats(view) : new Float64Array(0));
	const columns = (all: Float64Array) =>
		Array.from({ length: width }, (_, feature) => all.filter((_, i) => i % width === feature));
	return {
		total: swarm.total,
		count: swarm.count ?? 0,
		method: swarm.method ?? "",
		target: swarm.target ?? null,
		targetName: swarm.target_name ?? "",
		samples: swarm.samples ?? [],
		base: floats(swarm.base),
		score: floats(swarm.score),
		values: columns(floats(swarm.values)),
		data: columns(floats(swarm.data)),
	};
}

/** One of many samples by itself. */
export function rowOf(swarm: Explaineds, sample: number): Explained | null {
	const at = swarm.samples.indexOf(sample);
	if (at < 0) return null;
	const base = swarm.base[at];
	const values = Float64Array.from(swarm.values, (column) => column[at]);
	return {
		sample,
		target: swarm.targetName,
		base: Number.isNaN(base) ? 0 : base,
		based: !Number.isNaN(base),
		score: swarm.score[at],
		residual: Number.isNaN(base) ? null : sum(values) - (swarm.score[at] - base),
		values,
		error: null,
		texts: swarm.data.map((column) => significant(column[at], 4)),
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
	const { values, error, texts, residual } = row;
	const { shown, rest } = pick(values, labels, order, top);
	const parts: Part[] = shown.map((feature) => ({
		...{ feature, label: labels[feature], text: texts[feature] ?? "" },
		...{ value: values[feature], error: error?.[feature] ?? null },
	}));
	const joined = (label: string, features: number[]): Part => ({
		...{ feature: null, label, text: "", error: null },
		value: sum(features.map((feature) => values[feature])),
	});
	const up = rest.filter((feature) => values[feature] > 0);
	const down = rest.filter((feature) => values[feature] <= 0);
	const size = values.reduce((total, value) => total + Math.abs(value), 0);
	const missed: Part[] =
		residual !== null && Math.abs(residual) > NOTHING * size
			? [{ feature: null, label: "not accounted for", text: "", value: -residual, error: null }]
			: [];
	return {
		parts: [...parts, ...(rest.length > 0 ? [joined(`${rest.length} others`, rest)] : []), ...missed],
		/** The same with the joined ones by their signs: nothing cancels out. */
		apart: [
			...parts,
			...[joined(`${up.length} others`, up), joined(`${down.length} others`, down)].filter(
				({ value }) => value !== 0,
			),
			...missed,
		],
	};
}

/** Where each part starts and ends, the last one from the base value on. */
export function ways(base: number, parts: Part[]): { from: number; to: number }[] {
	let at = base;
	const up = parts.slice().reverse();
	return up
		.map(({ value }) => {
			const from = at;
			at += value;
			return { from, to: at };
		})
		.reverse();
}

/** A force plot: pushes upwards end at the score, pushes downwards start there, the largest next to it. */
export function forces(score: number, parts: Part[]): { part: Part; low: number; high: number }[] {
	const placed = [];
	let [low, high] = [score, score];
	for (const part of parts.slice().sort((a, b) => Math.abs(b.value) - Math.abs(a.value))) {
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

/** The mean magnitude of each feature. */
export function importance({ values }: Explaineds): number[] {
	return values.map(
		(column) => column.reduce((total, value) => total + Math.abs(value), 0) / (column.length || 1),
	);
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
export function readPart({ label, text, value, error, of = "" }: Part, all: Float64Array): string {
	const size = all.reduce((total, one) => total + Math.abs(one), 0);
	const share = size > 0 ? `  ${((100 * Math.abs(value)) / size).toFixed(0)} % of all magnitudes` : "";
	const spread = error === null || error === 0 ? "" : ` ± ${signed(error, 2).slice(1)}`;
	return `${label}${text && ` = ${text}`}  ${of}${signed(value, 4)}${spread}${share}`;
}
