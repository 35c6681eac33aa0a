import type { ComponentChildren } from "preact";
import { useRef } from "../hooks";
import type { Size } from "../reading";
import { pan, type Spot, toPane, toPicture, type View, zoomBy } from "../view";

/** Pixels of a mouse wheel that double the size. */
const DOUBLING = 200;
/** Pixels by which a hand may move in a click. */
const STILL = 4;
/** Where a wheel counts lines, not pixels. */
const LINE = 16;

/** A window onto one canvas: Ctrl and the wheel go nearer, a drag moves what is near, and a dot marks the spot read. */
export function Pane(props: {
	size: Size;
	view: View;
	spot: Spot | null;
	onView: (view: View) => void;
	/** A spot of the picture under the pointer; null when it has left. */
	onHover: (spot: Spot | null) => void;
	/** A click that was no drag. */
	onPick?: ((spot: Spot) => void) | undefined;
	/** What lies over the canvas and is not magnified. */
	over?: ComponentChildren;
	children: ComponentChildren;
}) {
	const { size, view, spot, onView, onHover, onPick, over, children } = props;
	const held = useRef<Spot | null>(null);
	const pressed = useRef<{ x: number; y: number } | null>(null);
	const { zoom, x, y } = view;
	const dot = spot && toPane(view, spot);

	const move = (event: PointerEvent) => {
		const at = spotUnder(event);
		if (held.current) {
			onView(pan(view, { x: at.x - held.current.x, y: at.y - held.current.y }));
			held.current = at;
		} else {
			onHover(toPicture(view, at));
		}
	};
	const grasp = (event: PointerEvent) => {
		pressed.current = event.button === 0 ? { x: event.clientX, y: event.clientY } : null;
		if (zoom === 1 || event.button !== 0) return;
		(event.currentTarget as Element).setPointerCapture(event.pointerId);
		held.current = spotUnder(event);
		onHover(null);
	};
	const release = (event: PointerEvent) => {
		held.current = null;
		const from = pressed.current;
		pressed.current = null;
		if (event.type !== "pointerup" || !from) return;
		if (Math.hypot(event.clientX - from.x, event.clientY - from.y) < STILL) {
			onPick?.(toPicture(view, spotUnder(event)));
		}
	};
	const wheel = (event: WheelEvent) => {
		// The plain wheel scrolls the notebook, over a picture as anywhere.
		if (!event.ctrlKey) return;
		event.preventDefault();
		const pixels = event.deltaMode === WheelEvent.DOM_DELTA_PIXEL ? event.deltaY : LINE * event.deltaY;
		onView(zoomBy(view, 2 ** (-pixels / DOUBLING), spotUnder(event)));
	};

	return (
		<div
			class={zoom > 1 ? "xai-pane xai-near" : "xai-pane"}
			style={{ aspectRatio: `${size.width} / ${size.height}` }}
			onPointerDown={grasp}
			onPointerMove={move}
			onPointerUp={release}
			onPointerCancel={release}
			onPointerLeave={() => onHover(null)}
			onWheel={wheel}
		>
			<div
				class="xai-sheet"
				style={{
					transform: `translate(${100 * (0.5 - x * zoom)}%, ${100 * (0.5 - y * zoom)}%) scale(${zoom})`,
				}}
			>
				{children}
			</div>
			{over}
			{dot && <span class="xai-dot" style={{ left: `${100 * dot.x}%`, top: `${100 * dot.y}%` }} />}
		</div>
	);
}

export function spotUnder(event: MouseEvent): Spot {
	const { left, top, width, height } = (event.currentTarget as Element).getBoundingClientRect();
	return { x: (event.clientX - left) / width, y: (event.clientY - top) / height };
}
