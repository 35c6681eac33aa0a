import { fixed, significant } from "../format";
import { barColour, type Table as Colours } from "../paint";
import type { Features } from "../state";
import type { Shown } from "../use_cells";
import { shade, Table } from "./table";

const SHOWN = 16;

/** The features that count most, a row each, with what each map gives them in units of its own end. */
export function FeatureTable(props: { shown: Shown[]; input: Features; place: number; table: Colours }) {
	const { shown, input, place, table } = props;
	const shares = shown.map(({ rasters, end }) => rasters[place].values.map((value) => value / (end || 1)));
	const weight = (i: number) => shares.reduce((sum, values) => sum + Math.abs(values[i]), 0);
	const order = input.labels.map((_, i) => i).sort((a, b) => weight(b) - weight(a));
	return (
		<>
			<Table
				label="Features in each map"
				heads={[
					"Feature",
					"Value",
					...shown.map(({ name, end }, i) => `${i + 1} ${name} ±${significant(end, 2)}`),
				]}
				rows={order.slice(0, SHOWN).map((i) => ({
					name: input.labels[i],
					cells: [
						{ text: input.texts[i] },
						...shares.map((values) => ({
							text: fixed(values[i], 2),
							shade: shade(values[i], barColour(table, "both", values[i])),
						})),
					],
				}))}
			/>
			<p class="xai-quiet">Each map in units of its own end, the number beside its name.</p>
		</>
	);
}
