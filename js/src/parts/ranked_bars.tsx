import { fixed, sharedDecimals } from "../format";
import { moveAmong } from "../keys";
import { barColour, type Table } from "../paint";
import type { Player } from "../players";
import type { Sign } from "../state";

export interface RankedBar extends Player {
	value: number;
	/** Its standard error; null where it is not known. */
	error: number | null;
	on: boolean;
}

/**
 * Weights as signed bars with their standard errors, the strongest first. Each is a switch, and lights what it stands
 * for: one stop of the Tab key, arrows from one to the next.
 */
export function RankedBars(props: {
	bars: RankedBar[];
	/** How many there are besides, and the sum of their weights. */
	others: { count: number; sum: number };
	table: Table;
	sign: Sign;
	lit: number | null;
	sentence: string;
	onLit: (player: number | null) => void;
	onToggle: (player: number) => void;
}) {
	const { bars, others, table, sign, lit, sentence, onLit, onToggle } = props;
	const ends = bars.flatMap(({ value, error }) => [value - (error ?? 0), value + (error ?? 0)]);
	const low = Math.min(0, others.sum, ...ends);
	const high = Math.max(0, others.sum, ...ends);
	const decimals = sharedDecimals([low, high]);
	const share = (value: number) => `${(100 * value) / (high - low || 1)}%`;
	const leave = () => onLit(null);
	const stop = bars.some(({ number }) => number === lit) ? lit : bars[0]?.number;

	const track = (value: number, error: number | null) => (
		<span class="xai-bar-track">
			<span
				style={{
					insetInlineStart: share(Math.min(value, 0) - low),
					inlineSize: share(Math.abs(value)),
					background: barColour(table, sign, value),
				}}
			/>
			{error !== null && error > 0 && (
				<i style={{ insetInlineStart: share(value - error - low), inlineSize: share(2 * error) }} />
			)}
		</span>
	);

	return (
		<div class="xai-bars xai-ranked" role="group" aria-label={sentence} onKeyDown={moveAmong}>
			{bars.map(({ number, label, text, value, error, on }) => (
				<button
					key={number}
					type="button"
					role="switch"
					aria-checked={on}
					class={number === lit ? "xai-bar xai-lit" : "xai-bar"}
					tabIndex={number === stop ? 0 : -1}
					onClick={() => onToggle(number)}
					onFocus={() => onLit(number)}
					onBlur={leave}
					onPointerEnter={() => onLit(number)}
					onPointerLeave={leave}
				>
					<span class="xai-bar-label" title={label}>
						{label}
					</span>
					<span class="xai-bar-text">{text}</span>
					{track(value, error)}
					<span class="xai-figure">
						{fixed(value, decimals)}
						<small>{error === null ? "" : ` ± ${fixed(error, decimals)}`}</small>
					</span>
				</button>
			))}
			{others.count > 0 && (
				<div class="xai-bar xai-others">
					<span class="xai-bar-label">{others.count} others</span>
					<span class="xai-bar-text">summed</span>
					{track(others.sum, null)}
					<span class="xai-figure">{fixed(others.sum, decimals)}</span>
				</div>
			)}
		</div>
	);
}
