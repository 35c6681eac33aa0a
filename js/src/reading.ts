import { significant } from "./format";
import type { Raster } from "./paint";
import type { Spot } from "./view";

export interface Size {
	height: number;
	width: number;
}

export interface Point {
	column: number;
	row: number;
}

/** The pixel at a spot, or the nearest one. */
export function pointAt({ x, y }: Spot, size: Size): Point {
	return nearest({ column: Math.floor(x * size.width), row: Math.floor(y * size.height) }, size);
}

/** Where in the picture the middle of a pixel lies. */
export function spotOf({ column, row }: Point, { width, height }: Size): Spot {
	return { x: (column + 0.5) / width, y: (row + 0.5) / height };
}

/** One pixel further, or ten: null for a key that does not move. */
export function moved({ column, row }: Point, key: string, far: boolean, size: Size): Point | null {
	const by = far ? 10 : 1;
	switch (key) {
		case "ArrowLeft":
			return nearest({ column: column - by, row }, size);
		case "ArrowRight":
			return nearest({ column: column + by, row }, size);
		case "ArrowUp":
			return nearest({ column, row: row - by }, size);
		case "ArrowDown":
			return nearest({ column, row: row + by }, size);
		default:
			return null;
	}
}

/**
 * What the map says at a pixel of the picture: the value as it was computed, whatever is smoothed or hidden on screen,
 * and its share of `total`, the sum of all magnitudes.
 */
export function reading(point: Point, size: Size, map: Raster | null, total: number): string {
	const place = `x ${point.column}  y ${point.row}`;
	if (!map) return place;
	const { x, y } = spotOf(point, size);
	const value = map.values[Math.floor(y * map.height) * map.width + Math.floor(x * map.width)];
	const share = total > 0 ? Math.abs(value) / total : 0;
	return `${place}  ${significant(value, 4)}  ${significant(100 * share, 2)} %`;
}

function nearest({ column, row }: Point, { width, height }: Size): Point {
	return {
		column: Math.min(Math.max(column, 0), width - 1),
		row: Math.min(Math.max(row, 0), height - 1),
	};
}
