import { aboutChosen } from "../about_chosen";
import { useState } from "../hooks";
import { isFeatures } from "../inputs";
import type { Session } from "../model";
import { columnOf, type Place, type Scene } from "../scene";
import type { CompareState } from "../state";
import { useBrush } from "../use_brush";
import { useCells } from "../use_cells";
import { useLook } from "../use_look";
import { type Spot, WHOLE } from "../view";
import { AxesControls } from "./axes_controls";
import { Below } from "./below";
import { BrushTools } from "./brush_tools";
import { FeatureTable } from "./features";
import { Grid } from "./grid";
import { Legend } from "./legend";
import { MapControls } from "./map_controls";
import { PathCurve } from "./path_curve";
import { Segmented } from "./segmented";
import { Shell } from "./shell";
import { Tools } from "./tools";

/** The comparison: a grid of maps that share cursor and scale, and below it what tells which of them to believe. */
export function CompareView(session: Session<CompareState>) {
	const { state, kernel, compute, show } = session;
	const axes = state._axes.value;
	const inputs = state._pictures.value;
	const error = state.error.value;
	const row = Math.max(0, Math.min(state.row.value, axes.rows.length - 1));
	const column = Math.max(0, Math.min(state.column.value, axes.columns.length - 1));
	const shown = useCells(state._cells.value, axes, state.clip.value);
	const chosen = shown.find(({ cell }) => cell.row === row && columnOf(cell, column) === column);
	const [view, onView] = useState(WHOLE);
	const [spot, onHover] = useState<Spot | null>(null);
	const one = state.one_scale.value;
	const common = one ? Math.max(0, ...shown.map(({ end }) => end)) : null;
	const look = useLook(state);

	const brush = useBrush(session, { panel: "region" });
	const sight = { view, spot, onView, onHover };
	const choose = (cell: Place) => {
		const ask = kernel.value === "live" ? compute : show;
		ask({ row: cell.row, column: columnOf(cell, column) });
	};
	const scene: Scene | null = look && { session, shown, chosen, column, look, choose };

	return (
		<Shell
			session={aboutChosen(session, chosen, row, column)}
			name="compare"
			finer={MapControls}
			below={<PathCurve frame={chosen?.cell} />}
			sentence={chosen && `${chosen.name}. ${chosen.cell.sentence}`}
			choices={<AxesControls session={session} row={row} column={column} />}
		>
			<div class="xai-stage">
				{scene && !inputs.every(isFeatures) && (
					<Grid {...scene} row={row} common={common} sight={sight} brush={brush} />
				)}
				{/* Features are in units of the end of each map. */}
				{inputs.map(
					(input, i) =>
						look &&
						isFeatures(input) && (
							<FeatureTable key={i} shown={shown} input={input} place={i} table={look(1).table} />
						),
				)}
				{error && (
					<p class="xai-error" role="alert">
						{error}
					</p>
				)}
				{look && brush.paintable && (
					<>
						<div class="xai-scale">
							<Legend {...look(1)} scale={common ?? 1} />
							<p class="xai-quiet">
								{one
									? "One scale of raw values, up to the largest end; methods differ in their units."
									: `Each map up to its own end, the number below it: the ${state.clip.value} % point of its magnitudes.`}
							</p>
						</div>
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
							<BrushTools brush={brush} />
						</div>
					</>
				)}
				{brush.paintable && (
					<Tools mode={null} view={view} sign={state.sign.value} onShow={show} onView={onView} />
				)}
				{scene && <Below {...scene} sight={sight} paintable={brush.paintable} />}
			</div>
		</Shell>
	);
}
