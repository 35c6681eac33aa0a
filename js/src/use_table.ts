import { decodeTable } from "./buffers";
import { useMemo } from "./hooks";
import type { Session } from "./model";
import type { Table } from "./paint";

/** The colours that are chosen; until they have come, others. */
export function useTable(state: Session["state"]): Table | undefined {
	const chosen = state._tables.value[state.colormap.value] ?? Object.values(state._tables.value)[0];
	return useMemo(() => chosen && { diverging: chosen.diverging, colours: decodeTable(chosen) }, [chosen]);
}
