import { consensus } from "../consensus";
import { fixed } from "../format";
import { useMemo } from "../hooks";
import { isPicture } from "../inputs";
import type { Scene } from "../scene";
import { MapCell, type Sight, sizeOf } from "./map_cell";
import { shade, Table } from "./table";

/** How alike the maps are: in numbers, the stronger the deeper, and where. */
export function AgreementPanel({ session, shown, look, sight, choose }: Scene & { sight: Sight }) {
	const matrix = session.state._agreement.value;
	const [input] = session.state._pictures.value;
	const both = useMemo(
		() => consensus(shown.map(({ rasters, end }) => ({ raster: rasters[0], end }))),
		[shown],
	);
	const picture = input && isPicture(input) ? input : null;
	const size = both && sizeOf(picture, both.mean);
	return (
		<>
			<p class="xai-quiet">
				{matrix.length
					? "Rank correlation (Spearman). Maps that disagree may answer different questions; two that agree may both be wrong."
					: "The numbers come with the last map."}
			</p>
			{matrix.length === shown.length && (
				<div class="xai-matrix">
					<Table
						label="Rank correlation of the maps"
						heads={["Map", ...matrix.map((_, i) => `${i + 1}`)]}
						rows={matrix.map((values, i) => ({
							name: `${i + 1} ${shown[i].name}`,
							cells: values.map((value) => ({ text: fixed(value, 2), shade: shade(value) })),
							onChoose: () => choose(shown[i].cell),
						}))}
					/>
				</div>
			)}
			{size && size.height > 1 && shown.length > 1 && (
				<div class="xai-consensus">
					{(["mean", "spread"] as const).map((which) => (
						<figure key={which}>
							<MapCell
								map={both[which]}
								picture={picture}
								size={size}
								look={look(1)}
								sight={sight}
								sentence={WHICH[which]}
							/>
							<figcaption>{WHICH[which]}</figcaption>
						</figure>
					))}
				</div>
			)}
		</>
	);
}

const WHICH = {
	mean: "Consensus: mean of the maps, each up to its own end",
	spread: "Disagreement: their standard deviation",
};
