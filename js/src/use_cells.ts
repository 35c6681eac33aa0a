import { rasterOf } from "./buffers";
import { useMemo, useRef } from "./hooks";
import { colourScale, joined, type Raster, sortedMagnitudes } from "./paint";
import type { Frame, GridCell } from "./state";

/** A map of the grid, ready to be painted. */
export interface Shown {
	cell: GridCell & Frame;
	name: string;
	/** By input. */
	rasters: Raster[];
	/** Magnitudes of all of them in rising order. */
	sorted: Float64Array;
	/** Where its own scale ends. */
	end: number;
}

/** The maps that are there; one whose version was seen before is not decoded again. */
export function useCells(
	cells: GridCell[][],
	names: { rows: string[]; columns: string[] },
	clip: number,
): Shown[] {
	const seen = useRef(new Map<number, Omit<Shown, "cell" | "name" | "end">>());
	return useMemo(() => {
		const kept = new Map<number, Omit<Shown, "cell" | "name" | "end">>();
		const shown = cells.flat().flatMap((cell) => {
			if (!isShown(cell)) return [];
			const decoded = seen.current.get(cell.version) ?? decode(cell);
			kept.set(cell.version, decoded);
			return [{ ...decoded, cell, name: nameOf(cell, names), end: colourScale(decoded.sorted, clip) }];
		});
		seen.current = kept;
		return shown;
	}, [cells, names, clip]);
}

export function nameOf(
	{ row, column, span }: GridCell,
	names: { rows: string[]; columns: string[] },
): string {
	const own = span > 1 || names.columns.length < 2 ? "" : `, ${names.columns[column]}`;
	return `${names.rows[row]}${own}`;
}

function isShown(cell: GridCell): cell is GridCell & Frame {
	return cell.arrays !== undefined;
}

function decode(cell: GridCell & Frame): Omit<Shown, "cell" | "name" | "end"> {
	const rasters = cell.arrays.map((array) => rasterOf(cell.data, array));
	return { rasters, sorted: sortedMagnitudes(joined(rasters)) };
}
