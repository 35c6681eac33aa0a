import type { Choice, Schema } from "./state";

/** Moves from one choice to another; whoever comes back finds the values as they were left. */
export type Switch = (from: Choice, to: Schema) => Choice;

export function createSwitch(): Switch {
	const left = new Map<string, Choice>();
	return (from, to) => {
		left.set(from.name, from);
		return left.get(to.name) ?? defaults(to);
	};
}

function defaults({ name, fields }: Schema): Choice {
	return { name, ...Object.fromEntries(fields.map((field) => [field.name, field.default])) };
}
