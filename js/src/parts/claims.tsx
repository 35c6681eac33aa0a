import { fixed, percent, scoreDecimals } from "../format";
import { claimOf } from "../region";
import type { Effect, RegionState } from "../state";
import type { Shown } from "../use_cells";

/** What each map claims for the painted region, beside what its removal does to the score. */
export function Claims(props: {
	shown: Shown[];
	region: RegionState | null;
	effect: Effect | null;
	pixels: number;
	offline: boolean;
	row: number;
	column: number;
	onChoose: (shown: Shown) => void;
}) {
	const { shown, region, effect, pixels, offline, row, column, onChoose } = props;
	if (!region)
		return (
			<p class="xai-quiet">
				Paint over a part of any map. With the keyboard: choose Paint, go to a map, and press an arrow key for
				a rectangle; arrows move it, with Shift they size it.
			</p>
		);
	const size = region.runs.reduce((sum, length, i) => sum + (i % 2 ? length : 0), 0);
	const claims = shown
		.filter(({ rasters }) => rasters[region.input])
		.map((one) => ({ one, ...claimOf(one.rasters[region.input].values, region.runs, one.total) }));
	const decimals = shown[0] ? scoreDecimals(shown[0].cell.card) : 2;
	const most = Math.max(...claims.map(({ share }) => share), 1e-9);
	const drop = effect && effect.score - effect.without;
	return (
		<>
			<p class="xai-effect" role="status">
				<strong class="xai-figure">{size.toLocaleString("en")}</strong> pixels, {percent(size / pixels)} of
				the picture.{" "}
				{effect && drop !== null ? (
					<>
						Replaced by “{effect.baseline}”, the {effect.score_name} {drop < 0 ? "rises" : "falls"} by{" "}
						<strong class="xai-figure">{fixed(Math.abs(drop), decimals)}</strong>, from{" "}
						{fixed(effect.score, decimals)} to {fixed(effect.without, decimals)}.
					</>
				) : offline ? (
					"Without a kernel nobody knows what its removal does."
				) : (
					"Asking the model."
				)}
			</p>
			<table class="xai-table xai-claims">
				<thead>
					<tr>
						<th scope="col">Map</th>
						<th scope="col">Share claimed</th>
						<th scope="col">Change claimed</th>
						<th scope="col">Change seen</th>
					</tr>
				</thead>
				<tbody>
					{claims.map(({ one, share, sum }) => {
						const { cell } = one;
						const chosen = cell.row === row && (cell.span > 1 || cell.column === column);
						return (
							<tr key={one.name} data-chosen={chosen || undefined}>
								<th scope="row">
									<button type="button" class="xai-link" onClick={() => onChoose(one)}>
										{one.name}
									</button>
								</th>
								<td>
									<span class="xai-level" style={{ inlineSize: `${(60 * share) / most}%` }} />
									{percent(share)}
								</td>
								<td>{cell.card.residual === null ? "none" : fixed(-sum, decimals)}</td>
								<td>{chosen && drop !== null ? fixed(-drop, decimals) : ""}</td>
							</tr>
						);
					})}
				</tbody>
			</table>
		</>
	);
}
