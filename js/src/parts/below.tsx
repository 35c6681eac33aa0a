import { useMemo } from "../hooks";
import { filled } from "../inputs";
import { columnOf, type Scene } from "../scene";
import { sharesOf } from "../shares";
import { AgreementPanel } from "./agreement";
import { Claims } from "./claims";
import { CurvesPanel } from "./curves";
import type { Sight } from "./map_cell";
import { Segmented } from "./segmented";
import { StripPanel } from "./strip";

const NO_MAPS = { arrays: [], data: new DataView(new ArrayBuffer(0)) };
const PANELS = ["agreement", "region", "curves", "random weights"];

/** Which of the maps to believe: one question at a time. */
export function Below(scene: Scene & { sight: Sight; paintable: boolean }) {
	const { session, shown, chosen, column, look, choose, paintable } = scene;
	const { state, kernel, show, compute } = session;
	const panel = state.panel.value;
	const curves = filled(state._curves.value);
	const strip = filled(state._strip.value);
	const running = state.randomizing.value;
	const inputs = state._pictures.value;
	const asked = panel === "region" && filled(state.region.value) !== null;
	const shares = useMemo(
		() => shown.map(({ cell }) => sharesOf(asked ? cell : NO_MAPS, inputs)),
		[shown, inputs, asked],
	);
	return (
		<div class="xai-below">
			<Segmented
				label="Which to believe"
				options={PANELS.filter((one) => paintable || one !== "region").map((value) => ({
					value,
					label: value,
				}))}
				value={panel}
				onChange={(panel) => show({ panel })}
			/>
			{panel === "agreement" && <AgreementPanel {...scene} />}
			{panel === "region" && (
				<Claims
					{...{ session, column }}
					claimants={shown.map((one, i) => ({
						...{ name: one.name, card: one.cell.card, shares: shares[i] },
						column: columnOf(one.cell, column),
						chosen: one === chosen,
						onChoose: () => choose(one.cell),
					}))}
				/>
			)}
			{panel === "curves" &&
				(curves ? (
					<CurvesPanel {...scene} curves={curves} />
				) : (
					<p class="xai-quiet">The curves come after the maps.</p>
				))}
			{panel === "random weights" && (
				<>
					<div class="xai-buttons">
						<button
							type="button"
							disabled={kernel.value !== "live" || !chosen}
							onClick={() => compute({ randomizing: !running })}
						>
							{running ? "Stop" : `Randomize “${chosen?.name}”`}
						</button>
					</div>
					{strip ? (
						<StripPanel strip={strip} look={look(1)} />
					) : (
						<p class="xai-quiet">Does it depend on what was learnt? One explanation for each layer.</p>
					)}
				</>
			)}
		</div>
	);
}
