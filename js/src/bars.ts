import { keepSign } from "./paint";
import type { Features, Sign } from "./state";

export interface Bar {
	label: string;
	text: string;
	value: number;
}

const SHOWN = 16;

/** The features that count most, and the sum of all others as one last bar: nothing is left out of the picture. */
export function topBars(
	values: Float64Array,
	{ labels, texts }: Pick<Features, "labels" | "texts">,
	sign: Sign,
): Bar[] {
	const bars = Array.from(values, (value, i) => ({
		label: labels[i] ?? String(i),
		text: texts[i] ?? "",
		value: keepSign(value, sign),
	})).sort((a, b) => Math.abs(b.value) - Math.abs(a.value));
	const others = bars.slice(SHOWN);
	if (others.length === 0) return bars;
	const sum = others.reduce((total, { value }) => total + value, 0);
	return [...bars.slice(0, SHOWN), { label: `${others.length} others`, text: "", value: sum }];
}
