import type { ComponentChildren } from "preact";

export interface TableRow {
	name: string;
	cells: { text: ComponentChildren; shade?: string }[];
	chosen?: boolean | undefined;
	onChoose?: (() => void) | undefined;
}

/** Figures of maps, a row each; its name chooses the map. Where it is wider than its place, keys scroll it. */
export function Table({ label, heads, rows }: { label: string; heads: string[]; rows: TableRow[] }) {
	return (
		// biome-ignore lint/a11y/noNoninteractiveTabindex: it scrolls.
		<div class="xai-scroll" tabIndex={0} role="group" aria-label={label}>
			<table>
				<thead>
					<tr>
						{heads.map((head, i) => (
							<th key={i} scope="col">
								{head}
							</th>
						))}
					</tr>
				</thead>
				<tbody>
					{rows.map(({ name, cells, chosen, onChoose }) => (
						<tr key={name} data-chosen={chosen || undefined}>
							<th scope="row" data-name={name}>
								{onChoose ? (
									<button type="button" class="xai-link" onClick={onChoose}>
										{name}
									</button>
								) : (
									name
								)}
							</th>
							{cells.map(({ text, shade }, i) => (
								<td key={i} style={{ background: shade }}>
									{text}
								</td>
							))}
						</tr>
					))}
				</tbody>
			</table>
		</div>
	);
}

/** What stands behind a number from -1 to 1: a colour, the further from 0 the deeper. */
export function shade(value: number, colour = `var(--xai-${value < 0 ? "warn" : "accent"})`): string {
	const depth = Math.round(38 * Math.min(Math.abs(value), 1));
	return `color-mix(in srgb, ${colour} ${depth}%, transparent)`;
}
