import type { Session } from "../model";
import { MapControls } from "./map_controls";
import { PathCurve } from "./path_curve";
import { frameOf, Shell } from "./shell";
import { Stage } from "./stage";

/** The saliency widget: one map, or one for each input. */
export function SaliencyView(session: Session) {
	const frame = frameOf(session.state.frame.value);
	return (
		<Shell session={session} name="saliency" finer={MapControls} below={<PathCurve frame={frame} />}>
			<Stage session={session} frame={frame} />
		</Shell>
	);
}
