import { useMemo } from "preact/hooks";
import { consensus } from "../consensus";
import { isPicture } from "../inputs";
import type { Look } from "../paint";
import type { Input } from "../state";
import type { Shown } from "../use_cells";
import type { Sight } from "./cell";
import { MapCell, sizeOf } from "./map_cell";
import { Matrix } from "./matrix";

/** How alike the maps are: in numbers, and where. */
export function AgreementPanel(props: {
	shown: Shown[];
	matrix: number[][];
	input: Input | undefined;
	look: Look;
	sight: Sight;
	onChoose: (shown: Shown) => void;
}) {
	const { shown, matrix, input, look, sight, onChoose } = props;
	const both = useMemo(
		() => consensus(shown.map(({ rasters, end }) => ({ raster: rasters[0], end }))),
		[shown],
	);
	const picture = input && isPicture(input) ? input : null;
	const size = both && sizeOf(picture, both.mean);
	const maps = both && [
		{ title: "Consensus", of: "mean of the maps, each up to its own end", map: both.mean, sign: look.sign },
		{ title: "Disagreement", of: "their standard deviation", map: both.spread, sign: "both" as const },
	];
	return (
		<>
			{matrix.length === shown.length && matrix.length > 1 ? (
				<>
					<p class="xai-quiet">
						Spearman’s rank correlation over all positions. Agreement is no proof; of two maps that disagree
						at most one is right.
					</p>
					<Matrix
						names={shown.map(({ name }) => name)}
						values={matrix}
						onChoose={(place) => onChoose(shown[place])}
					/>
				</>
			) : (
				<p class="xai-quiet">The numbers come with the last map.</p>
			)}
			{size && size.height > 1 && shown.length > 1 && (
				<div class="xai-consensus">
					{maps?.map(({ title, of, map, sign }) => (
						<figure key={title}>
							<MapCell
								map={map}
								picture={picture}
								size={size}
								look={{ ...look, scale: 1, sign }}
								view={sight.view}
								spot={sight.spot}
								sentence={`${title}: ${of}`}
								onView={sight.onView}
								onSpot={sight.onSpot}
							/>
							<figcaption>
								{title} <small>{of}</small>
							</figcaption>
						</figure>
					))}
				</div>
			)}
		</>
	);
}
