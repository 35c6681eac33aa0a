import type { Session } from "../model";
import { frameOf, Shell } from "./shell";
import { Stage } from "./stage";

/** The saliency widget: one map, or one for each input. */
export function SaliencyView(session: Session) {
	return (
		<Shell session={session} name="saliency">
			<Stage state={session.state} frame={frameOf(session.state.frame.value)} onShow={session.show} />
		</Shell>
	);
}
