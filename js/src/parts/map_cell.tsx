import type { ComponentChildren } from "preact";
import { useMemo } from "preact/hooks";
import { decodeGrey } from "../buffers";
import { type Look, paintOverlay, type Raster, resize } from "../paint";
import type { Size } from "../reading";
import type { Picture } from "../state";
import type { Spot, View } from "../view";
import { Pane } from "./pane";
import { usePixels } from "./use_pixels";

/** With fewer pixels than this from edge to edge, blur between them would look like detail. */
const COARSE = 128;

export function sizeOf(picture: Picture | null, map: Raster | null): Size | null {
	return picture ? { height: picture.shape[0], width: picture.shape[1] } : map;
}

/** One map of several that share what is in sight and the spot that is read. */
export function MapCell(props: {
	map: Raster | null;
	picture: Picture | null;
	size: Size;
	look: Look;
	view: View;
	spot: Spot | null;
	sentence: string;
	over?: ComponentChildren;
	onView: (view: View) => void;
	onSpot: (spot: Spot | null) => void;
	onPick?: () => void;
}) {
	const { map, picture, size, look, view, spot, sentence } = props;
	const { height, width } = size;
	const values = useMemo(() => (map ? resize(map, height, width).values : null), [map, height, width]);
	const grey = useMemo(
		() => (picture ? decodeGrey(picture) : new Float64Array(height * width).fill(255)),
		[picture, height, width],
	);
	const canvas = usePixels((words) => paintOverlay(words, grey, values, look), [grey, values, look]);
	const coarse = Math.max(height, width) / view.zoom < COARSE;
	return (
		<Pane
			size={size}
			view={view}
			spot={spot}
			over={props.over}
			onView={props.onView}
			onHover={props.onSpot}
			onPick={props.onPick}
		>
			<canvas
				ref={canvas}
				class={coarse ? "xai-map xai-coarse" : "xai-map"}
				width={width}
				height={height}
				role="img"
				aria-label={sentence}
			/>
		</Pane>
	);
}
