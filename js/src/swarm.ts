/** Where the dots of a beeswarm lie, in pixels, and which of them is meant. */
import { type Explaineds, importance, layers, meanSize, othersOf, pick, shader, sum } from "./shapley";
import type { Order } from "./state";

export const ROW = 26;
export const RADIUS = 3;
/** Low feature values and high ones: shap's own colours. */
const RAMP = [
	[0, 139, 251],
	[255, 0, 81],
];
const UNKNOWN = "rgb(128 128 128)";

export interface Dot {
	row: number;
	at: number;
	x: number;
	y: number;
}

export interface SwarmRow {
	feature: number | null;
	label: string;
	mean: number;
	values: Float64Array;
	data: Float64Array | null;
	colour: (at: number) => string;
}

export function rowsOf(swarm: Explaineds, labels: string[], order: Order, top: number): SwarmRow[] {
	const means = importance(swarm);
	const { shown, rest } = pick(means, labels, order, top);
	const rows: SwarmRow[] = shown.map((feature) => {
		const data = swarm.data[feature];
		const shade = shader(data);
		return {
			...{ feature, label: labels[feature], mean: means[feature], values: swarm.values[feature], data },
			colour: (at) => colourOf(shade(data[at])),
		};
	});
	if (rest.length === 0) return rows;
	const values = Float64Array.from(swarm.samples, (_, at) =>
		sum(rest.map((feature) => swarm.values[feature][at])),
	);
	const others = {
		feature: null,
		label: othersOf(rest),
		mean: meanSize(values),
		values,
		data: null,
	};
	return [...rows, { ...others, colour: () => UNKNOWN }];
}

export function dotsOf(values: Float64Array, row: number, xOf: (value: number) => number): Dot[] {
	const beside = layers(values);
	const most = Math.max(1, ...beside.map(Math.abs));
	const step = Math.min(2 * RADIUS - 1, (ROW / 2 - RADIUS - 1) / most);
	return Array.from(values, (value, at) => ({
		...{ row, at },
		x: xOf(value),
		y: ROW * (row + 0.5) + step * beside[at],
	}));
}

function colourOf(share: number | null): string {
	if (share === null) return UNKNOWN;
	const [low, high] = RAMP;
	return `rgb(${low.map((value, i) => Math.round(value + share * (high[i] - value))).join(" ")})`;
}

/** A pointer means what is this near, in pixels. */
const NEAR = 8;

export function nearest(dots: Dot[][], x: number, y: number): Dot | null {
	const distance = (dot: Dot) => Math.hypot(dot.x - x, dot.y - y);
	const far = { found: null as Dot | null, least: NEAR };
	return dots.flat().reduce((best, dot) => {
		const least = distance(dot);
		return least < best.least ? { found: dot, least } : best;
	}, far).found;
}

/** The next dot to either side in its row, or that of the same sample in the row above or below. */
export function neighbour(
	dots: Dot[][],
	from: Dot | undefined,
	key: string,
	start: boolean,
): Dot | undefined {
	if (!from || start) return from;
	const { row, at } = from;
	const along = dots[row].slice().sort((a, b) => a.x - b.x || a.at - b.at);
	const there = along.indexOf(from);
	const to = { ArrowLeft: along[there - 1], ArrowRight: along[there + 1] }[key];
	return to ?? { ArrowUp: dots[row - 1]?.[at], ArrowDown: dots[row + 1]?.[at] }[key];
}
