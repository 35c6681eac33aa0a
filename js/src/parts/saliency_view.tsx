import { useMemo, useState } from "preact/hooks";
import { topBars } from "../bars";
import { decodeArray, decodeGrey, decodeTable } from "../buffers";
import type { Session } from "../model";
import { colourScale, type Raster, sortedMagnitudes } from "../paint";
import { createSwitch } from "../recall";
import type { Empty, Features, Frame, Picture, SaliencyState, Sample, Sign } from "../state";
import { Bars } from "./bars";
import { DisplayControls, MethodControls } from "./controls";
import { Header } from "./header";
import { Legend } from "./legend";
import { MapView } from "./map";
import { Segmented } from "./segmented";
import { Trust } from "./trust";

const SIGNS: Sign[] = ["both", "positive", "negative", "absolute"];
const BEFORE_THE_FIRST_MAP = "No map yet";
const NO_KERNEL = "No kernel: run the cell again; display controls still work";
const SAVED_PAGE = "Saved page: display controls work, computing needs a kernel";

/** The saliency widget: what do I see, what did I choose, can I trust it. */
export function SaliencyView({ state, kernel, compute, show }: Session) {
	const method = state.method.value;
	const { methods, baselines } = state._schema.value;
	const schema = methods.find(({ name }) => name === method.name);
	const [changeMethod] = useState(createSwitch);
	const [changeBaseline] = useState(createSwitch);
	const offline = kernel.value === "saved page";
	const frame = frameOf(state.frame.value);

	return (
		<div class="xai xai-saliency" role="group" aria-label={state._title.value}>
			<Progress phase={state.phase.value} frame={frame} />
			<fieldset disabled={offline}>
				<Header
					methods={methods}
					method={method.name}
					target={state.target.value}
					index={state.index.value}
					samples={state._samples.value}
					names={state._names.value}
					predictions={state._predictions.value}
					onMethod={(to) => compute({ method: changeMethod(method, to) })}
					onTarget={(target) => compute({ target })}
					onIndex={(index) => compute({ index })}
				/>
			</fieldset>
			<div class="xai-columns">
				<Stage state={state} frame={frame} onSign={(sign) => show({ sign })} />
				<div class="xai-controls">
					{offline && <p class="xai-note">{SAVED_PAGE}</p>}
					{state._refused.value && (
						<p class="xai-note" role="alert">
							{state._refused.value}
						</p>
					)}
					{schema && (
						<fieldset disabled={offline}>
							<MethodControls
								key={schema.name}
								schema={schema}
								method={method}
								baselines={{ schemas: baselines, change: changeBaseline }}
								onChange={(changed) => compute({ method: changed })}
							/>
						</fieldset>
					)}
					<DisplayControls
						display={{
							opacity: state.opacity.value,
							colormap: state.colormap.value,
							sign: state.sign.value,
							clip: state.clip.value,
						}}
						tables={Object.keys(state._tables.value)}
						overlay={!isFeatures(state._picture.value)}
						onChange={show}
					/>
				</div>
				<Trust card={frame?.card ?? null} />
			</div>
			<div class="xai-foot">
				<p>{frame?.sentence}</p>
				{/* biome-ignore lint/a11y/noRedundantRoles: whoever looks for the role as an attribute finds it too. */}
				<output role="status">{kernel.value === "gone" ? NO_KERNEL : state.status.value}</output>
			</div>
		</div>
	);
}

/** The first question: what do I see. */
function Stage(props: { state: Session["state"]; frame: Frame | null; onSign: (sign: Sign) => void }) {
	const { state, frame } = props;
	const sample = state._picture.value;
	const sign = state.sign.value;
	const opacity = state.opacity.value;
	const chosen = state._tables.value[state.colormap.value] ?? Object.values(state._tables.value)[0];
	const table = useMemo(
		() => chosen && { diverging: chosen.diverging, colours: decodeTable(chosen) },
		[chosen],
	);
	const picture = useMemo(() => (isPicture(sample) ? rasterOfPicture(sample) : null), [sample]);
	const values = useMemo(() => frame && decodeArray(frame.data, frame.arrays[0]), [frame]);
	const sorted = useMemo(() => values && sortedMagnitudes(values), [values]);
	const map = useMemo(() => frame && values && rasterOf(frame.arrays[0].shape, values), [frame, values]);
	const scale = useMemo(() => sorted && colourScale(sorted, state.clip.value), [sorted, state.clip.value]);
	const look = useMemo(() => ({ table, sign, opacity, scale: scale ?? 0 }), [table, sign, opacity, scale]);
	const sentence = frame?.sentence || BEFORE_THE_FIRST_MAP;
	const error = state.error.value;
	if (!table) return <div class="xai-stage" />;

	return (
		<div class="xai-stage">
			<div class={error ? "xai-last-good" : undefined}>
				{isFeatures(sample) ? (
					<Bars
						bars={topBars(values ?? new Float64Array(sample.shape[0]), sample, sign)}
						pending={!values}
						table={table}
						sign={sign}
						sentence={sentence}
					/>
				) : (
					<MapView map={map} picture={picture} look={look} sentence={sentence} />
				)}
			</div>
			{error && (
				<p class="xai-error" role="alert">
					{error}
				</p>
			)}
			{!isFeatures(sample) && <Legend table={table} sign={sign} scale={scale} />}
			<Segmented
				label="Sign"
				options={SIGNS.map((value) => ({ value, label: value, name: `Sign: ${value}` }))}
				value={sign}
				onChange={props.onSign}
			/>
		</div>
	);
}

function Progress({ phase, frame }: { phase: SaliencyState["phase"]; frame: Frame | null }) {
	// Until a new job's first frame comes, the frame at hand is the old one, at 1.
	const share =
		phase === "computing" && frame && frame.progress < 1 ? frame.progress : Number(phase === "settled");
	return (
		<div class="xai-progress" data-phase={phase}>
			<span style={{ transform: `scaleX(${share})` }} />
		</div>
	);
}

function frameOf(frame: Frame | Empty): Frame | null {
	return "arrays" in frame ? (frame as Frame) : null;
}

function isFeatures(sample: Sample): sample is Features {
	return "labels" in sample;
}

function isPicture(sample: Sample): sample is Picture {
	return "data" in sample;
}

function rasterOfPicture(picture: Picture): Raster {
	const [height, width] = picture.shape;
	return { height, width, values: decodeGrey(picture) };
}

/** A series has one row. */
function rasterOf(shape: number[], values: Float64Array): Raster {
	const [height, width] = shape.length === 1 ? [1, shape[0]] : shape;
	return { height, width, values };
}
