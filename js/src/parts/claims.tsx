import { fixed, percent, scoreDecimals } from "../format";
import { filled, pictureShape } from "../inputs";
import type { Session } from "../model";
import { claimIn, type Shares } from "../shares";
import type { Card, RegionState } from "../state";
import { Table } from "./table";

/** A map that claims a part of what happens for the region. */
export interface Claimant {
	name: string;
	card: Card;
	shares: Shares;
	/** Where the model's own answer for it stands. */
	column: number;
	chosen?: boolean | undefined;
	onChoose?: (() => void) | undefined;
}

/** What each map claims for the painted region, beside what its removal does to the score. */
export function Claims(props: { session: Session; claimants: Claimant[]; column: number }) {
	const { claimants, column } = props;
	const { state, kernel } = props.session;
	const region = filled(state.region.value);
	const effect = filled(state._effect.value);
	if (!region)
		return (
			<p class="xai-quiet">
				Choose Paint and draw on a map; by keys, arrows move the point and Enter paints there.
			</p>
		);
	const key = ({ input, runs }: RegionState) => `${input}:${runs}`;
	const seen = effect && key(effect) === key(region) ? effect.seen : null;
	const [height, width] = pictureShape(state._pictures.value[region.input]) ?? [0, 0];
	const size = region.runs.reduce((sum, length, i) => sum + (i % 2) * length, 0);
	const decimals = claimants[0] ? scoreDecimals(claimants[0].card) : 2;
	const told = seen?.[column];
	const drop = told ? told.score - told.without : 0;
	const by = fixed(Math.abs(drop), decimals);
	const [from, to] = [told?.score ?? 0, told?.without ?? 0].map((score) => fixed(score, decimals));
	const change = Number(by)
		? `${drop < 0 ? "rises" : "falls"} by ${by}, from ${from} to ${to}`
		: `stays ${from}`;
	const claims = claimants.map(({ shares }) => claimIn(shares, region));
	const most = Math.max(...claims.map(({ share }) => share)) || 1;
	return (
		<>
			<p aria-live="polite">
				{`${size} pixels, ${percent(size / (height * width))} of the picture. `}
				{told
					? `Replaced by “${told.baseline}”, the ${effect?.score_name} ${change}.`
					: kernel.value === "live" && seen?.length !== 0
						? "Asking the model."
						: "Only a kernel with the model knows what its removal does."}
			</p>
			<Table
				label="Claims for the region"
				heads={["Map", "Share of it all", "Change claimed", "Change seen"]}
				rows={claimants.map(({ name, card, column, chosen, onChoose }, i) => {
					const { sum, share } = claims[i];
					const own = seen?.[column];
					return {
						...{ name, chosen, onChoose },
						cells: [
							<span class="xai-share">
								{claims.length > 1 && (
									<span class="xai-level" style={{ inlineSize: `${(60 * share) / most}px` }} />
								)}
								{percent(share)}
							</span>,
							addsUp(card) ? fixed(-sum, decimals) : "none",
							own && fixed(own.without - own.score, decimals),
						].map((text) => ({ text })),
					};
				})}
			/>
			{!claimants.every(({ card }) => addsUp(card)) && (
				<p class="xai-quiet">
					Only a map that adds up to a difference claims a change for each of its parts.
				</p>
			)}
		</>
	);
}

/** Whether a map is the difference of two scores, shared out: all but a tenth of it. */
function addsUp({ residual, score, baseline_score }: Card): boolean {
	const whole = (score ?? 0) - (baseline_score ?? 0);
	return residual !== null && Math.abs(residual) <= 0.1 * Math.abs(whole);
}
