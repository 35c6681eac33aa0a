import type { Field } from "./state";

/** The ends of a slider. */
export interface Ends {
	min: number;
	max: number;
}

/** The ends of a field's slider, or null where there is no end to slide to; neighbouring seeds have nothing in common. */
export function endsOf({ kind, min, max }: Field): Ends | null {
	return kind === "seed" || min === null || max === null || max <= min ? null : { min, max };
}

/** The step between neighbouring values; for a continuous field a round hundredth or so of its range. */
export function stepOf({ kind, min, max, step }: Field): number {
	if (step !== null) return step;
	if (isWhole(kind)) return 1;
	if (min === null || max === null) return 0.01;
	return 10 ** Math.floor(Math.log10((max - min) / 50));
}

/** What may be sent for a typed number: whole where it must be, and within bounds. */
export function admit({ kind, min, max }: Field, typed: number): number {
	const value = isWhole(kind) ? Math.round(typed) : typed;
	return Math.min(Math.max(value, min ?? Number.NEGATIVE_INFINITY), max ?? Number.POSITIVE_INFINITY);
}

export function isWhole(kind: Field["kind"]): boolean {
	return kind === "int" || kind === "seed" || kind === "size" || kind === "segments";
}
