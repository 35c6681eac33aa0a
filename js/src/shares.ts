/** The maps of a frame as shares of what it says: a region has the sum of those that lie in it. */
import { rasterOf } from "./buffers";
import { isPicture } from "./inputs";
import { resize } from "./paint";
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
		if (!input || !isPicture(input)) return map.values;
		const [height, width] = input.shape;
		// A cell of a coarse map is shared out over the pixels that it covers.
		const part = map.values.length / (height * width);
		return resize(map, height, width).values.map((value) => value * part);
	});
	return {
		maps,
		total: maps.reduce((sum, map) => map.reduce((all, value) => all + Math.abs(value), sum), 0),
	};
}

/** What the maps give to a region. */
export function claimIn({ maps, total }: Shares, { input, runs }: RegionState): Claim {
	return claimOf(maps[input] ?? new Float64Array(0), runs, total);
}
