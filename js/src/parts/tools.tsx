import type { Display, Mode, Sign } from "../state";
import type { View } from "../view";
import { Segmented } from "./segmented";
import { ZoomBar } from "./zoom_bar";

const SIGNS: Sign[] = ["both", "positive", "negative", "absolute"];
const MODES: Mode[] = ["overlay", "side by side", "mask"];

/** Below a map: how it lies over its picture, how near it is, and which signs it shows; null for what does not apply. */
export function Tools(props: {
	mode: Mode | null;
	view: View | null;
	sign: Sign | null;
	onShow: (patch: Partial<Display>) => void;
	onView: (view: View) => void;
}) {
	const { mode, view, sign, onShow, onView } = props;
	return (
		<div class="xai-tools">
			{mode && (
				<Segmented
					label="Mode"
					options={MODES.map((value) => ({ value, label: value }))}
					value={mode}
					onChange={(value) => onShow({ mode: value })}
				/>
			)}
			{view && <ZoomBar view={view} onChange={onView} />}
			{sign && (
				<Segmented
					label="Sign"
					options={SIGNS.map((value) => ({ value, label: value, name: `Sign: ${value}` }))}
					value={sign}
					onChange={(value) => onShow({ sign: value })}
				/>
			)}
		</div>
	);
}
