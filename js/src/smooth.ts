import type { Raster } from "./paint";

/** The mean over (2 radius + 1) squared neighbours, of those that lie within the map. */
export function boxMean(map: Raster, radius: number): Raster {
	if (radius === 0) return map;
	const { height, width } = map;
	const along = windowSums(map.values, radius, { lines: height, lineStep: width, length: width, step: 1 });
	const values = windowSums(along, radius, { lines: width, lineStep: 1, length: height, step: width });
	for (let y = 0, i = 0; y < height; y++) {
		const rows = neighbours(y, height, radius);
		for (let x = 0; x < width; x++, i++) values[i] /= rows * neighbours(x, width, radius);
	}
	return { height, width, values };
}

interface Layout {
	lines: number;
	lineStep: number;
	length: number;
	step: number;
}

/**
 * Sums over a window that slides along each line. Any window is the tail of one block of its length and the head of
 * the next, so two running sums give it without subtracting: where the map is zero the sum is zero, and not the
 * rounding error of what the window has left behind, by which a sparse map would be scaled.
 */
function windowSums(source: Float64Array, radius: number, layout: Layout): Float64Array {
	const { lines, lineStep, length, step } = layout;
	const span = 2 * radius + 1;
	const padded = new Float64Array(length + 2 * radius);
	const heads = new Float64Array(padded.length);
	const tails = new Float64Array(padded.length + 1);
	const sums = new Float64Array(source.length);
	for (let line = 0; line < lines; line++) {
		const start = line * lineStep;
		for (let i = 0; i < length; i++) padded[i + radius] = source[start + i * step];
		for (let i = 0; i < padded.length; i++) heads[i] = padded[i] + (i % span ? heads[i - 1] : 0);
		for (let i = padded.length - 1; i >= 0; i--) tails[i] = padded[i] + ((i + 1) % span ? tails[i + 1] : 0);
		for (let i = 0; i < length; i++) {
			sums[start + i * step] = tails[i] + (i % span ? heads[i + span - 1] : 0);
		}
	}
	return sums;
}

function neighbours(at: number, length: number, radius: number): number {
	return Math.min(at + radius, length - 1) - Math.max(at - radius, 0) + 1;
}
