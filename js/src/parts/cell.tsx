import { topBars } from "../bars";
import { cellFigure } from "../cell_figure";
import { isFeatures, isPicture } from "../inputs";
import type { Look } from "../paint";
import { moved, pointAt, spotOf } from "../reading";
import { emptyMask, type Mask, pressed } from "../region";
import { boxMean } from "../smooth";
import type { GridCell, Input } from "../state";
import type { Shown } from "../use_cells";
import { reveal, type Spot, type View } from "../view";
import { Bars } from "./bars";
import { Brush, type Tool } from "./brush";
import { MapCell, sizeOf } from "./map_cell";

/** What all maps have in common: the place in sight, the spot that is read, and the brush. */
export interface Sight {
	view: View;
	spot: Spot | null;
	tool: Tool;
	radius: number;
	/** The input that is painted on, and what is painted. */
	painted: number;
	mask: Mask | null;
	onView: (view: View) => void;
	onSpot: (spot: Spot | null) => void;
	onPaint: (mask: Mask) => void;
}

/** One cell of the grid: its maps, a figure below them, and what the keys do on them. */
export function Cell(props: {
	cell: GridCell;
	own: Shown | undefined;
	name: string;
	inputs: Input[];
	smooth: number;
	look: (shown: Shown | undefined) => Look;
	sight: Sight;
	chosen: boolean;
	onChoose: () => void;
}) {
	const { cell, own, name, inputs, smooth, sight, chosen, onChoose } = props;
	const look = props.look(own);
	const sentence = own ? `${name}: ${own.cell.sentence}` : `${name}: no map yet`;
	const painted = inputs[sight.painted];
	const size = painted && sizeOf(isPicture(painted) ? painted : null, own?.rasters[sight.painted] ?? null);

	const press = (event: KeyboardEvent) => {
		if (event.key === "Enter" || event.key === " ") {
			event.preventDefault();
			return onChoose();
		}
		if (event.key === "Escape") return sight.onSpot(null);
		if (!size) return;
		if (sight.tool !== "look") {
			const mask = pressed(sight.mask ?? emptyMask(size), event.key, event.shiftKey);
			if (!mask) return;
			event.preventDefault();
			return sight.onPaint(mask);
		}
		const from = pointAt(sight.spot ?? { x: 0.5, y: 0.5 }, size);
		const to = moved(from, event.key, event.shiftKey, size);
		if (!to) return;
		event.preventDefault();
		const spot = spotOf(sight.spot ? to : from, size);
		sight.onSpot(spot);
		sight.onView(reveal(sight.view, spot));
	};

	return (
		<div class="xai-cell" data-chosen={chosen || undefined} data-pending={cell.progress < 1 || undefined}>
			<div
				class="xai-cell-maps"
				role="application"
				aria-label={`${name}${chosen ? ", chosen" : ""}: ${sight.tool === "look" ? "arrow keys move the point" : "arrow keys move the region, with Shift they size it"}`}
				// biome-ignore lint/a11y/noNoninteractiveTabindex: arrow keys move the point that is read.
				tabIndex={0}
				onKeyDown={press}
			>
				{inputs.map((input, i) => {
					const raster = own?.rasters[i] ?? null;
					if (isFeatures(input))
						return (
							<Bars
								key={input.name}
								bars={topBars(raster?.values ?? new Float64Array(input.shape[0]), input, look.sign).slice(
									0,
									6,
								)}
								pending={!raster}
								table={look.table}
								sign={look.sign}
								sentence={sentence}
							/>
						);
					const picture = isPicture(input) ? input : null;
					const size = sizeOf(picture, raster);
					if (!size) return <div key={input.name} class="xai-placeholder" role="img" aria-label={sentence} />;
					return (
						<MapCell
							key={input.name}
							map={raster && boxMean(raster, smooth)}
							picture={picture}
							size={size}
							look={look}
							view={sight.view}
							spot={sight.spot}
							sentence={sentence}
							onView={sight.onView}
							onSpot={sight.onSpot}
							onPick={onChoose}
							over={
								i === sight.painted && (
									<Brush
										mask={sight.mask}
										size={size}
										view={sight.view}
										tool={sight.tool}
										radius={sight.radius}
										onPaint={sight.onPaint}
									/>
								)
							}
						/>
					);
				})}
			</div>
			{cell.error ? (
				<p class="xai-error">{cell.error}</p>
			) : (
				<span class="xai-figure xai-quiet">{cellFigure(own, sight.spot, look.scale)}</span>
			)}
		</div>
	);
}
