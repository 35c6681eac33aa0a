import type { ComponentChildren } from "preact";
import type { Display, Mode, Sign } from "../state";
import type { Brush } from "../use_brush";
import type { View } from "../view";
import { BrushTools } from "./brush_tools";
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
	/** More ways to look at it. */
	children?: ComponentChildren;
	/** What may be in hand over it. */
	brush?: Brush | false;
}) {
	const { mode, view, sign, brush, onShow, onView } = props;
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
			{props.children}
			{view && <ZoomBar view={view} onChange={onView} />}
			{sign && (
				<Segmented
					label="Sign"
					options={SIGNS.map((value) => ({ value, label: value, name: `Sign: ${value}` }))}
					value={sign}
					onChange={(value) => onShow({ sign: value })}
				/>
			)}
			{brush && <BrushTools brush={brush} />}
		</div>
	);
}
