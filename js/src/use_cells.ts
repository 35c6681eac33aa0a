import { useMemo, useRef } from "preact/hooks";
import { decodeArray } from "./buffers";
import { colourScale, type Raster, sortedMagnitudes } from "./paint";
import type { Frame, GridCell } from "./state";

/** A map of the grid, ready to be painted. */
export interface Shown {
	cell: GridCell & Frame;
	name: string;
	/** By input. */
	rasters: Raster[];
	/** Magnitudes of all of them in rising order, and their sum. */
	sorted: Float64Array;
	total: number;
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
	const rasters = cell.arrays.map((array) => {
		const [height, width] = array.shape.length === 1 ? [1, array.shape[0]] : array.shape;
		return { height, width, values: decodeArray(cell.data, array) };
	});
	const values = rasters.length === 1 ? rasters[0].values : joined(rasters);
	const sorted = sortedMagnitudes(values);
	return { rasters, sorted, total: sorted.reduce((sum, value) => sum + value, 0) };
}

function joined(rasters: Raster[]): Float64Array {
	const all = new Float64Array(rasters.reduce((length, { values }) => length + values.length, 0));
	let at = 0;
	for (const { values } of rasters) {
		all.set(values, at);
		at += values.length;
	}
	return all;
}
