import type { Session } from "./model";
import type { Look } from "./paint";
import type { CompareState, GridCell } from "./state";
import type { Shown } from "./use_cells";

/** What every part of a comparison looks at. */
export interface Scene {
	session: Session<CompareState>;
	/** The maps that are there. */
	shown: Shown[];
	chosen: Shown | undefined;
	/** The chosen column, also where a row has but one map. */
	column: number;
	/** How a map is painted whose colours end at a value. */
	look: (end: number) => Look;
	choose: (cell: Place) => void;
}
export type Place = Pick<GridCell, "row" | "column" | "span">;

/** The column that counts for a cell: a map for all columns stands for the chosen one. */
export function columnOf(cell: Place, chosen: number): number {
	return cell.span > 1 ? chosen : cell.column;
}
