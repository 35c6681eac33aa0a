import { significant } from "./format";
import type { Shown } from "./use_cells";
import type { Spot } from "./view";

/** What stands under a map: its value at the spot that is read, else where its colours end. */
export function cellFigure(shown: Shown | undefined, spot: Spot | null, scale: number): string {
	const map = shown?.rasters[0];
	if (!map || map.height === 1) return "";
	if (!spot) return `±${significant(scale, 2)}`;
	const row = Math.min(Math.floor(spot.y * map.height), map.height - 1);
	const column = Math.min(Math.floor(spot.x * map.width), map.width - 1);
	return significant(map.values[row * map.width + column], 3);
}
