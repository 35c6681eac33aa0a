import { decodeArray, decodeFloats } from "./buffers";
import { useMemo } from "./hooks";
import type { Session } from "./model";
import { type Drawn, drawn, type Fit, refit } from "./ridge";
import type { Choice, Equations, Frame, LIMEState, Surrogate } from "./state";

/** What a change of needs no new samples. */
export const REFITS: readonly string[] = ["kernel_width", "alpha"];

/** The linear model that is shown. */
export interface Shown extends Fit {
	/** Whether it was fitted here, to other values than those of the frame. */
	here: boolean;
}

/** The linear model as Python fitted it, or as it is under the hand, where the page holds all that it was fitted to. */
export function useFit(state: Session<LIMEState>["state"], frame: Frame | null): Shown | null {
	const method = state.method.value;
	const surrogate = state._surrogate.value;
	const equations = state._equations.value;
	const told = useMemo(
		() => (frame && "game" in surrogate ? fitOf(frame, surrogate as Surrogate) : null),
		[frame, surrogate],
	);
	const kept = useMemo(() => ("rows" in equations ? drawn(equations as Equations) : null), [equations]);
	const here = useMemo(
		() => (kept && "game" in surrogate ? fittedHere(kept, surrogate as Surrogate, method) : null),
		[kept, surrogate, method],
	);
	return here ?? told;
}

function fitOf(frame: Frame, { intercept, explained, effective, error }: Surrogate): Shown {
	const weights = Float64Array.from(
		frame.arrays.flatMap((array) => Array.from(decodeArray(frame.data, array))),
	);
	return { weights, error: error && decodeFloats(error), intercept, explained, effective, here: false };
}

function fittedHere(kept: Drawn, surrogate: Surrogate, method: Choice): Shown | null {
	if (kept.equations.game !== surrogate.game || !same(surrogate.method, method, true)) return null;
	if (same(surrogate.method, method, false)) return null;
	return { ...refit(kept, method.kernel_width as number, method.alpha as number), here: true };
}

function same(one: Choice, other: Choice, butForFits: boolean): boolean {
	const text = (choice: Choice) =>
		JSON.stringify(
			Object.entries(choice)
				.filter(([name]) => !butForFits || !REFITS.includes(name))
				.sort(([a], [b]) => (a < b ? -1 : 1)),
		);
	return text(one) === text(other);
}
