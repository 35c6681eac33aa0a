import { curvePoints } from "../curve";
import { fixed, sharedDecimals } from "../format";
import type { Curve, CurveLine, Curves as Measured } from "../state";

const WIDTH = 240;
const HEIGHT = 96;
const KINDS = ["insertion", "deletion"] as const;
const TITLES = {
	insertion: "Insertion: the larger the area, the better",
	deletion: "Deletion: the smaller the area, the better",
};

/** What the score does as parts come or go in the order of each map, beside orders that know nothing of the model. */
export function CurvesPanel(props: {
	curves: Measured;
	row: number;
	column: number;
	onChoose: (row: number, column: number) => void;
}) {
	const { curves, row, column, onChoose } = props;
	const isChosen = (line: CurveLine) => line.row === row && line.column === column;
	// A map for all columns stands in the first one.
	const chosen =
		curves.lines.find(isChosen) ?? curves.lines.find((line) => line.row === row) ?? curves.lines[0];
	const lines = curves.lines.filter(({ group }) => group === chosen?.group);
	const scores = lines.flatMap(({ insertion, deletion }) => [...insertion.scores, ...deletion.scores]);
	const low = Math.min(...scores);
	const high = Math.max(...scores);
	const decimals = sharedDecimals(
		lines.flatMap(({ insertion, deletion }) => [insertion.area, deletion.area]),
	);
	const best = {
		insertion: Math.max(...lines.map(({ insertion }) => insertion.area)),
		deletion: Math.min(...lines.map(({ deletion }) => deletion.area)),
	};
	const measured = curves.lines.filter((line) => line.row !== null).length;
	return (
		<>
			<p class="xai-quiet">
				The {curves.score_name} as parts are put on, or replaced by, “{curves.baseline}”, most important
				first.
				{measured < curves.count && ` ${measured} of ${curves.count} maps measured.`}
			</p>
			<div class="xai-charts">
				{KINDS.map((kind) => (
					<figure
						key={kind}
						class="xai-chart"
						role="img"
						aria-label={`${kind} curve of ${chosen?.name}, area ${fixed(chosen?.[kind].area ?? 0, decimals)}, among ${lines.length} orders`}
					>
						<figcaption>{TITLES[kind]}</figcaption>
						<svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
							{chosen && (
								<polygon points={`0,${HEIGHT} ${points(chosen[kind], low, high)} ${WIDTH},${HEIGHT}`} />
							)}
							{lines.map((line) => (
								<polyline
									key={line.name}
									data-kind={line === chosen ? "chosen" : line.row === null ? line.name : undefined}
									points={points(line[kind], low, high)}
								/>
							))}
						</svg>
						<span class="xai-figure">
							<span>{fixed(high, decimals)}</span>
							<span>{fixed(low, decimals)}</span>
						</span>
					</figure>
				))}
			</div>
			<table class="xai-table">
				<thead>
					<tr>
						<th scope="col">Order</th>
						<th scope="col">Insertion area</th>
						<th scope="col">Deletion area</th>
					</tr>
				</thead>
				<tbody>
					{lines.map((line) => (
						<tr key={line.name} data-chosen={line === chosen || undefined}>
							<th scope="row">
								{line.row === null ? (
									<span class="xai-plain" data-kind={line.name}>
										{line.name}
									</span>
								) : (
									<button
										type="button"
										class="xai-link"
										onClick={() => onChoose(line.row ?? 0, line.column ?? 0)}
									>
										{line.name}
									</button>
								)}
							</th>
							{KINDS.map((kind) => (
								<td key={kind} class={line[kind].area === best[kind] ? "xai-best" : ""}>
									{fixed(line[kind].area, decimals)}
									{line[kind].area === best[kind] && <small> best</small>}
								</td>
							))}
						</tr>
					))}
				</tbody>
			</table>
		</>
	);
}

function points({ fractions, scores }: Curve, low: number, high: number): string {
	return curvePoints({ alphas: fractions, scores }, WIDTH, HEIGHT, [low, high]);
}
