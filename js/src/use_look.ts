import { useMemo } from "preact/hooks";
import { decodeTable } from "./buffers";
import type { Session } from "./model";
import type { Look } from "./paint";

/** A look for each end of a scale, the same one for the same end: what did not change is not painted again. */
export function useLook(state: Session["state"]): ((scale: number) => Look) | null {
	const [sign, opacity, threshold] = [state.sign.value, state.opacity.value, state.threshold.value];
	const data = state._tables.value[state.colormap.value] ?? Object.values(state._tables.value)[0];
	const table = useMemo(() => data && { diverging: data.diverging, colours: decodeTable(data) }, [data]);
	return useMemo(() => {
		if (!table) return null;
		const looks = new Map<number, Look>();
		return (scale) => {
			const look = looks.get(scale) ?? { table, sign, opacity, threshold, scale };
			looks.set(scale, look);
			return look;
		};
	}, [table, sign, opacity, threshold]);
}
