/** Players, the parts of an input that may be absent: their ranks, their label maps and the input without them. */
import { bytesOf, decodeLabels } from "./buffers";
import { keepSign } from "./paint";
import type { Size } from "./reading";
import type { LabelMap, Picture, Players, Sign } from "./state";

export interface Player {
	/** Numbered through all inputs. */
	number: number;
	label: string;
	/** Where it lies, or its value. */
	text: string;
}

export function hasLabels<T extends object>(players: T | undefined): players is T & LabelMap {
	return players !== undefined && "data" in players;
}

/** All players, and of each input the number of its first. */
export function everyone(inputs: Players[]): { players: Player[]; starts: number[] } {
	const players: Player[] = [];
	const starts: number[] = [];
	for (const { name, labels, texts } of inputs) {
		starts.push(players.length);
		labels.forEach((label, i) => {
			const full = inputs.length > 1 ? `${name}: ${label}` : label;
			players.push({ number: players.length, label: full, text: texts[i] ?? "" });
		});
	}
	return { players, starts };
}

/** The numbers of those that count most within a sign, the strongest first. */
export function ranked(weights: Float64Array, sign: Sign): number[] {
	const strength = weights.map((weight) => Math.abs(keepSign(weight, sign)));
	return [...weights.keys()].sort((a, b) => strength[b] - strength[a] || a - b);
}

/** What a linear model gives where some players are absent. */
export function predicted(intercept: number, weights: Float64Array, off: readonly number[]): number {
	const gone = new Set(off);
	return weights.reduce((sum, weight, player) => (gone.has(player) ? sum : sum + weight), intercept);
}

/** Which player each pixel of a picture belongs to. */
export function playerMap(map: LabelMap, start: number, { height, width }: Size): Uint16Array {
	const [rows, columns] = map.shape;
	const labels = decodeLabels(map);
	const numbers = new Uint16Array(height * width);
	for (let y = 0, i = 0; y < height; y++) {
		const row = Math.floor(((y + 0.5) * rows) / height) * columns;
		for (let x = 0; x < width; x++, i++) {
			numbers[i] = start + labels[row + Math.floor(((x + 0.5) * columns) / width)];
		}
	}
	return numbers;
}

/** A map in which each pixel has its part of the value of its player. */
export function spreadOver(numbers: Uint16Array, values: Float64Array): Float64Array {
	const sizes = new Uint32Array(values.length);
	for (const player of numbers) sizes[player]++;
	return Float64Array.from(numbers, (player) => values[player] / sizes[player]);
}

/** A picture with another one, of any size, where players are absent. */
export function without(picture: Picture, absent: Picture, numbers: Uint16Array, off: Set<number>): Picture {
	const [height, width, channels] = picture.shape;
	const [rows, columns, others] = absent.shape;
	if (others !== channels) return picture;
	const from = bytesOf(absent.data);
	const bytes = bytesOf(picture.data).slice();
	for (let i = 0; i < numbers.length; i++) {
		if (!off.has(numbers[i])) continue;
		const y = Math.floor((Math.floor(i / width) * rows) / height);
		const at = y * columns + Math.floor(((i % width) * columns) / width);
		for (let c = 0; c < channels; c++) bytes[i * channels + c] = from[at * channels + c];
	}
	return { shape: picture.shape, data: new DataView(bytes.buffer) };
}

/** Edges between pixels that a test tells apart, as horizontal and vertical lines [x, y, x, y] of full length. */
export function edges({ height, width }: Size, apart: (one: number, other: number) => boolean): number[][] {
	const lines: number[][] = [];
	const trace = (
		lanes: number,
		length: number,
		at: (lane: number, i: number) => boolean,
		across: boolean,
	) => {
		for (let lane = 1; lane < lanes; lane++) {
			for (let i = 0, start = -1; i <= length; i++) {
				const edge = i < length && at(lane, i);
				if (edge && start < 0) start = i;
				if (edge || start < 0) continue;
				lines.push(across ? [lane, start, lane, i] : [start, lane, i, lane]);
				start = -1;
			}
		}
	};
	trace(height, width, (y, x) => apart((y - 1) * width + x, y * width + x), false);
	trace(width, height, (x, y) => apart(y * width + x - 1, y * width + x), true);
	return lines;
}
