import { filled } from "../inputs";
import type { Session } from "../model";
import type { Look } from "../paint";
import type { CompareState } from "../state";
import type { Shown } from "../use_cells";
import { AgreementPanel } from "./agreement";
import type { Sight } from "./cell";
import { Claims } from "./claims";
import { CurvesPanel } from "./curves";
import { Segmented } from "./segmented";
import { StripPanel } from "./strip";

const PANELS = ["agreement", "region", "curves", "random weights"];

/** Which of the maps to believe: one question at a time. */
export function Below(props: {
	session: Session<CompareState>;
	shown: Shown[];
	chosen: Shown | undefined;
	look: Look;
	sight: Sight;
	row: number;
	column: number;
	/** Of the picture that is painted on. */
	pixels: number;
	onChoose: (row: number, column: number) => void;
}) {
	const { session, shown, chosen, look, sight, row, column, pixels, onChoose } = props;
	const { state, kernel, show, compute } = session;
	const inputs = state._pictures.value;
	const offline = kernel.value !== "live";
	const panel = state.panel.value;
	const region = filled(state.region.value);
	const effect = filled(state._effect.value);
	const current = effect && region && effect.column === column && String(effect.runs) === String(region.runs);
	const curves = filled(state._curves.value);
	const strip = filled(state._strip.value);
	const running = state.randomizing.value;
	const pick = ({ cell }: Shown) => onChoose(cell.row, cell.span > 1 ? column : cell.column);
	return (
		<div class="xai-below">
			<Segmented
				label="Which to believe"
				options={PANELS.map((value) => ({ value, label: value }))}
				value={panel}
				onChange={(panel) => show({ panel })}
			/>
			{panel === "agreement" && (
				<AgreementPanel
					shown={shown}
					matrix={state._agreement.value}
					input={inputs[0]}
					look={look}
					sight={sight}
					onChoose={pick}
				/>
			)}
			{panel === "region" && (
				<Claims
					shown={shown}
					region={region}
					effect={current ? effect : null}
					pixels={pixels}
					offline={offline}
					row={row}
					column={column}
					onChoose={pick}
				/>
			)}
			{panel === "curves" &&
				(curves ? (
					<CurvesPanel curves={curves} row={row} column={column} onChoose={onChoose} />
				) : (
					<p class="xai-quiet">The curves come after the maps.</p>
				))}
			{panel === "random weights" && (
				<>
					<div class="xai-buttons">
						<button
							type="button"
							disabled={offline || !chosen}
							onClick={() => compute({ randomizing: !running })}
						>
							{running ? "Stop" : `Randomize “${chosen?.name ?? ""}”`}
						</button>
					</div>
					{strip ? (
						<StripPanel strip={strip} look={look} running={running} />
					) : (
						<p class="xai-quiet">
							{running
								? "Drawing new weights."
								: "Does the map depend on what the model has learnt? One explanation for each layer: this takes a while."}
						</p>
					)}
				</>
			)}
		</div>
	);
}
