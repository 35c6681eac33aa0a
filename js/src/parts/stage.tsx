import type { ComponentChildren } from "preact";
import { topBars } from "../bars";
import { rasterOf } from "../buffers";
import { useMemo, useState } from "../hooks";
import { isFeatures, isPicture, pictureShape } from "../inputs";
import type { Session } from "../model";
import {
	colourScale,
	enlarge,
	joined,
	type Raster,
	resize,
	sortedMagnitudes,
	sumOfMagnitudes,
} from "../paint";
import { reading } from "../reading";
import { sharesOf } from "../shares";
import { boxMean } from "../smooth";
import type { Frame, Input } from "../state";
import { useBrush } from "../use_brush";
import { useTable } from "../use_table";
import { WHOLE } from "../view";
import { Bars } from "./bars";
import { Legend } from "./legend";
import { MapView } from "./map";
import { Painted } from "./painted";
import { Tools } from "./tools";

const BEFORE_THE_FIRST_MAP = "No map yet";
/** What stands for the inputs until the first of them is there. */
const NOTHING: Input[] = [{ name: "" }];

/** The first question: what do I see. */
export function Stage(props: {
	session: Session;
	frame: Frame | null;
	/** What the maps belong to, where that is not the inputs. */
	inputs?: Input[];
	/** Whether a coarse map runs smoothly from cell to cell. */
	smoothly?: boolean;
	/** More ways to look at it, among the tools. */
	tools?: ComponentChildren;
	/** What is shown, where it is not the map of the method. */
	caption?: string | null;
	/** What the map is called, where it is not by its method. */
	called?: string | undefined;
	/** What the hand is on while the eye is on the map. */
	under?: ComponentChildren;
	/** What belongs to the map, below. */
	children?: ComponentChildren;
}) {
	const { session, frame, smoothly = false } = props;
	const { state, show } = session;
	const given = props.inputs ?? state._pictures.value;
	const inputs = given.length > 0 ? given : NOTHING;
	const sign = state.sign.value;
	// A frame without maps is a picture that the method made: it is shown in its own colours, as a mask of nothing is.
	const made = frame?.arrays.length === 0;
	const mode = made ? "mask" : state.mode.value;
	const smooth = state.smooth.value;
	const opacity = state.opacity.value;
	const threshold = state.threshold.value;
	const [view, setView] = useState(WHOLE);
	const table = useTable(state);
	const brush = useBrush(session);
	const raws = useMemo(() => rastersOf(frame), [frame]);
	const maps = useMemo(() => {
		const pictured = Array.from(raws).filter(([input]) => !isFeatures(inputs[input] ?? NOTHING[0]));
		const scaled = ([input, raw]: [number, Raster]): [number, Raster] => {
			const [height, width] = pictureShape(inputs[input]) ?? [raw.height, raw.width];
			return [input, boxMean((smoothly ? enlarge : resize)(raw, height, width), smooth)];
		};
		return new Map(pictured.map(scaled));
	}, [raws, inputs, smooth, smoothly]);
	const total = useMemo(() => sumOfMagnitudes(raws.values()), [raws]);
	// All painted maps share one colour scale: the same colour is then the same number in each.
	const sorted = useMemo(() => frame && sortedMagnitudes(joined(maps.values())), [frame, maps]);
	const scale = useMemo(() => sorted && colourScale(sorted, state.clip.value), [sorted, state.clip.value]);
	const look = useMemo(
		() => table && { table, sign, opacity, threshold, scale: scale ?? 0 },
		[table, sign, opacity, threshold, scale],
	);
	const brushed = !made && (brush.painted || brush.tool !== "look");
	const shares = useMemo(() => (frame && brushed ? sharesOf(frame, inputs) : null), [frame, brushed, inputs]);
	const sentence = frame?.sentence || BEFORE_THE_FIRST_MAP;
	const error = state.error.value;
	const pictured = !inputs.every(isFeatures);
	const anyMap = pictured && !made;
	if (!table || !look) return <div class="xai-stage" />;

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
				picture={picture}
				size={size}
				look={look}
				mode={mode}
				view={view}
				onView={setView}
				painting={picture && !made ? brush.over(i) : null}
				read={(point) => reading(point, size, raw, total)}
				sentence={sentence}
				label={inputs.length > 1 ? `Point on the map of ${input.name}` : "Point on the map"}
			/>
		);
	};

	return (
		<div class="xai-stage">
			{/* While another method is prepared, the map is still the last one's. */}
			<div class={`xai-inputs ${error || state.phase.value === "tracing" ? "xai-last-good" : ""}`}>
				{inputs.map((input, i) => (
					<section key={input.name}>
						{inputs.length > 1 && <p class="xai-title">{input.name}</p>}
						{draw(input, i)}
					</section>
				))}
				{props.caption && <p class="xai-caption">{props.caption}</p>}
			</div>
			{error && (
				<p class="xai-error" role="alert">
					{error}
				</p>
			)}
			{anyMap && <Legend table={table} sign={sign} threshold={threshold} scale={scale} />}
			{props.under}
			<Tools
				mode={anyMap ? mode : null}
				view={pictured ? view : null}
				sign={made ? null : sign}
				brush={anyMap && brush.paintable && brush}
				onShow={show}
				onView={setView}
			>
				{anyMap && props.tools}
			</Tools>
			{/* Where a layer has no positions there is no part of a picture to claim anything for. */}
			{frame && shares && frame.arrays.some(({ scale }) => scale > 0) && (
				<Painted {...{ session, shares }} card={frame.card} name={props.caption ?? props.called} />
			)}
			{props.children}
		</div>
	);
}

/** The maps of a frame by the input that each belongs to. */
function rastersOf(frame: Frame | null): Map<number, Raster> {
	return new Map(frame?.arrays.map((array) => [array.input, rasterOf(frame.data, array)]));
}
