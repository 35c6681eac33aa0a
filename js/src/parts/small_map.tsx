import { decodeGrey } from "../buffers";
import { useMemo } from "../hooks";
import {
	colourScale,
	enlarge,
	type Look,
	paintBare,
	paintOverlay,
	type Raster,
	resize,
	sortedMagnitudes,
} from "../paint";
import type { Picture } from "../state";
import { usePixels } from "./use_pixels";

/** How all maps of a view are drawn; the scale is of each. */
export interface SharedLook extends Omit<Look, "scale"> {
	clip: number;
	smoothly: boolean;
}

/** Pixels of the longer side. */
const SIDE = 96;

/** A map over its picture, small and for the eye alone; without a picture in its own colours. */
export function SmallMap(props: { map: Raster; picture: Picture | null; look: SharedLook }) {
	const { map, picture, look } = props;
	const { clip, smoothly } = look;
	const grey = useMemo(() => picture && shrunk(picture), [picture]);
	const { height, width } = grey ?? map;
	const values = useMemo(
		() => (smoothly ? enlarge : resize)(map, height, width).values,
		[map, height, width, smoothly],
	);
	const scale = useMemo(() => colourScale(sortedMagnitudes(values), clip), [values, clip]);
	const canvas = usePixels(
		(words) => {
			if (grey) paintOverlay(words, grey.values, values, { ...look, scale });
			else paintBare(words, values, { ...look, scale });
		},
		[grey, values, look, scale],
	);
	return <canvas ref={canvas} class="xai-swatch" width={width} height={height} />;
}

function shrunk(picture: Picture): Raster {
	const [height, width] = picture.shape;
	const by = Math.min(1, SIDE / Math.max(height, width));
	const grey = { height, width, values: decodeGrey(picture) };
	return resize(grey, Math.max(1, Math.round(by * height)), Math.max(1, Math.round(by * width)));
}
