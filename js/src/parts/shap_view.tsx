import { useMemo, useState } from "../hooks";
import { isFeatures } from "../inputs";
import type { Lit } from "../link";
import type { Session } from "../model";
import { partsOf, readSwarm, rowOf } from "../shapley";
import type { Chart, SHAPState } from "../state";
import { useTable } from "../use_table";
import { besideFrame, captionOf, sentenceOf } from "../words";
import { Beeswarm } from "./beeswarm";
import { FeatureControls } from "./feature_controls";
import { Force } from "./force";
import { Segmented } from "./segmented";
import { frameOf, Shell } from "./shell";
import { Waterfall } from "./waterfall";

const CHARTS: Chart[] = ["waterfall", "force", "beeswarm", "bars", "all"];
const HINT = "Point at a feature or focus it to read it; a click keeps it lit.";

/** The SHAP widget of a table: charts that light the same feature. Of pictures it is the saliency view. */
export function SHAPView(session: Session<SHAPState>) {
	const { state, kernel, compute, show } = session;
	const [input] = state._pictures.value;
	const labels = input && isFeatures(input) ? input.labels : NOBODY;
	const [lit, setLit] = useState<Lit | null>(null);
	const [pinned, setPinned] = useState<number | null>(null);
	const told = useMemo(() => {
		const one = readSwarm(state._row.value, labels.length);
		return one && rowOf(one, one.samples[0]);
	}, [state._row.value, labels.length]);
	const swarm = useMemo(
		() => readSwarm(state._swarm.value, labels.length),
		[state._swarm.value, labels.length],
	);
	const index = state.index.value;
	const target = state.target.value;
	const live = kernel.value === "live";
	const { method } = state._row.value;
	const frame = frameOf(state.frame.value);
	const beside = useMemo(() => {
		const alike = swarm && told && told.sample !== index && method === swarm.told.method;
		return alike && (!live || target === swarm.told.target) ? rowOf(swarm, index) : null;
	}, [swarm, told, index, live, target, method]);
	const table = useTable(state);

	const choose = (sample: number) => {
		if (!swarm || sample === index) return;
		// The dots are of one class: the next sample is explained for the same.
		const same = target === null && swarm.told.target != null ? { target: swarm.told.target } : {};
		if (live) compute({ index: sample, ...same });
		else show({ index: sample });
	};
	const step = (to: number) => {
		const there = swarm?.samples.filter((sample) => (to > index ? sample >= to : sample <= to)) ?? [];
		const sample = to > index ? Math.min(...there) : Math.max(...there);
		if (Number.isFinite(sample)) choose(sample);
	};
	const known = swarm !== null && swarm.samples.length > 1;

	const row = beside ?? told;
	const error = state.error.value;
	if (!swarm || !row || !table) {
		return (
			<Shell session={session} name="shap">
				<div class="xai-stage">
					<div class="xai-placeholder" role="img" aria-label="No values yet" />
					{error && <Failure error={error} />}
				</div>
			</Shell>
		);
	}
	const order = state.order.value;
	const top = state.top.value;
	const { parts, apart } = partsOf(row, { labels }, order, top);
	const chart = state.chart.value;
	const drawn = (one: Chart) => chart === one || (chart === "all" && one !== "bars");
	const sentence = beside ? sentenceOf(beside, labels, swarm.told.target_name) : (frame?.sentence ?? "");
	const link = {
		...{ lit: lit ? lit.feature : null, pinned, onLit: setLit },
		onPin: (feature: number) => setPinned(feature === pinned ? null : feature),
	};
	const shared = { row, table, link };

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
						options={CHARTS.map((value) => ({ value, label: value }))}
						value={chart}
						onChange={(value) => show({ chart: value })}
					/>
				</div>
				<p class="xai-readout-line xai-figure">{lit ? lit.text : HINT}</p>
				{error && <Failure error={error} />}
				<div class={`xai-charts ${error || state.phase.value === "tracing" ? "xai-last-good" : ""}`}>
					{drawn("waterfall") && (
						<Waterfall {...shared} parts={parts} stacked label={`Waterfall. ${sentence}`} />
					)}
					{chart === "bars" && (
						<Waterfall {...shared} parts={parts} stacked={false} label={`Bars. ${sentence}`} />
					)}
					{drawn("force") && <Force {...shared} parts={apart} label={`Force plot. ${sentence}`} />}
					{drawn("beeswarm") && (
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
			</div>
		</Shell>
	);
}

const NOBODY: string[] = [];

function Failure({ error }: { error: string }) {
	return (
		<p class="xai-error" role="alert">
			{error}
		</p>
	);
}
