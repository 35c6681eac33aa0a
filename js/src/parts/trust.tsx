import type { ComponentChildren } from "preact";
import { fixed, percent, scoreDecimals } from "../format";
import type { Card, Frame } from "../state";

/** What the map claims, in numbers, and how far the claim holds. */
export function Trust(props: {
	frame: Frame | null;
	/** Above what is said of every map, and below. */
	children?: ComponentChildren;
	below?: ComponentChildren;
}) {
	const { frame, children, below } = props;
	return (
		<section class="xai-trust">
			<p class="xai-title">Can I trust it?</p>
			{children}
			{frame ? (
				<Claims card={frame.card} below={below} />
			) : (
				<p class="xai-quiet">The numbers come with the first map.</p>
			)}
		</section>
	);
}

function Claims({ card, below }: { card: Card; below: ComponentChildren }) {
	const { score, baseline_score, sum, residual, change, passes, total, seconds } = card;
	const decimals = scoreDecimals(card);
	const number = (value: number | null) => (value === null ? null : fixed(value, decimals));
	const difference = score === null || baseline_score === null ? null : score - baseline_score;
	const missing = residual === null || !difference ? null : Math.abs(residual / difference);
	return (
		<>
			<dl>
				<Row term="score" aside={card.score_name} value={number(score)} />
				<Row term="baseline" aside={card.baseline_name} value={number(baseline_score)} />
				<Row term="sum of the map" value={number(sum)} />
				<Row term="residual" aside={missing === null ? "" : percent(missing)} value={number(residual)} />
			</dl>
			{missing !== null && <Gauge share={Math.min(Math.max(1 - missing, 0), 1)} />}
			<dl>
				<Row term="still changing" value={change === null ? null : percent(change)} />
				<Row
					term="passes"
					value={passes === null ? null : total === null ? `${passes}` : `${passes} of ${total}`}
				/>
				<Row term="time" value={seconds === null ? null : `${fixed(seconds, 1)} s`} />
			</dl>
			{below}
			{card.notes.map((note) => (
				<p key={note} class="xai-note">
					{note}
				</p>
			))}
			{card.conventions.map((convention) => (
				<p key={convention} class="xai-note xai-convention">
					{convention}
				</p>
			))}
		</>
	);
}

export function Row(props: { term: string; aside?: string; value: string | null }) {
	if (props.value === null) return null;
	return (
		<div class="xai-row">
			<dt>
				{props.term}
				{props.aside && <small> {props.aside}</small>}
			</dt>
			<dd class="xai-figure">{props.value}</dd>
		</div>
	);
}

/** Under nine tenths the map misses so much that its colour says so too. */
const CLOSE = 0.9;

function Gauge({ share }: { share: number }) {
	return (
		<div
			class={share < CLOSE ? "xai-gauge xai-short" : "xai-gauge"}
			role="meter"
			aria-label="Share of the difference in the map"
			aria-valuemin={0}
			aria-valuemax={100}
			aria-valuenow={Math.round(100 * share)}
			aria-valuetext={percent(share)}
		>
			<span style={{ inlineSize: `${100 * share}%` }} />
		</div>
	);
}
