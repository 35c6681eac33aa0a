import { useMemo, useState } from "preact/hooks";
import { aboutChosen } from "../about_chosen";
import { filled, isFeatures, isPicture } from "../inputs";
import type { Session } from "../model";
import { fromRuns, type Mask, toRuns } from "../region";
import type { CompareState } from "../state";
import { useCells } from "../use_cells";
import { useLook } from "../use_look";
import { type Spot, WHOLE } from "../view";
import { AxesControls } from "./axes_controls";
import { Below } from "./below";
import type { Tool } from "./brush";
import { BrushTools } from "./brush_tools";
import type { Sight } from "./cell";
import { Grid } from "./grid";
import { ScaleLegend } from "./scale_legend";
import { Segmented } from "./segmented";
import { Shell } from "./shell";
import { Tools } from "./tools";

/** The comparison: a grid of maps that share cursor and scale, and below it what tells which of them to believe. */
export function CompareView(session: Session<CompareState>) {
	const { state, kernel, compute, show } = session;
	const axes = state._axes.value;
	const cells = state._cells.value;
	const inputs = state._pictures.value;
	const error = state.error.value;
	const row = Math.max(0, Math.min(state.row.value, cells.length - 1));
	const column = Math.max(0, Math.min(state.column.value, axes.columns.length - 1));
	const shown = useCells(cells, axes, state.clip.value);
	const chosen = shown.find(({ cell }) => cell.row === row && (cell.span > 1 || cell.column === column));
	const [view, onView] = useState(WHOLE);
	const [spot, onSpot] = useState<Spot | null>(null);
	const [tool, setTool] = useState<Tool>("look");
	const [radius, setRadius] = useState(8);
	const one = state.one_scale.value;
	const common = shown.reduce((most, { end }) => Math.max(most, end), 0);
	const look = useLook(state);

	// A region is painted on the first picture, and lies there in all maps.
	const region = filled(state.region.value);
	const painted = region?.input ?? inputs.findIndex(isPicture);
	const picture = inputs[painted];
	const shape = picture && isPicture(picture) ? picture.shape : null;
	const mask = useMemo(
		() => region && shape && fromRuns(region.runs, { height: shape[0], width: shape[1] }),
		[region, shape],
	);
	// Without a kernel the claims follow all the same.
	const ask = kernel.value === "live" ? compute : show;
	const onPaint = (mask: Mask) => {
		const runs = toRuns(mask);
		ask({ region: runs.length ? { input: painted, runs } : {}, panel: "region" });
	};
	const choose = (row: number, column: number) => ask({ row, column });
	const sight: Sight = { view, spot, tool, radius, painted, mask, onView, onSpot, onPaint };

	return (
		<Shell
			session={aboutChosen(session, chosen, row, column)}
			name="compare"
			sentence={chosen && `${chosen.name}. ${chosen.cell.sentence}`}
			choices={
				<AxesControls
					axes={axes}
					methods={state.methods.value}
					baselines={state.baselines.value}
					schemas={state._schema.value}
					row={row}
					column={column}
					disabled={kernel.value !== "live"}
					onChange={compute}
				/>
			}
		>
			<div class="xai-stage">
				{look && (
					<Grid
						axes={axes}
						cells={cells}
						shown={shown}
						inputs={inputs}
						smooth={state.smooth.value}
						look={(of) => look(one ? common : (of?.end ?? 0))}
						sight={sight}
						row={row}
						column={column}
						onChoose={choose}
					/>
				)}
				{error && (
					<p class="xai-error" role="alert">
						{error}
					</p>
				)}
				{look && shape && (
					<>
						<ScaleLegend look={look(one ? common : 1)} one={one} clip={state.clip.value} />
						<div class="xai-tools">
							<Segmented
								label="Scale"
								options={[
									{ value: "own", label: "each its own" },
									{ value: "one", label: "one scale" },
								]}
								value={one ? "one" : "own"}
								onChange={(value) => show({ one_scale: value === "one" })}
							/>
							<BrushTools
								tool={tool}
								radius={radius}
								any={mask !== null}
								onTool={setTool}
								onRadius={setRadius}
								onClear={() => ask({ region: {} })}
							/>
						</div>
					</>
				)}
				<Tools
					mode={null}
					view={inputs.every(isFeatures) ? null : view}
					sign={state.sign.value}
					onShow={show}
					onView={onView}
				/>
				{look && (
					<Below
						session={session}
						shown={shown}
						chosen={chosen}
						look={look(1)}
						sight={sight}
						row={row}
						column={column}
						pixels={shape ? shape[0] * shape[1] : 1}
						onChoose={choose}
					/>
				)}
			</div>
		</Shell>
	);
}
