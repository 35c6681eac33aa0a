import { fixed, sharedDecimals } from "../format";
import { type Link, moveAmong } from "../link";
import { barColour, type Table } from "../paint";
import { type Explained, forces, type Part } from "../shapley";
import { FeatureButton } from "./feature_button";

/** The band in units of its own: it is as wide as the widget lets it be. */
const WIDTH = 1000;
const HEIGHT = 20;
const HEAD = 8;

/** One line: what pushes the score up, from the left, against what pushes it down, from the right. */
export function Force(props: {
	row: Explained;
	parts: Part[];
	table: Table;
	pending: boolean;
	label: string;
	link: Link;
}) {
	const { row, parts, table, pending, label, link } = props;
	const placed = forces(row.score, parts);
	const low = Math.min(row.base, row.score, ...placed.map((one) => one.low));
	const high = Math.max(row.base, row.score, ...placed.map((one) => one.high));
	const decimals = sharedDecimals([low, high, high - low]);
	const share = (value: number) => (100 * (value - low)) / (high - low || 1);
	const stop = placed.find(({ part }) => part.feature === link.pinned)?.part ?? placed[0]?.part;

	const mark = (name: string, value: number, aside: string) => (
		<p class={`xai-mark xai-mark-${aside}`}>
			{/* As far to the left of its place as it is along the line: it never leaves the widget. */}
			<span style={{ insetInlineStart: `${share(value)}%`, translate: `${-share(value)}%` }}>
				{name} <b class="xai-figure">{pending ? "" : fixed(value, decimals)}</b>
			</span>
			<i style={{ insetInlineStart: `${share(value)}%` }} />
		</p>
	);
	return (
		<div class="xai-force" role="group" aria-label={label} onKeyDown={moveAmong}>
			{mark("score", row.score, "score")}
			<svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
				{placed.map(({ part, low: from, high: to }) => (
					<polygon
						key={part.feature ?? `${part.label} ${part.value > 0}`}
						points={chevron(10 * share(from), 10 * share(to), part.value > 0)}
						fill={part.feature === null ? "transparent" : barColour(table, "both", part.value)}
					/>
				))}
			</svg>
			{placed.map(({ part, low: from, high: to }) => (
				<FeatureButton
					key={part.feature ?? `${part.label} ${part.value > 0}`}
					class="xai-push"
					part={part}
					stop={part === stop}
					all={row.values}
					link={link}
					style={{ insetInlineStart: `${share(from)}%`, inlineSize: `${share(to) - share(from)}%` }}
				>
					<span>{part.label}</span>
				</FeatureButton>
			))}
			{mark(row.based ? "base value" : "base value unknown, from", row.base, "base")}
		</div>
	);
}

/** A push: its head points where it pushes, its tail makes room for the one behind. */
function chevron(from: number, to: number, up: boolean): string {
	const head = Math.min(HEAD, to - from);
	const middle = HEIGHT / 2;
	const points = up
		? [
				[from, 0],
				[to - head, 0],
				[to, middle],
				[to - head, HEIGHT],
				[from, HEIGHT],
				[from + head, middle],
			] // prettier-ignore
		: [
				[to, 0],
				[from + head, 0],
				[from, middle],
				[from + head, HEIGHT],
				[to, HEIGHT],
				[to - head, middle],
			];
	return points.map(([x, y]) => `${x.toFixed(2)},${y}`).join(" ");
}
