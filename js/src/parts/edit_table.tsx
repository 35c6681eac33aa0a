import { fixed, percent } from "../format";
import type { Edited, Empty, Predictions } from "../state";
import { Table } from "./table";

/** The score by the model and by its linear model, of the whole input and of the edited one. */
export function EditTable(props: {
	score: string;
	decimals: number;
	whole: { model: number | null; surrogate: number };
	edited: { model: number | null; surrogate: number };
	off: number;
	/** What the model says of the edited input besides its score. */
	best: Edited["best"];
	names: string[];
	/** Nobody answers for the model. */
	offline: boolean;
	onReset: () => void;
}) {
	const { score, decimals, whole, edited, off, best, names, offline, onReset } = props;
	const number = (value: number | null, otherwise: string) =>
		value === null ? otherwise : fixed(value, decimals);
	const waiting = offline ? "needs a kernel" : "…";
	const row = (name: string, one: number | null, other: number | null) => ({
		name,
		cells: [number(one, ""), off > 0 && number(other, waiting)].map((text) => ({ text })),
	});
	return (
		<div class="xai-edit">
			<Table
				label="Scores of the whole and of what is left"
				heads={[score, "whole", off > 0 ? `${off} off` : "edited"]}
				rows={[
					row("model", whole.model, edited.model),
					row("linear model", whole.surrogate, edited.surrogate),
				]}
			/>
			<p>
				{off === 0
					? "Click a part, or press Enter on it, to switch it off."
					: isTold(best) && bestOf(best, names)}
			</p>
			<button type="button" aria-disabled={off === 0} onClick={() => off > 0 && onReset()}>
				Switch all on
			</button>
		</div>
	);
}

function isTold(best: Predictions | Empty | undefined): best is Predictions {
	return best !== undefined && "count" in best && best.count > 1 && best.classes.length > 0;
}

function bestOf({ kind, classes, values }: Predictions, names: string[]): string {
	const name = names[classes[0]] ?? `class ${classes[0]}`;
	return `It is now most likely ${name}${kind === "probability" ? `, ${percent(values[0])}` : ""}.`;
}
