import type { ComponentChildren } from "preact";
import { decodeColours, decodeGrey } from "../buffers";
import { useMemo, useState } from "../hooks";
import { type Look, paintBare, paintMask, paintOverlay, paintPicture, type Raster, resize } from "../paint";
import { moved, type Point, pointAt, type Size, spotOf } from "../reading";
import type { Mode, Picture } from "../state";
import type { Painting } from "../use_brush";
import { reveal, type Spot, toPane, toPicture, type View } from "../view";
import { BrushLayer } from "./brush";
import { Pane } from "./pane";
import { usePixels } from "./use_pixels";

/** With fewer pixels than this from edge to edge, blur between them would look like detail. */
const COARSE = 128;
/** No picture is taller on the page, in CSS pixels. */
const TALLEST = 640;
const CENTRE: Spot = { x: 0.5, y: 0.5 };
/** Up here the read-out hangs below its point. */
const TOP = 0.15;

/** A map and its picture at the picture's own resolution, and what the map says under the pointer or the arrow keys. */
export function MapView(props: {
	/** Smoothed, as painted. */
	map: Raster | null;
	picture: Picture | null;
	size: Size;
	look: Look;
	mode: Mode;
	view: View;
	onView: (view: View) => void;
	sentence: string;
	label: string;
	/** What lies over the map, in the pane's own coordinates. */
	over?: ComponentChildren;
	/** A click with the brush, or Enter or the space bar, paints at the point. */
	painting?: Painting | null;
	/** The point that is read, by pointer or keys. */
	onPoint?: (point: Point | null) => void;
	/** A click, or Enter or the space bar at the point. */
	onPick?: (point: Point) => void;
	/** What the read-out says besides the place. */
	read: (point: Point) => string;
}) {
	const { map, picture, size, look, mode, view, onView, sentence, label, painting } = props;
	const { height, width } = size;
	const values = useMemo(() => (map ? resize(map, height, width).values : null), [map, height, width]);
	const grey = useMemo(
		() => (picture ? decodeGrey(picture) : new Float64Array(height * width)),
		[picture, height, width],
	);
	const colours = useMemo(
		() => (picture ? decodeColours(picture) : new Uint8Array(3 * height * width).fill(255)),
		[picture, height, width],
	);
	const [point, move] = useState<Point | null>(null);
	const setPoint = (to: Point | null) => {
		move(to);
		props.onPoint?.(to);
	};
	const [byKeys, setByKeys] = useState(false);

	const canvas = usePixels(
		(words) => {
			if (mode === "overlay") paintOverlay(words, grey, values, look);
			else if (mode === "mask") paintMask(words, colours, values, look);
			else paintBare(words, values, look);
		},
		[mode, grey, colours, values, look],
	);

	const go = (to: Point) => {
		setByKeys(true);
		setPoint(to);
		onView(reveal(view, spotOf(to, size)));
	};
	const onPick =
		painting && painting.tool !== "look" ? (at: Point) => painting.dab(spotOf(at, size)) : props.onPick;
	const middle = () => pointAt(toPicture(view, CENTRE), size);
	const leave = () => {
		setByKeys(false);
		setPoint(null);
	};
	const press = (event: KeyboardEvent) => {
		if (event.key === "Escape") leave();
		if (point && onPick && (event.key === "Enter" || event.key === " ")) {
			event.preventDefault();
			onPick(point);
		}
		const to = moved(point ?? middle(), event.key, event.shiftKey, size);
		if (!to) return;
		event.preventDefault();
		go(point ? to : middle());
	};
	const hover = (over: Spot | null) => {
		if (!over && byKeys) return;
		setByKeys(false);
		setPoint(over && pointAt(over, size));
	};

	const spot = point && spotOf(point, size);
	const pick = onPick && ((at: Spot) => onPick(pointAt(at, size)));
	const over = (
		<>
			{props.over}
			{painting && <BrushLayer {...{ painting, size, view, spot }} />}
		</>
	);
	const pane = { size, view, spot, over, onView, onHover: hover, onPick: pick };
	const looks = Math.max(height, width) / view.zoom < COARSE ? "xai-coarse" : "";
	return (
		<div
			class="xai-frame"
			data-mode={mode}
			style={{ aspectRatio: `${width} / ${height}`, maxInlineSize: `${(TALLEST * width) / height}px` }}
			role="application"
			aria-label={label}
			// biome-ignore lint/a11y/noNoninteractiveTabindex: arrow keys move the point that is read.
			tabIndex={0}
			onKeyDown={press}
			onFocus={({ currentTarget }) => currentTarget.matches(":focus-visible") && go(middle())}
			onBlur={leave}
		>
			{mode === "side by side" && (
				<Pane {...pane}>
					<OwnColours colours={colours} size={size} looks={looks} />
				</Pane>
			)}
			<Pane {...pane}>
				<canvas
					ref={canvas}
					class={`xai-map ${looks}`}
					width={width}
					height={height}
					role="img"
					aria-label={sentence}
				/>
			</Pane>
			<ReadOut at={spot && inFrame(toPane(view, spot), mode)} aloud={byKeys}>
				{/* Under a brush it would hide what is painted. */}
				{point && (byKeys || !painting || painting.tool === "look") ? props.read(point) : null}
			</ReadOut>
		</div>
	);
}

function OwnColours({ colours, size, looks }: { colours: Uint8Array; size: Size; looks: string }) {
	const canvas = usePixels((words) => paintPicture(words, colours), [colours]);
	return (
		<canvas
			ref={canvas}
			class={`xai-picture ${looks}`}
			width={size.width}
			height={size.height}
			role="img"
			aria-label="Picture in its own colours"
		/>
	);
}

/** A spot of the map's pane as one of the frame, which the map shares with its picture in side by side. */
function inFrame(inPane: Spot, mode: Mode): Spot {
	return mode === "side by side" ? { x: (1 + inPane.x) / 2, y: (0.5 + inPane.y) / 2 } : inPane;
}

/** Beside the point; the further right, the more of it lies to the left, so that it never leaves the frame. */
function ReadOut(props: { at: Spot | null; aloud: boolean; children: string | null }) {
	const { at, aloud, children } = props;
	const style = at && {
		left: `${100 * at.x}%`,
		top: `${100 * at.y}%`,
		translate: `${-100 * at.x}% ${at.y < TOP ? "12px" : "calc(-100% - 12px)"}`,
	};
	return (
		<div class="xai-readout" aria-live={aloud ? "polite" : "off"} style={style ?? undefined}>
			{children}
		</div>
	);
}
