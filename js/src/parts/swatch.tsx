import { decodeColours } from "../buffers";
import { useMemo } from "../hooks";
import { paintPicture } from "../paint";
import type { Picture } from "../state";
import { usePixels } from "./use_pixels";

/** A small picture in its own colours, for the eye alone: what stands beside it says what it is. */
export function Swatch({ picture }: { picture: Picture }) {
	const colours = useMemo(() => decodeColours(picture), [picture]);
	const canvas = usePixels((words) => paintPicture(words, colours), [colours]);
	const [height, width] = picture.shape;
	return <canvas ref={canvas} class="xai-swatch" width={width} height={height} />;
}
