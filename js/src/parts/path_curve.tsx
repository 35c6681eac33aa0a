import { curvePoints } from "../curve";
import { fixed, percent, scoreDecimals } from "../format";
import type { Frame } from "../state";

const WIDTH = 200;
const HEIGHT = 56;

/** How the score rises from the baseline to the picture, or from step to step. */
export function PathCurve({ frame }: { frame: Frame | null | undefined }) {
	if (!frame?.path?.scores.length) return null;
	const { path, card } = frame;
	const { scores, early, ends } = path;
	const decimals = scoreDecimals(card);
	const [first, last] = [scores[0], scores[scores.length - 1]].map((score) => fixed(score, decimals));
	return (
		<figure class="xai-path" role="img" aria-label={`Score along the path, from ${first} to ${last}`}>
			<span>score along the path</span>
			<svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
				<polyline points={curvePoints(path, WIDTH, HEIGHT)} />
			</svg>
			<span>{ends[0]}</span>
			<span>{ends[1]}</span>
			{early !== null && <span class="xai-early">{percent(early)} within the first fifth</span>}
		</figure>
	);
}
