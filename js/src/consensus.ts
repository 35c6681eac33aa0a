import type { Raster } from "./paint";

/**
 * What several maps of one picture have in common and where they differ: mean and standard deviation of their values,
 * each in units of its own end and cut there. A map without an end says nothing and counts as zero.
 */
export function consensus(maps: { raster: Raster; end: number }[]): { mean: Raster; spread: Raster } | null {
	const [first] = maps;
	if (!first) return null;
	const { height, width } = first.raster;
	const alike = maps.filter(({ raster }) => raster.height === height && raster.width === width);
	const count = height * width;
	const sums = new Float64Array(count);
	const squares = new Float64Array(count);
	for (const { raster, end } of alike) {
		if (end === 0) continue;
		for (let i = 0; i < count; i++) {
			const t = Math.min(Math.max(raster.values[i] / end, -1), 1);
			sums[i] += t;
			squares[i] += t * t;
		}
	}
	const mean = sums.map((sum) => sum / alike.length);
	const spread = squares.map((square, i) => Math.sqrt(Math.max(square / alike.length - mean[i] ** 2, 0)));
	return { mean: { height, width, values: mean }, spread: { height, width, values: spread } };
}
