import { fixed } from "../format";

/** Rank correlations as a table of numbers, the stronger the deeper; columns go by the numbers of the rows. */
export function Matrix(props: { names: string[]; values: number[][]; onChoose: (place: number) => void }) {
	const { names, values, onChoose } = props;
	return (
		// biome-ignore lint/a11y/noNoninteractiveTabindex: where it is wider than its place, keys scroll it.
		<div class="xai-scroll" tabIndex={0} role="region" aria-label="Rank correlation of the maps">
			<table class="xai-matrix">
				<thead>
					<tr>
						<th scope="col">Map</th>
						{names.map((name, i) => (
							<th key={i} scope="col" title={name}>
								{i + 1}
							</th>
						))}
					</tr>
				</thead>
				<tbody>
					{names.map((name, row) => (
						<tr key={row}>
							<th scope="row">
								<button type="button" class="xai-link" onClick={() => onChoose(row)}>
									{row + 1} {name}
								</button>
							</th>
							{values[row]?.map((value, column) => (
								<td key={column} style={{ background: shade(value) }}>
									{row === column ? "1" : fixed(value, 2)}
								</td>
							))}
						</tr>
					))}
				</tbody>
			</table>
		</div>
	);
}

function shade(value: number): string {
	const colour = value < 0 ? "var(--xai-warn)" : "var(--xai-accent)";
	return `color-mix(in srgb, ${colour} ${Math.round(38 * Math.abs(value))}%, transparent)`;
}
