import { useMemo, useState } from "preact/hooks";
import { topBars } from "../bars";
import { decodeArray, decodeTable } from "../buffers";
import { isFeatures, isPicture } from "../inputs";
import type { Session } from "../model";
import { colourScale, type Raster, sortedMagnitudes } from "../paint";
import { boxMean } from "../smooth";
import type { Display, Frame, Input } from "../state";
import { WHOLE } from "../view";
import { Bars } from "./bars";
import { Legend } from "./legend";
import { MapView } from "./map";
import { Tools } from "./tools";

const BEFORE_THE_FIRST_MAP = "No map yet";
/** What stands for the inputs until the first of them is there. */
const NOTHING: Input[] = [{ name: "" }];

/** The first question: what do I see. */
export function Stage(props: {
	state: Session["state"];
	frame: Frame | null;
	onShow: (patch: Partial<Display>) => void;
}) {
	const { state, frame, onShow } = props;
	const inputs = state._pictures.value.length > 0 ? state._pictures.value : NOTHING;
	const sign = state.sign.value;
	// A frame without maps is a picture that the method made: it is shown in its own colours, as a mask of nothing is.
	const made = frame?.arrays.length === 0;
	const mode = made ? "mask" : state.mode.value;
	const smooth = state.smooth.value;
	const opacity = state.opacity.value;
	const threshold = state.threshold.value;
	const [view, setView] = useState(WHOLE);
	const chosen = state._tables.value[state.colormap.value] ?? Object.values(state._tables.value)[0];
	const table = useMemo(
		() => chosen && { diverging: chosen.diverging, colours: decodeTable(chosen) },
		[chosen],
	);
	const raws = useMemo(() => rastersOf(frame), [frame]);
	const maps = useMemo(() => {
		const pictured = Array.from(raws).filter(([input]) => !isFeatures(inputs[input] ?? NOTHING[0]));
		return new Map(pictured.map(([input, raw]) => [input, boxMean(raw, smooth)]));
	}, [raws, inputs, smooth]);
	const total = useMemo(() => sumOfMagnitudes(raws), [raws]);
	const sorted = useMemo(() => frame && sortedMagnitudes(joined(maps)), [frame, maps]);
	const scale = useMemo(() => sorted && colourScale(sorted, state.clip.value), [sorted, state.clip.value]);
	const look = useMemo(
		() => ({ table, sign, opacity, threshold, scale: scale ?? 0 }),
		[table, sign, opacity, threshold, scale],
	);
	const sentence = frame?.sentence || BEFORE_THE_FIRST_MAP;
	const error = state.error.value;
	const pictured = !inputs.every(isFeatures);
	const anyMap = pictured && !made;
	if (!table) return <div class="xai-stage" />;

	const draw = (input: Input, i: number) => {
		const raw = raws.get(i) ?? null;
		if (isFeatures(input)) {
			return (
				<Bars
					bars={topBars(raw?.values ?? new Float64Array(input.shape[0]), input, sign)}
					pending={!raw}
					table={table}
					sign={sign}
					sentence={sentence}
				/>
			);
		}
		const picture = isPicture(input) ? input : null;
		const size = picture ? { height: picture.shape[0], width: picture.shape[1] } : raw;
		if (!size) return <div class="xai-placeholder" role="img" aria-label={sentence} />;
		return (
			<MapView
				// Another size is another picture: what was read of the last one no longer holds.
				key={`${size.height} × ${size.width}`}
				map={maps.get(i) ?? null}
				raw={raw}
				total={total}
				picture={picture}
				size={size}
				look={look}
				mode={mode}
				view={view}
				onView={setView}
				sentence={sentence}
				label={inputs.length > 1 ? `Point on the map of ${input.name}` : "Point on the map"}
			/>
		);
	};

	return (
		<div class="xai-stage">
			{/* While another method is prepared, the map is still the last one's. */}
			<div class={error || state.phase.value === "tracing" ? "xai-inputs xai-last-good" : "xai-inputs"}>
				{inputs.map((input, i) => (
					<section key={input.name}>
						{inputs.length > 1 && <h4>{input.name}</h4>}
						{draw(input, i)}
					</section>
				))}
			</div>
			{error && (
				<p class="xai-error" role="alert">
					{error}
				</p>
			)}
			{anyMap && <Legend table={table} sign={sign} threshold={threshold} scale={scale} />}
			<Tools
				mode={anyMap ? mode : null}
				view={pictured ? view : null}
				sign={made ? null : sign}
				onShow={onShow}
				onView={setView}
			/>
		</div>
	);
}

/** The maps of a frame by the input that each belongs to. */
function rastersOf(frame: Frame | null): Map<number, Raster> {
	return new Map(
		frame?.arrays.map((array) => {
			// A series has one row.
			const [height, width] = array.shape.length === 1 ? [1, array.shape[0]] : array.shape;
			return [array.input, { height, width, values: decodeArray(frame.data, array) }];
		}),
	);
}

function sumOfMagnitudes(rasters: Map<number, Raster>): number {
	let sum = 0;
	for (const { values } of rasters.values()) for (const value of values) sum += Math.abs(value);
	return sum;
}

/** All painted maps share one colour scale: the same colour is then the same number in each. */
function joined(rasters: Map<number, Raster>): Float64Array {
	const all = Array.from(rasters.values(), ({ values }) => values);
	const values = new Float64Array(all.reduce((length, { length: more }) => length + more, 0));
	let at = 0;
	for (const part of all) {
		values.set(part, at);
		at += part.length;
	}
	return values;
}
