import { useMemo } from "./hooks";
import type { Session } from "./model";
import type { Look } from "./paint";
import { useTable } from "./use_table";

/** A look for each end of a scale, the same one for the same end: what did not change is not painted again. */
export function useLook(state: Session["state"]): ((scale: number) => Look) | null {
	const [sign, opacity, threshold] = [state.sign.value, state.opacity.value, state.threshold.value];
	const table = useTable(state);
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
