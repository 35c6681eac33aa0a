import type { ComponentChildren } from "preact";
import { decodeGrey } from "../buffers";
import { useMemo } from "../hooks";
import { type Look, paintOverlay, type Raster, resize } from "../paint";
import type { Size } from "../reading";
import { boxMean } from "../smooth";
import type { Picture } from "../state";
import type { Spot, View } from "../view";
import { Pane } from "./pane";
import { usePixels } from "./use_pixels";

/** With fewer pixels than this from edge to edge, blur between them would look like detail. */
const COARSE = 128;

/** What maps that stand beside one another have in common: the place in sight, and the spot that is read. */
export interface Sight {
	view: View;
	spot: Spot | null;
	onView: (view: View) => void;
	onHover: (spot: Spot | null) => void;
}

export function sizeOf(picture: Picture | null, map: Raster | null): Size | null {
	return picture ? { height: picture.shape[0], width: picture.shape[1] } : map;
}

/** One map of several that share a sight. */
export function MapCell(props: {
	map: Raster | null;
	picture: Picture | null;
	size: Size;
	/** Over how far its values are averaged. */
	smooth?: number;
	look: Look;
	sight: Sight;
	sentence: string;
	over?: ComponentChildren;
	onPick?: () => void;
}) {
	const { map, picture, size, smooth = 0, look, sight, sentence, over, onPick } = props;
	const { height, width } = size;
	const values = useMemo(
		() => (map ? resize(boxMean(map, smooth), height, width).values : null),
		[map, smooth, height, width],
	);
	const grey = useMemo(
		() => (picture ? decodeGrey(picture) : new Float64Array(height * width).fill(255)),
		[picture, height, width],
	);
	const canvas = usePixels((words) => paintOverlay(words, grey, values, look), [grey, values, look]);
	const coarse = Math.max(height, width) / sight.view.zoom < COARSE;
	return (
		<Pane {...sight} size={size} over={over} onPick={onPick}>
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
