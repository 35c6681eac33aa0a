import { percent, significant } from "./format";
import type { Predictions, Target } from "./state";

export interface TargetOption {
	/** null: whatever class the model predicts. */
	target: number | null;
	label: string;
	/** The prediction for this class, as text; empty where it is not among the best. */
	value: string;
}

const SHOWN = 50;

export function className(names: string[], target: number): string {
	return names[target] ?? String(target);
}

/** What the closed target box says. */
export function targetLabel(target: Target, names: string[], predictions: Predictions): string {
	if (typeof target === "number") return className(names, target);
	if (target !== null) return target.label;
	const best = predictions.classes?.[0];
	return best === undefined ? "predicted class" : `${className(names, best)} (predicted)`;
}

/** The classes that match what was typed: best predictions first, then names that begin with it, then the rest. */
export function targetOptions(query: string, names: string[], predictions: Predictions): TargetOption[] {
	const needle = query.trim().toLowerCase();
	const { classes = [], values = [], kind, count = 0 } = predictions;
	const valueText = (value: number) => (kind === "probability" ? percent(value) : significant(value, 4));

	const best: TargetOption[] = [];
	const begin: TargetOption[] = [];
	const contain: TargetOption[] = [];
	classes.forEach((target, rank) => {
		const label = className(names, target);
		if (matches(target, label, needle)) best.push({ target, label, value: valueText(values[rank]) });
	});
	const predicted = new Set(classes);
	for (let target = 0; target < Math.max(count, names.length); target++) {
		const label = className(names, target);
		if (predicted.has(target) || !matches(target, label, needle)) continue;
		(label.toLowerCase().startsWith(needle) ? begin : contain).push({ target, label, value: "" });
	}
	const anything = "predicted class".includes(needle)
		? [{ target: null, label: "predicted class", value: "" }]
		: [];
	return [...anything, ...best, ...begin, ...contain].slice(0, SHOWN);
}

function matches(target: number, label: string, needle: string): boolean {
	return label.toLowerCase().includes(needle) || String(target) === needle;
}
