import { significant } from "../format";
import { isFeatures, isPicture } from "../inputs";
import type { Look } from "../paint";
import { moved, pointAt, spotOf } from "../reading";
import type { GridCell, Input } from "../state";
import type { Brush } from "../use_brush";
import type { Shown } from "../use_cells";
import { reveal, type Spot } from "../view";
import { BrushLayer } from "./brush";
import { MapCell, type Sight, sizeOf } from "./map_cell";

const CENTRE: Spot = { x: 0.5, y: 0.5 };

/** One cell of the grid: its maps, a figure below them, and what the keys do on them. */
export function Cell(props: {
	cell: GridCell;
	own: Shown | undefined;
	name: string;
	inputs: Input[];
	smooth: number;
	look: Look;
	sight: Sight;
	brush: Brush;
	chosen: boolean;
	onChoose: () => void;
}) {
	const { cell, own, name, inputs, smooth, look, sight, brush, chosen, onChoose } = props;
	const sentence = `${name}: ${own ? own.cell.sentence : "no map yet"}`;
	const maps = inputs.map((input, i) => {
		const raster = own?.rasters[i] ?? null;
		const picture = isPicture(input) ? input : null;
		return { input, raster, picture, size: isFeatures(input) ? null : sizeOf(picture, raster) };
	});

	const press = (event: KeyboardEvent) => {
		const { key, shiftKey } = event;
		const size = maps[brush.input]?.size ?? maps[0]?.size;
		const point = size && pointAt(sight.spot ?? CENTRE, size);
		if (key === "Enter" || key === " ") {
			if (point && brush.tool !== "look") brush.over(brush.input).dab(spotOf(point, size));
			else onChoose();
		} else if (key === "Escape") sight.onHover(null);
		else {
			const to = point && moved(point, key, shiftKey, size);
			if (!to) return;
			const next = spotOf(sight.spot ? to : point, size);
			sight.onHover(next);
			sight.onView(reveal(sight.view, next));
		}
		event.preventDefault();
	};

	return (
		<div class="xai-cell" data-chosen={chosen || undefined} data-pending={cell.progress < 1 || undefined}>
			<div
				class="xai-cell-maps"
				role="application"
				aria-label={chosen ? `${name}, chosen` : name}
				// biome-ignore lint/a11y/noNoninteractiveTabindex: arrow keys move the point that is read.
				tabIndex={0}
				onKeyDown={press}
			>
				{maps.map(({ input, raster, picture, size }, i) => {
					if (isFeatures(input)) return null;
					if (!size) return <div key={i} class="xai-placeholder" role="img" aria-label={sentence} />;
					return (
						<MapCell
							key={i}
							map={raster}
							smooth={smooth}
							picture={picture}
							size={size}
							look={look}
							sight={sight}
							sentence={sentence}
							onPick={onChoose}
							over={picture && <BrushLayer painting={brush.over(i)} size={size} {...sight} />}
						/>
					);
				})}
			</div>
			{cell.error ? (
				<p class="xai-error">{cell.error}</p>
			) : (
				<span class="xai-figure xai-quiet">
					{own && maps.some(({ size }) => size) && figure(own, sight, look)}
				</span>
			)}
		</div>
	);
}

/** The value at the spot that is read, else where the colours end. */
function figure({ rasters: [map] }: Shown, { spot }: Sight, { scale }: Look): string {
	if (!spot) return `±${significant(scale, 2)}`;
	const { column, row } = pointAt(spot, map);
	return significant(map.values[row * map.width + column], 3);
}
