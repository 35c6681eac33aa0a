import { useMemo, useRef } from "preact/hooks";
import type { Size } from "../reading";
import { border, emptyMask, type Mask, stroked } from "../region";
import { type Spot, toPicture, type View } from "../view";

export type Tool = "look" | "paint" | "erase";

/**
 * What lies over a pane for a region to be painted: its border, and while a brush is in hand the strokes. It takes the
 * mask as it is and hands on a whole new one with every move, so that any picture view can have it.
 */
export function Brush(props: {
	mask: Mask | null;
	size: Size;
	view: View;
	tool: Tool;
	/** Of the brush, in pixels of the picture. */
	radius: number;
	onPaint: (mask: Mask) => void;
}) {
	const { mask, size, view, tool, radius, onPaint } = props;
	const { height, width } = size;
	const last = useRef<Spot | null>(null);
	const line = useMemo(() => mask && border(mask), [mask]);
	const left = (view.x - 0.5 / view.zoom) * width;
	const top = (view.y - 0.5 / view.zoom) * height;

	const paint = (event: PointerEvent) => {
		const box = (event.currentTarget as Element).getBoundingClientRect();
		const at = toPicture(view, {
			x: (event.clientX - box.left) / box.width,
			y: (event.clientY - box.top) / box.height,
		});
		onPaint(stroked(mask ?? emptyMask(size), last.current ?? at, at, radius, tool === "paint"));
		last.current = at;
	};
	const begin = (event: PointerEvent) => {
		if (event.button !== 0) return;
		event.stopPropagation();
		(event.currentTarget as Element).setPointerCapture(event.pointerId);
		paint(event);
	};
	const end = () => {
		last.current = null;
	};
	return (
		<svg
			class={tool === "look" ? "xai-brush" : "xai-brush xai-brush-on"}
			viewBox={`${left} ${top} ${width / view.zoom} ${height / view.zoom}`}
			preserveAspectRatio="none"
			aria-hidden="true"
			onPointerDown={tool === "look" ? undefined : begin}
			onPointerMove={(event) => last.current && paint(event)}
			onPointerUp={end}
			onPointerCancel={end}
		>
			{line && <path class="xai-brush-under" d={line} />}
			{line && <path d={line} />}
		</svg>
	);
}
