import { strongest } from "../flow";
import { signed } from "../format";
import { useMemo } from "../hooks";
import { paintBare, type Table } from "../paint";
import type { Sign } from "../state";
import { usePixels } from "./use_pixels";

const CELLS = 256;

/** What each channel of a layer holds, as a strip of colours with a scale of its own. */
export function Units({ values, table, sign }: { values: Float64Array; table: Table; sign: Sign }) {
	const cells = useMemo(() => strongest(values, CELLS), [values]);
	const best = values.reduce((at, value, i) => (Math.abs(value) > Math.abs(values[at]) ? i : at), 0);
	const scale = Math.abs(values[best] ?? 0);
	const canvas = usePixels(
		(words) => paintBare(words, cells, { table, sign, opacity: 1, scale, threshold: 0 }),
		[cells, table, sign, scale],
	);
	const most =
		values.length === 0
			? "too many to draw"
			: scale > 0
				? `most in channel ${best}: ${signed(values[best], 3)}`
				: "none of them has any";
	return (
		<div class="xai-units" role="img" aria-label={`Relevance by channel: ${most}`}>
			<span>By channel</span>
			<span class="xai-figure">{values.length || ""}</span>
			<canvas ref={canvas} width={Math.max(cells.length, 1)} height={1} />
			<span class="xai-most">{most}</span>
		</div>
	);
}
