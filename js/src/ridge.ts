/**
 * LIME's regression, fitted in the page to masks and scores that Python drew: the same arithmetic as
 * `engine/regression.py` at the end of a run, so that kernel width and ridge answer at once and without a kernel.
 */
import { bytesOf, decodeFloats } from "./buffers";
import type { Equations } from "./state";

export interface Fit {
	weights: Float64Array;
	/** Standard errors; null where there are too few masks to tell. */
	error: Float64Array | null;
	/** The score of the linear model where all players are absent. */
	intercept: number;
	explained: number;
	effective: number;
}

/** Equations, decoded once: of each mask the places of its ones in a row whose first entry is the intercept's. */
export interface Drawn {
	width: number;
	rows: Uint16Array[];
	targets: Float64Array;
	/** By how many are present. */
	sizes: Sums[];
	equations: Equations;
}

/** Sums over the masks of one size. Under any kernel they weigh the same, so that no fit has to go through them again. */
interface Sums {
	target: Float64Array;
	/** How often two are present together: the lower half of a matrix, row by row. */
	moment: Uint16Array;
}

/** Rows are dealt in turn to so many groups, whose differences tell the standard errors. */
const GROUPS = 20;

export function drawn(equations: Equations): Drawn {
	const players = equations.rarity.length - 1;
	const width = players + 1;
	const bits = bytesOf(equations.bits);
	const stride = bits.length / equations.rows;
	const rows = Array.from({ length: equations.rows }, (_, row) => {
		const places = [0];
		for (let player = 0; player < players; player++) {
			if (bits[row * stride + (player >> 3)] & (0x80 >> (player & 7))) places.push(player + 1);
		}
		return Uint16Array.from(places);
	});
	const targets = decodeFloats(equations.scores).map((score) => score - equations.middle);
	const sizes: Sums[] = [];
	rows.forEach((row, at) => {
		const size = row.length - 1;
		sizes[size] ??= {
			target: new Float64Array(width),
			moment: new Uint16Array((width * (width + 1)) / 2),
		};
		const { target, moment } = sizes[size];
		for (let i = 0; i <= size; i++) {
			const start = (row[i] * (row[i] + 1)) / 2;
			target[row[i]] += targets[at];
			for (let j = 0; j <= i; j++) moment[start + row[j]]++;
		}
	});
	return { width, rows, targets, sizes, equations };
}

export function refit(
	{ width, rows, targets, sizes, equations }: Drawn,
	kernelWidth: number,
	alpha: number,
): Fit {
	const near = Float64Array.from(equations.rarity, (rarity, size) => {
		const distance = (1 - Math.sqrt(size / (width - 1))) / kernelWidth;
		return rarity * Math.exp(-distance * distance);
	});
	const moment = new Float64Array(width * width);
	const target = new Float64Array(width);
	sizes.forEach((sums, size) => {
		const w = near[size];
		for (let i = 0, at = 0; i < width; i++) {
			target[i] += w * sums.target[i];
			for (let j = 0; j <= i; j++) moment[i * width + j] += w * sums.moment[at++];
		}
	});
	let trace = 0;
	for (let i = 0; i < width; i++) trace += moment[i * width + i];
	const floor = 1e-10 * Math.max(trace / width, 1e-300);
	for (let i = 0; i < width; i++) moment[i * width + i] += floor + (i > 0 ? alpha : 0);
	const lower = cholesky(moment, width);
	const values = solve(lower, target);

	const scores = Array.from({ length: GROUPS }, () => new Float64Array(width));
	let [weight, squareWeight, sum, squares, rest] = [0, 0, 0, 0, 0];
	rows.forEach((row, at) => {
		const w = near[row.length - 1];
		let left = targets[at];
		weight += w;
		squareWeight += w * w;
		sum += w * left;
		squares += w * left * left;
		for (let i = 0; i < row.length; i++) left -= values[row[i]];
		rest += w * left * left;
		const score = scores[at % GROUPS];
		for (let i = 0; i < row.length; i++) score[row[i]] += w * left;
	});
	const total = squares - (sum * sum) / Math.max(weight, 1e-300);
	return {
		weights: values.slice(1),
		error: standardError(scores, lower, rows.length, 1 - equations.fraction)?.slice(1) ?? null,
		intercept: values[0] + equations.middle,
		explained: total > 1e-12 * squares ? 1 - rest / total : 1,
		effective: squareWeight ? (weight * weight) / squareWeight : 0,
	};
}

/** By how much the groups differ: the sandwich estimator, by clusters. What is never seen of all masks has an error. */
function standardError(
	scores: Float64Array[],
	lower: Float64Array,
	rows: number,
	unseen: number,
): Float64Array | null {
	const width = scores[0].length;
	const free = rows - width;
	if (unseen === 0) return new Float64Array(width);
	if (free <= 0 || rows < GROUPS) return null;
	const variance = new Float64Array(width);
	const mean = new Float64Array(width);
	for (const score of scores)
		score.forEach((value, i) => {
			mean[i] += value / GROUPS;
		});
	for (const score of scores) {
		const moved = solve(
			lower,
			score.map((value, i) => value - mean[i]),
		);
		moved.forEach((value, i) => {
			variance[i] += unseen * value * value;
		});
	}
	return variance.map((value) => Math.sqrt(((value * GROUPS) / (GROUPS - 1) / free) * rows));
}

/** The lower factor of a symmetric matrix of which only the lower half is read. */
function cholesky(matrix: Float64Array, width: number): Float64Array {
	const lower = matrix.slice();
	for (let i = 0; i < width; i++) {
		for (let j = 0; j <= i; j++) {
			let value = lower[i * width + j];
			for (let k = 0; k < j; k++) value -= lower[i * width + k] * lower[j * width + k];
			lower[i * width + j] = i === j ? Math.sqrt(Math.max(value, 1e-300)) : value / lower[j * width + j];
		}
	}
	return lower;
}

function solve(lower: Float64Array, right: Float64Array): Float64Array {
	const width = right.length;
	const x = right.slice();
	for (let i = 0; i < width; i++) {
		for (let k = 0; k < i; k++) x[i] -= lower[i * width + k] * x[k];
		x[i] /= lower[i * width + i];
	}
	for (let i = width - 1; i >= 0; i--) {
		for (let k = i + 1; k < width; k++) x[i] -= lower[k * width + i] * x[k];
		x[i] /= lower[i * width + i];
	}
	return x;
}
