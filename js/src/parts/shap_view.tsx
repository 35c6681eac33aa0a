import { useMemo, useState } from "preact/hooks";
import { decodeTable } from "../buffers";
import { signed } from "../format";
import { isFeatures } from "../inputs";
import type { Lit } from "../link";
import type { Session } from "../model";
import { type Explained, partsOf, readRow, readSwarm, rowOf, sum } from "../shapley";
import type { Chart, Frame, SHAPState } from "../state";
import { Beeswarm } from "./beeswarm";
import { FeatureControls } from "./feature_controls";
import { Force } from "./force";
import { Segmented } from "./segmented";
import { frameOf, Shell } from "./shell";
import { Stage } from "./stage";
import { Waterfall } from "./waterfall";

const CHARTS: Chart[] = ["waterfall", "force", "beeswarm", "bars", "all"];
const HINT = "Point at a feature or focus it to read it; a click keeps it lit.";

/** The SHAP widget: a map over a picture, or charts of a table that light the same feature. */
export function SHAPView(session: Session<SHAPState>) {
	const { state, kernel, compute, show } = session;
	const [input] = state._pictures.value;
	const labels = input && isFeatures(input) ? input.labels : NOBODY;
	const texts = input && isFeatures(input) ? input.texts : NOBODY;
	const [lit, setLit] = useState<Lit | null>(null);
	const [pinned, setPinned] = useState<number | null>(null);
	const told = useMemo(() => readRow(state._row.value, texts), [state._row.value, texts]);
	const swarm = useMemo(
		() => readSwarm(state._swarm.value, labels.length),
		[state._swarm.value, labels.length],
	);
	const index = state.index.value;
	const target = state.target.value;
	const live = kernel.value === "live";
	const frame = frameOf(state.frame.value);
	const beside = useMemo(() => {
		const known = swarm && told && told.sample !== index && (!live || target === swarm.target);
		return known ? rowOf(swarm, index) : null;
	}, [swarm, told, index, live, target]);
	const data = state._tables.value[state.colormap.value] ?? Object.values(state._tables.value)[0];
	const table = useMemo(() => data && { diverging: data.diverging, colours: decodeTable(data) }, [data]);

	const choose = (sample: number) => {
		if (!swarm || sample === index) return;
		// The dots are of one class: the next sample is explained for the same.
		const same = target === null && swarm.target !== null ? { target: swarm.target } : {};
		if (live) compute({ index: sample, ...same });
		else show({ index: sample });
	};
	const step = (to: number) => {
		const there = swarm?.samples.filter((sample) => (to > index ? sample >= to : sample <= to)) ?? [];
		const sample = to > index ? Math.min(...there) : Math.max(...there);
		if (Number.isFinite(sample)) choose(sample);
	};
	const known = swarm !== null && swarm.samples.length > 1;

	if (!swarm) {
		return (
			<Shell session={session} name="shap">
				<Stage state={state} frame={frame} onShow={show} />
			</Shell>
		);
	}
	const row = beside ?? told ?? nothingYet(labels.length, texts);
	const order = state.order.value;
	const top = state.top.value;
	const { parts, apart } = partsOf(row, { labels }, order, top);
	const chart = swarm.total > 1 || state.chart.value !== "beeswarm" ? state.chart.value : "waterfall";
	const drawn = (one: Chart) => chart === one || (chart === "all" && one !== "bars");
	const pending = row.sample < 0;
	const sentence = beside
		? sentenceOf(beside, labels, pinnedOrStrongest(beside))
		: (frame?.sentence ?? "No values yet");
	const error = state.error.value;
	const link = {
		...{ lit: lit ? lit.feature : null, pinned, onLit: setLit },
		onPin: (feature: number) => setPinned(feature === pinned ? null : feature),
	};
	const shared = { row, table, pending, link };

	return (
		<Shell
			session={session}
			name="shap"
			frame={frame && beside && !live ? besideFrame(frame, beside, sentence) : frame}
			onIndex={live || !known ? undefined : step}
			choices={<FeatureControls order={order} top={top} count={labels.length} onChange={show} />}
		>
			<div class="xai-stage">
				<div class="xai-tools">
					<Segmented
						label="Chart"
						options={CHARTS.filter((one) => swarm.total > 1 || one !== "beeswarm").map((value) => ({
							value,
							label: value,
						}))}
						value={chart}
						onChange={(value) => show({ chart: value })}
					/>
				</div>
				<p class="xai-readout-line xai-figure">{lit ? lit.text : HINT}</p>
				{error && (
					<p class="xai-error" role="alert">
						{error}
					</p>
				)}
				{table && (
					<div class={error || state.phase.value === "tracing" ? "xai-charts xai-last-good" : "xai-charts"}>
						{drawn("waterfall") && (
							<Waterfall {...shared} parts={parts} stacked label={`Waterfall. ${sentence}`} />
						)}
						{chart === "bars" && (
							<Waterfall {...shared} parts={parts} stacked={false} label={`Bars. ${sentence}`} />
						)}
						{drawn("force") && <Force {...shared} parts={apart} label={`Force plot. ${sentence}`} />}
						{drawn("beeswarm") && swarm.total > 1 && (
							<figure>
								<figcaption>{captionOf(swarm)}</figcaption>
								{swarm.samples.length > 0 && (
									<Beeswarm
										{...{ swarm, labels, order, top, link }}
										sample={row.sample}
										label={`Beeswarm. ${captionOf(swarm)}`}
										onSample={choose}
									/>
								)}
							</figure>
						)}
					</div>
				)}
			</div>
		</Shell>
	);
}

const NOBODY: string[] = [];

function nothingYet(width: number, texts: string[]): Explained {
	const values = new Float64Array(width);
	return {
		...{ sample: -1, target: "", base: 0, based: true, score: 0, residual: null, error: null },
		values,
		texts,
	};
}

function captionOf({ samples, count, total, method, targetName }: NonNullable<ReturnType<typeof readSwarm>>) {
	if (count === 0) return "The other samples are explained after this one.";
	const all = total > count ? `${count} of ${total} samples, evenly chosen` : `all ${total} samples`;
	const so = samples.length < count ? `${samples.length} so far of ${all}` : all;
	return `${so[0].toUpperCase()}${so.slice(1)} by ${method}, for “${targetName}”. A click on a dot chooses its sample.`;
}

function pinnedOrStrongest({ values }: Explained): number {
	return values.reduce((best, value, i) => (Math.abs(value) > Math.abs(values[best]) ? i : best), 0);
}

function sentenceOf({ values, target, base, score }: Explained, labels: string[], strongest: number): string {
	const most = `${labels[strongest]} counts most, with ${signed(values[strongest], 3)}.`;
	return `From ${signed(base, 3)} to ${signed(score, 3)} for “${target}”; ${most}`;
}

/** The card of a sample that Python was not asked about. */
function besideFrame(frame: Frame, row: Explained, sentence: string): Frame {
	const { score, residual, values, based, base } = row;
	const unknown = { change: null, passes: null, total: null, seconds: null };
	const numbers = { score, residual, baseline_score: based ? base : null, sum: sum(values) };
	return { ...frame, sentence, path: null, card: { ...frame.card, ...numbers, ...unknown, notes: [] } };
}
