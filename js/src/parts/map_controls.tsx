import type { Display } from "../state";
import { slider } from "./controls";
import { NumberField } from "./number_field";

const CLIP = slider("clip", "Colours end at this percentile of the map's magnitudes.", 50, 100, 0.1, "%");
const THRESHOLD = slider("threshold", "Nothing shows below this part of the colour scale.", 0, 100, 1, "%");
const SMOOTH = slider(
	"smooth",
	"Each pixel shows the mean of its neighbours up to this far.",
	0,
	10,
	1,
	"px",
	"int",
);

/** How a map is drawn whose values differ from pixel to pixel: areas of one colour have nothing to clip or to smooth. */
export function MapControls(props: { display: Display; onChange: (patch: Partial<Display>) => void }) {
	const { display, onChange } = props;
	const { clip, threshold, smooth } = display;
	return (
		<>
			<NumberField field={CLIP} value={clip} onChange={(value) => onChange({ clip: value })} />
			<NumberField field={THRESHOLD} value={threshold} onChange={(value) => onChange({ threshold: value })} />
			<NumberField field={SMOOTH} value={smooth} onChange={(value) => onChange({ smooth: value })} />
		</>
	);
}
