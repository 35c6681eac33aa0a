import { useMemo } from "preact/hooks";
import { type Look, paintMap, type Raster, resize } from "../paint";
import { usePixels } from "./use_pixels";

/** Below this many pixels a side, blur between them would look like detail. */
const COARSE = 128;

/** The map over its picture, at the picture's own resolution; before the first map the picture alone. */
export function MapView(props: { map: Raster | null; picture: Raster | null; look: Look; sentence: string }) {
	const { map, picture, look, sentence } = props;
	const size = picture ?? map;
	const values = useMemo(
		() => (map && size ? resize(map, size.height, size.width).values : null),
		[map, size?.height, size?.width],
	);
	const grey = useMemo(
		() => (size ? (picture?.values ?? new Float64Array(size.values.length)) : null),
		[picture, size],
	);

	const canvas = usePixels(
		(words) => {
			if (grey) paintMap(words, grey, values, look);
		},
		[values, grey, look],
	);

	if (!size) return <div class="xai-placeholder" role="img" aria-label={sentence} />;
	return (
		<canvas
			ref={canvas}
			class={Math.max(size.height, size.width) < COARSE ? "xai-map xai-coarse" : "xai-map"}
			width={size.width}
			height={size.height}
			role="img"
			aria-label={sentence}
		/>
	);
}
