import { useRef } from "../hooks";
import type { Size } from "../reading";
import type { Painting } from "../use_brush";
import { type Spot, toPicture, type View } from "../view";
import { spotUnder } from "./pane";

/** What lies over a pane for a region to be painted: its border, and while a brush is in hand its size and the strokes. */
export function BrushLayer(props: { painting: Painting; size: Size; view: View; spot: Spot | null }) {
	const { painting, size, view, spot } = props;
	const { height, width } = size;
	const { tool, radius } = painting;
	const last = useRef<Spot | null>(null);
	const corner = toPicture(view, { x: 0, y: 0 });

	const paint = (event: PointerEvent) => {
		const at = toPicture(view, spotUnder(event));
		painting.dab(at, last.current ?? at);
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
	const lines = () => (
		<>
			<path d={painting.line} />
			{spot && tool !== "look" && <circle cx={spot.x * width} cy={spot.y * height} r={radius} />}
		</>
	);
	return (
		<svg
			class="xai-brush"
			data-tool={tool}
			viewBox={`${corner.x * width} ${corner.y * height} ${width / view.zoom} ${height / view.zoom}`}
			preserveAspectRatio="none"
			aria-hidden="true"
			onPointerDown={begin}
			onPointerMove={(event) => last.current && paint(event)}
			onPointerUp={end}
			onPointerCancel={end}
		>
			<g>{lines()}</g>
			{lines()}
		</svg>
	);
}
