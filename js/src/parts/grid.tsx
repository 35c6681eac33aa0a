import { isPicture } from "../inputs";
import { columnOf, type Scene } from "../scene";
import type { Brush } from "../use_brush";
import { nameOf } from "../use_cells";
import { Cell } from "./cell";
import type { Sight } from "./map_cell";
import { Swatch } from "./swatch";

/**
 * Rows of methods, each under its name; those that have one map for all columns stand beside one another. Maps follow
 * one another's cursor and magnification.
 */
export function Grid(
	props: Scene & {
		row: number;
		/** Where colours end in all maps; null: each at its own end. */
		common: number | null;
		sight: Sight;
		brush: Brush;
	},
) {
	const { session, shown, row, column, common, look, sight, brush, choose } = props;
	const { _axes, _cells, _pictures, smooth } = session.state;
	const { rows, columns, looks } = _axes.value;
	const single = columns.length === 1;
	const headed = _cells.value.findIndex(([first]) => first.span === 1);
	const found = new Map(shown.map((one) => [`${one.cell.row} ${one.cell.column}`, one]));
	return (
		<div
			class="xai-grid"
			style={{
				gridTemplateColumns: single
					? "repeat(auto-fill, minmax(150px, 1fr))"
					: `repeat(${columns.length}, minmax(0, 200px))`,
			}}
		>
			{_cells.value.map((line, at) => {
				const based = line[0].span === 1;
				const name = (
					<p class="xai-title xai-row-name" key={`row ${at}`}>
						{rows[at]} {!based && <small>no baseline</small>}
					</p>
				);
				const maps = line.map((cell) => {
					const key = `${at} ${cell.column}`;
					const own = found.get(key);
					return (
						<Cell
							key={key}
							cell={cell}
							own={own}
							name={nameOf(cell, _axes.value)}
							inputs={_pictures.value}
							smooth={smooth.value}
							look={look(common ?? own?.end ?? 0)}
							sight={sight}
							brush={brush}
							chosen={row === at && columnOf(cell, column) === column}
							onChoose={() => choose(cell)}
						/>
					);
				});
				if (single || !based)
					return (
						<div key={at}>
							{name}
							{maps}
						</div>
					);
				const heads =
					at === headed
						? columns.map((name, i) => (
								<div key={`column ${i}`} class="xai-column" style={{ gridColumn: i + 1 }}>
									{looks[i] && isPicture(looks[i]) && <Swatch picture={looks[i]} />}
									{name}
								</div>
							))
						: [];
				return [...heads, name, ...maps];
			})}
		</div>
	);
}
