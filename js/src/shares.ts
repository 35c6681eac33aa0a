/** The maps of a frame as shares of what it says: a region has the sum of those that lie in it. */
import { rasterOf } from "./buffers";
import { isPicture } from "./inputs";
import type { Raster } from "./paint";
import type { Size } from "./reading";
import { type Claim, claimOf } from "./region";
import type { Frame, Input, RegionState } from "./state";

export interface Shares {
	/** By input, a value for each pixel of its picture. */
	maps: (Float64Array | undefined)[];
	/** The sum of all magnitudes. */
	total: number;
}

export function sharesOf({ arrays, data }: Pick<Frame, "arrays" | "data">, inputs: Input[]): Shares {
	const maps = arrays.map((array) => {
		const map = rasterOf(data, array.spread ?? array);
		const input = inputs[array.input];
		return input && isPicture(input) ? sharedOut(map, input.shape) : map.values;
	});
	return {
		maps,
		total: maps.reduce((sum, map) => map.reduce((all, value) => all + Math.abs(value), sum), 0),
	};
}

/** A map of any size by the pixels of a picture: each cell is shared out over all that it covers, and none is lost. */
function sharedOut(map: Raster, [height, width]: number[]): Float64Array {
	const [rows, columns] = [Math.max(height, map.height), Math.max(width, map.width)];
	const at = (i: number, { height, width }: Size) =>
		Math.floor(((Math.floor(i / columns) + 0.5) * height) / rows) * width +
		Math.floor((((i % columns) + 0.5) * width) / columns);
	const covered = new Uint32Array(map.values.length);
	for (let i = 0; i < rows * columns; i++) covered[at(i, map)]++;
	const shared = new Float64Array(height * width);
	for (let i = 0; i < rows * columns; i++) {
		const cell = at(i, map);
		shared[at(i, { height, width })] += map.values[cell] / covered[cell];
	}
	return shared;
}

/** What the maps give to a region. */
export function claimIn({ maps, total }: Shares, { input, runs }: RegionState): Claim {
	return claimOf(maps[input] ?? new Float64Array(0), runs, total);
}
