import { signed } from "../format";
import { paintLegend, signRange, type Table } from "../paint";
import type { Sign } from "../state";
import { usePixels } from "./use_pixels";

/** The colours of the map with the numbers at which they end. */
export function Legend(props: { table: Table; sign: Sign; threshold: number; scale: number | null }) {
	const { table, sign, threshold, scale } = props;
	const canvas = usePixels((words) => paintLegend(words, table, sign, threshold), [table, sign, threshold]);
	const [low, high] = signRange(sign);
	const end = (t: number) => (scale === null ? "" : signed(t * scale, 3));

	return (
		<div class="xai-legend">
			<span class="xai-figure">{end(low)}</span>
			<canvas ref={canvas} width={256} height={1} />
			<span class="xai-figure">{end(high)}</span>
		</div>
	);
}
