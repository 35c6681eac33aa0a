import type { Path } from "./state";

/** A path as the points of an SVG polyline in a box: from left to right, its lowest score (or `ends[0]`) at the bottom. */
export function curvePoints(
	{ alphas, scores }: Partial<Path> & Pick<Path, "alphas" | "scores">,
	width: number,
	height: number,
	[low, high]: [low: number, high: number] = [Math.min(...scores), Math.max(...scores)],
): string {
	const range = high - low || 1;
	return alphas
		.map((alpha, i) => [width * alpha, height * (1 - (scores[i] - low) / range)])
		.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`)
		.join(" ");
}
