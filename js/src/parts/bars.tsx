import type { Bar } from "../bars";
import { fixed, sharedDecimals } from "../format";
import { barColour, type Table } from "../paint";
import type { Sign } from "../state";

/** Attributions of named features, as signed bars from a common zero; pending, only the names and their values. */
export function Bars(props: { bars: Bar[]; pending: boolean; table: Table; sign: Sign; sentence: string }) {
	const { bars, pending, table, sign, sentence } = props;
	const low = Math.min(0, ...bars.map(({ value }) => value));
	const high = Math.max(0, ...bars.map(({ value }) => value));
	const decimals = sharedDecimals([low, high]);
	const share = (value: number) => `${(100 * value) / (high - low || 1)}%`;
	return (
		<div class="xai-bars" role="img" aria-label={sentence}>
			{bars.map(({ label, text, value }) => (
				<div key={label} class="xai-bar">
					<span class="xai-bar-label" title={label}>
						{label}
					</span>
					<span class="xai-figure xai-bar-text">{text}</span>
					<span class="xai-bar-track">
						<span
							style={{
								insetInlineStart: share(Math.min(value, 0) - low),
								inlineSize: share(Math.abs(value)),
								background: barColour(table, sign, value),
							}}
						/>
					</span>
					<span class="xai-figure">{!pending && fixed(value, decimals)}</span>
				</div>
			))}
		</div>
	);
}
