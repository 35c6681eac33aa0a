import { fixed, percent } from "../format";

/** The score by the model and by its linear model, of the whole input and of the edited one. */
export function EditTable(props: {
	score: string;
	decimals: number;
	whole: { model: number | null; surrogate: number };
	edited: { model: number | null; surrogate: number };
	off: number;
	/** What the model says of the edited input besides its score. */
	best: { name: string; share: number | null } | null;
	/** Nobody answers for the model. */
	offline: boolean;
	onReset: () => void;
}) {
	const { score, decimals, whole, edited, off, best, offline, onReset } = props;
	const number = (value: number | null, otherwise: string) =>
		value === null ? otherwise : fixed(value, decimals);
	const waiting = offline ? "needs a kernel" : "…";
	const row = (name: string, one: number | null, other: number | null) => (
		<tr>
			<th scope="row">{name}</th>
			<td class="xai-figure">{number(one, "")}</td>
			<td class="xai-figure">{off > 0 && number(other, waiting)}</td>
		</tr>
	);
	return (
		<div class="xai-edit">
			<table>
				<thead>
					<tr>
						<th scope="col">{score}</th>
						<th scope="col">whole</th>
						<th scope="col">{off > 0 ? `${off} off` : "edited"}</th>
					</tr>
				</thead>
				<tbody>
					{row("model", whole.model, edited.model)}
					{row("linear model", whole.surrogate, edited.surrogate)}
				</tbody>
			</table>
			<p>
				{off === 0
					? "Click a part, or press Enter on it, to switch it off."
					: best &&
						`It is now most likely ${best.name}${best.share === null ? "" : `, ${percent(best.share)}`}.`}
			</p>
			<button type="button" aria-disabled={off === 0} onClick={() => off > 0 && onReset()}>
				Switch all on
			</button>
		</div>
	);
}
