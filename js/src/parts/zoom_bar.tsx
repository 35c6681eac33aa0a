import { significant } from "../format";
import { CLOSEST, type View, WHOLE, zoomBy } from "../view";

/** The way nearer and back. At an end a button does nothing, but stays: a disabled one would drop the focus. */
export function ZoomBar({ view, onChange }: { view: View; onChange: (view: View) => void }) {
	const whole = view.zoom === 1;
	return (
		<div class="xai-zoom">
			<button
				type="button"
				aria-label="Zoom out"
				aria-disabled={whole}
				onClick={() => onChange(zoomBy(view, 0.5))}
			>
				−
			</button>
			<span class="xai-figure">{significant(view.zoom, 2)}×</span>
			<button
				type="button"
				aria-label="Zoom in"
				aria-disabled={view.zoom === CLOSEST}
				onClick={() => onChange(zoomBy(view, 2))}
			>
				+
			</button>
			<button type="button" aria-disabled={whole} onClick={() => onChange(WHOLE)}>
				Whole picture
			</button>
		</div>
	);
}
