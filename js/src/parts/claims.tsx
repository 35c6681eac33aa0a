import { fixed, percent, scoreDecimals } from "../format";
import { filled } from "../inputs";
import { claimOf } from "../region";
import { columnOf, type Scene } from "../scene";
import { Table } from "./table";

/** What each map claims for the painted region, beside what its removal does to the score. */
export function Claims({ session, shown, chosen, column, choose, pixels }: Scene & { pixels: number }) {
	const { state, kernel } = session;
	const region = filled(state.region.value);
	const effect = filled(state._effect.value);
	if (!region)
		return (
			<p class="xai-quiet">
				Choose Paint and draw on a map; or press an arrow key there for a rectangle: arrows move it, with
				Shift they size it.
			</p>
		);
	const seen = effect && String(effect.runs) === String(region.runs) ? effect.seen : [];
	const size = region.runs.reduce((sum, length, i) => sum + (i % 2) * length, 0);
	const decimals = shown[0] ? scoreDecimals(shown[0].cell.card) : 2;
	const told = seen[column];
	const drop = told ? told.score - told.without : 0;
	const claims = shown.map((one) => claimOf(one.rasters[region.input].values, region.runs, one.total));
	const most = Math.max(...claims.map(({ share }) => share)) || 1;
	return (
		<>
			<p aria-live="polite">
				{`${size} pixels, ${percent(size / pixels)} of the picture. `}
				{told
					? `Replaced by “${told.baseline}”, the ${effect?.score_name} ${drop < 0 ? "rises" : "falls"} by ${fixed(Math.abs(drop), decimals)}, from ${fixed(told.score, decimals)} to ${fixed(told.without, decimals)}.`
					: kernel.value === "live"
						? "Asking the model."
						: "Only a kernel knows what its removal does."}
			</p>
			<Table
				label="Claims for the region"
				heads={["Map", "Share of it all", "Change claimed", "Change seen"]}
				rows={shown.map((one, i) => {
					const { cell, name } = one;
					const { sum, share } = claims[i];
					const own = seen[columnOf(cell, column)];
					return {
						name,
						chosen: one === chosen,
						onChoose: () => choose(cell),
						cells: [
							{
								text: (
									<span class="xai-share">
										<span class="xai-level" style={{ inlineSize: `${(60 * share) / most}px` }} />
										{percent(share)}
									</span>
								),
							},
							{ text: cell.card.residual === null ? "none" : fixed(-sum, decimals) },
							{ text: own && fixed(own.without - own.score, decimals) },
						],
					};
				})}
			/>
			<p class="xai-quiet">Only a map that adds up to a difference claims a change for each of its parts.</p>
		</>
	);
}
