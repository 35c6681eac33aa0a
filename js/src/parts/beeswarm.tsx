import { signed, significant } from "../format";
import { useLayoutEffect, useMemo, useRef, useState } from "../hooks";
import { moveAmong } from "../keys";
import type { Link } from "../link";
import type { Explaineds } from "../shapley";
import type { Order } from "../state";
import { type Dot, dotsOf, nearest, neighbour, RADIUS, ROW, rowsOf } from "../swarm";
import { FeatureButton } from "./feature_button";
import { useWidth } from "./use_width";

/** The values of all samples, a row for each feature: a dot for each sample, coloured by the feature. */
export function Beeswarm(props: {
	swarm: Explaineds;
	labels: string[];
	order: Order;
	top: number;
	/** The sample that is shown. */
	sample: number;
	label: string;
	link: Link;
	onSample: (sample: number) => void;
}) {
	const { swarm, labels, order, top, sample, label, link, onSample } = props;
	const place = useRef<HTMLDivElement>(null);
	const canvas = useRef<HTMLCanvasElement>(null);
	const width = useWidth(place);
	const [point, setPoint] = useState<Dot | null>(null);
	const rows = useMemo(() => rowsOf(swarm, labels, order, top), [swarm, labels, order, top]);
	const height = ROW * rows.length;
	const [low, high] = useMemo(() => {
		const all = rows.flatMap(({ values }) => Array.from(values));
		return [Math.min(0, ...all), Math.max(0, ...all)];
	}, [rows]);
	const xOf = (value: number) => RADIUS + 1 + ((width - 2 * RADIUS - 2) * (value - low)) / (high - low || 1);
	const dots = useMemo(
		() => (width > 0 ? rows.map((row, i) => dotsOf(row.values, i, xOf)) : []),
		[rows, width, low, high],
	);

	useLayoutEffect(() => {
		const context = canvas.current?.getContext("2d");
		if (!context || width === 0) return;
		const sharp = devicePixelRatio || 1;
		context.canvas.width = Math.round(width * sharp);
		context.canvas.height = Math.round(height * sharp);
		context.scale(sharp, sharp);
		for (const row of dots) {
			for (const { row: which, at, x, y } of row) {
				context.beginPath();
				context.arc(x, y, RADIUS, 0, 2 * Math.PI);
				context.fillStyle = rows[which].colour(at);
				context.fill();
			}
		}
	}, [rows, dots, width, height]);

	const tell = (dot: Dot | null) => {
		setPoint(dot);
		if (!dot) return link.onLit(null);
		const { label, feature, data, values } = rows[dot.row];
		const own = data ? ` = ${significant(data[dot.at], 4)}` : "";
		const text = `sample ${swarm.samples[dot.at] + 1}  ${label}${own}  ${signed(values[dot.at], 4)}`;
		link.onLit({ feature, text });
	};
	const under = (event: PointerEvent | MouseEvent) => {
		const box = (event.currentTarget as Element).getBoundingClientRect();
		return nearest(dots, event.clientX - box.left, event.clientY - box.top);
	};
	const choose = (dot: Dot | null) => dot && onSample(swarm.samples[dot.at]);
	const shown = swarm.samples.indexOf(sample);
	const press = (event: KeyboardEvent) => {
		if (event.key === "Enter" || event.key === " ") choose(point);
		else if (!event.key.startsWith("Arrow")) return;
		else tell(neighbour(dots, point ?? dots[0]?.[Math.max(shown, 0)], event.key, !point) ?? point);
		event.preventDefault();
	};
	const stop = Math.max(
		0,
		rows.findIndex(({ feature }) => feature === link.pinned),
	);
	const rings = shown < 0 ? [] : dots.map((row) => row[shown]);

	return (
		<div class="xai-swarm" role="group" aria-label={label}>
			<div class="xai-swarm-names" role="group" aria-label="Features" onKeyDown={moveAmong}>
				{rows.map((row, i) => (
					<FeatureButton
						key={row.feature ?? "others"}
						class="xai-swarm-name"
						part={{ ...row, text: "", value: row.mean, error: null, of: "mean magnitude " }}
						stop={i === stop}
						link={link}
					>
						<span>{row.label}</span>
					</FeatureButton>
				))}
			</div>
			<div
				ref={place}
				class="xai-swarm-dots"
				style={{ blockSize: `${height}px` }}
				role="application"
				aria-label="Sample in the beeswarm"
				// biome-ignore lint/a11y/noNoninteractiveTabindex: arrow keys move from dot to dot.
				tabIndex={0}
				onKeyDown={press}
				onBlur={() => tell(null)}
			>
				{rows.map(({ feature }) => (
					<i
						key={feature ?? "others"}
						class={feature !== null && feature === (link.lit ?? link.pinned) ? "xai-lit" : ""}
					/>
				))}
				<b style={{ insetInlineStart: `${xOf(0)}px` }} />
				<canvas
					ref={canvas}
					role="img"
					aria-label={label}
					onPointerMove={(event) => tell(under(event))}
					onPointerLeave={() => tell(null)}
					onClick={(event) => choose(under(event))}
				/>
				{rings.map((dot) => dot && <span key={dot.row} style={{ left: `${dot.x}px`, top: `${dot.y}px` }} />)}
				{point && (
					<span class="xai-here" style={{ left: `${point.x}px`, top: `${point.y}px` }} aria-hidden="true" />
				)}
			</div>
			<p class="xai-swarm-axis" aria-hidden="true">
				feature low <i /> high
			</p>
			<p class="xai-swarm-axis xai-figure" aria-hidden="true">
				<span>{signed(low, 3)}</span>
				<span>{signed(high, 3)}</span>
			</p>
		</div>
	);
}
