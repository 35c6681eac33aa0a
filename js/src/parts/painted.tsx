import type { Session } from "../model";
import { type Claimant, Claims } from "./claims";

/** What the one map of a view claims for a region: nothing is there before somebody takes the brush. */
export function Painted(
	props: { session: Session; name?: string | undefined } & Pick<Claimant, "card" | "shares">,
) {
	const { session, name, card, shares } = props;
	const { value } = session.state.method;
	const label = session.state._schema.value.methods.find((one) => one.name === value.name)?.label ?? "";
	return (
		<div class="xai-claims">
			<Claims session={session} claimants={[{ name: name ?? label, card, shares, column: 0 }]} column={0} />
		</div>
	);
}
