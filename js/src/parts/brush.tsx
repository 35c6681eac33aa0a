import { useMemo, useRef } from "preact/hooks";
import type { Size } from "../reading";
import { border, emptyMask, type Mask, stroked } from "../region";
import { type Spot, toPicture, type View } from "../view";

export type Tool = "look" | "paint" | "erase";

/** What is in hand, and what was painted. */
export interface Painting {
	tool: Tool;
	/** Of the brush, in pixels of the picture. */
	radius: number;
	mask: Mask | null;
	onPaint: (mask: Mask) => void;
}

/**
 * What lies over a pane for a region to be painted: its border, and while a brush is in hand the strokes. It takes the
 * mask as it is and hands on a whole new one with every move, so that any picture view can have it.
 */
export function Brush({ tool, radius, mask, onPaint, size, view }: Painting & { size: Size; view: View }) {
	const { height, width } = size;
	const last = useRef<Spot | null>(null);
	const line = useMemo(() => (mask ? border(mask) : ""), [mask]);
	const corner = toPicture(view, { x: 0, y: 0 });
	const near = view.zoom;

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
			class="xai-brush"
			data-tool={tool}
			viewBox={`${corner.x * width} ${corner.y * height} ${width / near} ${height / near}`}
			preserveAspectRatio="none"
			aria-hidden="true"
			onPointerDown={begin}
			onPointerMove={(event) => last.current && paint(event)}
			onPointerUp={end}
			onPointerCancel={end}
		>
			<path d={line} />
		</svg>
	);
}
