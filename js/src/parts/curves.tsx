import { curvePoints } from "../curve";
import { fixed, sharedDecimals } from "../format";
import type { Scene } from "../scene";
import type { Curve, Curves as Measured } from "../state";
import { Table } from "./table";

const WIDTH = 240;
const HEIGHT = 96;
const KINDS = ["insertion", "deletion"] as const;

/** What the score does as parts come or go in the order of each map, beside orders that know nothing of the model. */
export function CurvesPanel({ curves, chosen, choose }: Scene & { curves: Measured }) {
	const at = chosen?.cell;
	const own =
		curves.lines.find(({ row, column }) => row === at?.row && column === at?.column) ?? curves.lines[0];
	const lines = curves.lines.filter(({ group }) => group === own?.group);
	const areas = (kind: (typeof KINDS)[number]) => lines.map((line) => line[kind].area);
	const scores = lines.flatMap((line) => KINDS.flatMap((kind) => line[kind].scores));
	const ends: [number, number] = [Math.min(...scores), Math.max(...scores)];
	const decimals = sharedDecimals(KINDS.flatMap(areas));
	const best = { insertion: Math.max(...areas("insertion")), deletion: Math.min(...areas("deletion")) };
	const measured = curves.lines.filter(({ row }) => row !== null).length;
	const points = ({ fractions: alphas, scores }: Curve) =>
		curvePoints({ alphas, scores }, WIDTH, HEIGHT, ends);
	return (
		<>
			<p class="xai-quiet">
				The {curves.score_name} as parts, the most important first, are inserted into “{curves.baseline}” (a
				large area is good) or deleted by it (a small one is).
				{measured < curves.count && ` ${measured} of ${curves.count} maps measured.`}
			</p>
			<div class="xai-charts">
				{KINDS.map((kind) => (
					<figure
						key={kind}
						class="xai-chart"
						role="img"
						aria-label={`${kind} curve of ${own?.name}, area ${fixed(own?.[kind].area ?? 0, decimals)}`}
					>
						<figcaption>{kind}</figcaption>
						<svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
							{own && <polygon points={`0,${HEIGHT} ${points(own[kind])} ${WIDTH},${HEIGHT}`} />}
							{lines.map((line) => (
								<polyline
									key={line.name}
									data-kind={line === own ? "chosen" : line.name}
									points={points(line[kind])}
								/>
							))}
						</svg>
						<span class="xai-figure">
							<span>{fixed(ends[1], decimals)}</span>
							<span>{fixed(ends[0], decimals)}</span>
						</span>
					</figure>
				))}
			</div>
			<Table
				label="Areas under the curves"
				heads={["Order", "Insertion area", "Deletion area"]}
				rows={lines.map((line) => ({
					name: line.name,
					chosen: line === own,
					onChoose:
						line.row === null
							? undefined
							: () => choose({ row: line.row ?? 0, column: line.column ?? 0, span: line.span }),
					cells: KINDS.map((kind) => {
						const text = fixed(line[kind].area, decimals);
						return { text: line[kind].area === best[kind] ? <b>{text} best</b> : text };
					}),
				}))}
			/>
		</>
	);
}
