import { fixed, sharedDecimals } from "../format";
import { moveAmong } from "../keys";
import type { Link } from "../link";
import { barColour, type Table } from "../paint";
import { type Explained, forces, type Part } from "../shapley";
import { FeatureButton } from "./feature_button";

/** One line: what pushes the score up, from the left, against what pushes it down, from the right. */
export function Force(props: { row: Explained; parts: Part[]; table: Table; label: string; link: Link }) {
	const { row, parts, table, label, link } = props;
	const placed = forces(row.score, parts);
	const low = Math.min(row.base, row.score, ...placed.map((one) => one.low));
	const high = Math.max(row.base, row.score, ...placed.map((one) => one.high));
	const decimals = sharedDecimals([low, high, high - low]);
	const share = (value: number) => (100 * (value - low)) / (high - low || 1);
	const stop = placed.find(({ part }) => part.feature === link.pinned)?.part ?? placed[0]?.part;

	const mark = (name: string, value: number) => (
		<p class="xai-mark">
			{/* As far to the left of its place as it is along the line: it never leaves the widget. */}
			<span style={{ insetInlineStart: `${share(value)}%`, translate: `${-share(value)}%` }}>
				{name} <b class="xai-figure">{fixed(value, decimals)}</b>
			</span>
			<i style={{ insetInlineStart: `${share(value)}%` }} />
		</p>
	);
	return (
		<div class="xai-force" role="group" aria-label={label} onKeyDown={moveAmong}>
			{mark(row.based ? "base value" : "base value unknown:", row.base)}
			{mark("score", row.score)}
			<div class="xai-pushes">
				{placed.map(({ part, low: from, high: to }) => (
					<FeatureButton
						key={part.feature ?? `${part.label} ${part.value > 0}`}
						class={part.value > 0 ? "xai-up" : "xai-down"}
						part={part}
						stop={part === stop}
						link={link}
						style={{
							insetInlineStart: `${share(from)}%`,
							inlineSize: `${share(to) - share(from)}%`,
							"--xai-push": part.feature === null ? undefined : barColour(table, "both", part.value),
						}}
					>
						<span>{part.label}</span>
					</FeatureButton>
				))}
			</div>
		</div>
	);
}
