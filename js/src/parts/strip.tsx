import { decodeArray } from "../buffers";
import { fixed } from "../format";
import { useMemo } from "../hooks";
import { colourScale, type Look, paintBare, sortedMagnitudes } from "../paint";
import type { FrameArray, Strip } from "../state";
import { usePixels } from "./use_pixels";

/** The same map as layers lose what they have learnt, from the head down, with its likeness to the first. */
export function StripPanel({ strip, look }: { strip: Strip; look: Look }) {
	return (
		<>
			<p class="xai-quiet">
				{strip.name} with one more random layer each time, from the head down, and its rank correlation with
				the first. A map that stays does not show what the model has learnt.
			</p>
			{/* biome-ignore lint/a11y/noNoninteractiveTabindex: where it is wider than its place, keys scroll it. */}
			<div class="xai-strip xai-scroll" tabIndex={0} role="group" aria-label="Maps with random weights">
				{strip.stages.map(({ layer, similarity }, i) => (
					<figure key={i}>
						<Stage
							data={strip.data}
							array={strip.arrays[i]}
							look={look}
							label={`${strip.name}, ${layer ? `random down to ${layer}` : "as trained"}: ${fixed(similarity, 2)}`}
						/>
						<figcaption>
							<span title={layer}>{layer || "as trained"}</span>
							<span class="xai-figure">{fixed(similarity, 2)}</span>
							<span class="xai-level" style={{ inlineSize: `${100 * Math.max(similarity, 0)}%` }} />
						</figcaption>
					</figure>
				))}
			</div>
		</>
	);
}

function Stage({
	data,
	array,
	look,
	label,
}: {
	data: DataView;
	array: FrameArray;
	look: Look;
	label: string;
}) {
	const [height, width] = array.shape;
	const values = useMemo(() => decodeArray(data, array), [data]);
	const own = useMemo(() => ({ ...look, scale: colourScale(sortedMagnitudes(values), 99) }), [values, look]);
	const canvas = usePixels((words) => paintBare(words, values, own), [own]);
	return <canvas ref={canvas} width={width} height={height} role="img" aria-label={label} />;
}
