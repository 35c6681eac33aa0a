import { isPicture } from "../inputs";
import type { Look } from "../paint";
import type { Axes, GridCell, Input } from "../state";
import { nameOf, type Shown } from "../use_cells";
import { Cell, type Sight } from "./cell";
import { Swatch } from "./swatch";

/** Rows of methods, each under its name; maps follow one another's cursor and magnification. */
export function Grid(props: {
	axes: Axes;
	cells: GridCell[][];
	shown: Shown[];
	inputs: Input[];
	smooth: number;
	look: (shown: Shown | undefined) => Look;
	sight: Sight;
	row: number;
	column: number;
	onChoose: (row: number, column: number) => void;
}) {
	const { axes, cells, shown, column, row, onChoose } = props;
	const columns = axes.columns.length;
	const found = new Map(shown.map((one) => [`${one.cell.row} ${one.cell.column}`, one]));
	return (
		<div class="xai-grid" style={{ gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))` }}>
			{columns > 1 &&
				axes.columns.map((name, i) => (
					<div key={`${name} ${i}`} class="xai-column">
						{pictureOf(axes.looks[i])}
						<span>{name}</span>
					</div>
				))}
			{cells.map((line, at) => (
				<>
					<h4 key={`name ${at}`} class="xai-row-name">
						{axes.rows[at]}
						{line[0]?.span > 1 && <small> has no baseline: one map for all columns</small>}
					</h4>
					{line.map((cell) => (
						<Cell
							key={`${at} ${cell.column}`}
							{...props}
							cell={cell}
							own={found.get(`${at} ${cell.column}`)}
							name={nameOf(cell, axes)}
							chosen={row === at && (cell.span > 1 || cell.column === column)}
							onChoose={() => onChoose(at, cell.span > 1 ? column : cell.column)}
						/>
					))}
				</>
			))}
		</div>
	);
}

function pictureOf(look: Axes["looks"][number] | undefined) {
	return look && isPicture(look) && <Swatch picture={look} />;
}
