import type { RefObject } from "preact";
import { useLayoutEffect, useRef } from "../hooks";

/**
 * A canvas whose pixels, as 32-bit words, are painted anew when an input changes: at most once per animation frame,
 * into memory that is kept for as long as the canvas keeps its size.
 */
export function usePixels(
	paint: (words: Uint32Array) => void,
	inputs: readonly unknown[],
): RefObject<HTMLCanvasElement | null> {
	const canvas = useRef<HTMLCanvasElement>(null);
	const image = useRef<ImageData | null>(null);

	useLayoutEffect(() => {
		const frame = requestAnimationFrame(() => {
			if (!canvas.current) return;
			const { width, height } = canvas.current;
			if (image.current?.width !== width || image.current.height !== height) {
				image.current = new ImageData(width, height);
			}
			paint(new Uint32Array(image.current.data.buffer));
			canvas.current.getContext("2d")?.putImageData(image.current, 0, 0);
		});
		return () => cancelAnimationFrame(frame);
	}, inputs);

	return canvas;
}
