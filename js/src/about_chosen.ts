import type { Session } from "./model";
import type { Choice, CompareState } from "./state";
import type { Shown } from "./use_cells";

/**
 * A comparison as what all widgets share sees it: one map, that of the chosen cell. What is changed there changes the
 * row and the column of this cell.
 */
export function aboutChosen(
	session: Session<CompareState>,
	chosen: Shown | undefined,
	row: number,
	column: number,
): Session {
	const { state, compute } = session;
	const { kind, looks } = state._axes.value;
	const { methods, baselines, targets } = state;
	const method = methods.value[row] ?? state.method.value;
	const baseline = baselines.value[column];
	const look = looks[column];

	const edited = (changed: Choice): Partial<CompareState> => {
		const from = changed.baseline as Choice | undefined;
		const moved = from && baseline && JSON.stringify(from) !== JSON.stringify(baseline);
		const patch = { methods: replaced(methods.value, row, changed) };
		return moved ? { ...patch, baselines: replaced(baselines.value, column, from) } : patch;
	};
	return {
		...session,
		state: {
			...state,
			method: { value: baseline && "baseline" in method ? { ...method, baseline } : method },
			target: { value: kind === "targets" ? (targets.value[column] ?? null) : state.target.value },
			frame: { value: chosen ? { ...chosen.cell, progress: state.frame.value.progress ?? 0 } : {} },
			_baselines: { value: look ? [look] : [] },
		},
		compute({ method, target, ...patch }) {
			if (method) compute(edited(method));
			else if (target === undefined) compute(patch);
			else if (kind === "targets") compute({ targets: replaced(targets.value, column, target) });
			else compute({ target });
		},
	};
}

function replaced<T>(values: T[], at: number, by: T): T[] {
	return values.map((value, i) => (i === at ? by : value));
}
