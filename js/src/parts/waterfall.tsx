import { fixed, sharedDecimals } from "../format";
import { moveAmong } from "../keys";
import type { Link } from "../link";
import { barColour, type Table } from "../paint";
import { type Explained, type Part, ways } from "../shapley";
import { FeatureButton } from "./feature_button";

/** From the base value at the foot to the score at the head, feature by feature; or each from a common zero. */
export function Waterfall(props: {
	row: Explained;
	parts: Part[];
	table: Table;
	/** Whether each part starts where the last one ended. */
	stacked: boolean;
	label: string;
	link: Link;
}) {
	const { row, parts, table, stacked, label, link } = props;
	const spans = stacked ? ways(row.score, parts) : parts.map(({ value }) => ({ from: 0, to: value }));
	const ends = [...spans.flatMap(({ from, to }) => [from, to]), ...(stacked ? [row.score, row.base] : [0])];
	const low = Math.min(...ends);
	const high = Math.max(...ends);
	const decimals = sharedDecimals([...ends, high - low]);
	const share = (value: number) => `${(100 * value) / (high - low || 1)}%`;
	const stop = parts.find(({ feature }) => feature === link.pinned)?.feature ?? parts[0]?.feature;

	const end = (name: string, aside: string, value: number, known: boolean) => (
		<div class="xai-bar xai-end">
			<span class="xai-bar-label">
				{name} <small>{aside}</small>
			</span>
			<span />
			<span class="xai-bar-track">
				<i style={{ insetInlineStart: share(value - low) }} />
			</span>
			<span class="xai-figure">{known ? fixed(value, decimals) : "unknown"}</span>
		</div>
	);
	return (
		<div
			class={stacked ? "xai-bars xai-waterfall" : "xai-bars xai-plain"}
			role="group"
			aria-label={label}
			onKeyDown={moveAmong}
		>
			{stacked && end("score", "f(x)", row.score, true)}
			{parts.map((part, i) => {
				const { from, to } = spans[i];
				return (
					<FeatureButton
						key={part.feature ?? part.label}
						class="xai-bar"
						part={part}
						stop={part.feature === stop}
						link={link}
					>
						<span class="xai-bar-label">{part.label}</span>
						<span class="xai-figure xai-bar-text">{part.text}</span>
						<span class="xai-bar-track">
							<span
								style={{
									insetInlineStart: share(Math.min(from, to) - low),
									inlineSize: share(Math.abs(part.value)),
									background: part.feature === null ? undefined : barColour(table, "both", part.value),
								}}
							/>
							{stacked && <i class="xai-join" style={{ insetInlineStart: share(to - low) }} />}
						</span>
						<span class="xai-figure">{(part.value > 0 ? "+" : "") + fixed(part.value, decimals)}</span>
					</FeatureButton>
				);
			})}
			{stacked && end("base value", "E[f(x)]", row.base, row.based)}
		</div>
	);
}
