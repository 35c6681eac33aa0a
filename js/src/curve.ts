import type { Path } from "./state";

/** A path as the points of an SVG polyline in a box: from left to right, its lowest score at the bottom. */
export function curvePoints({ alphas, scores }: Path, width: number, height: number): string {
	const low = Math.min(...scores);
	const range = Math.max(...scores) - low || 1;
	return alphas
		.map((alpha, i) => [width * alpha, height * (1 - (scores[i] - low) / range)])
		.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`)
		.join(" ");
}
