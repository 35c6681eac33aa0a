import { useMemo } from "preact/hooks";
import { decodeArray } from "../buffers";
import { fixed } from "../format";
import { colourScale, type Look, paintBare, type Raster, sortedMagnitudes } from "../paint";
import type { Strip } from "../state";
import { usePixels } from "./use_pixels";

/** The same map as layers lose what they have learnt, from the head down, with its likeness to the first. */
export function StripPanel(props: { strip: Strip; look: Look; running: boolean }) {
	const { strip, look, running } = props;
	const maps = useMemo(
		() =>
			strip.arrays.map((array) => ({
				height: array.shape[0],
				width: array.shape[1],
				values: decodeArray(strip.data, array),
			})),
		[strip],
	);
	return (
		<>
			<p class="xai-quiet">
				{strip.name}: each map has one more layer with random weights, from the head down; below it, its rank
				correlation with the first. A map that stays the same does not show what the model has learnt.
			</p>
			{/* biome-ignore lint/a11y/noNoninteractiveTabindex: where it is wider than its place, keys scroll it. */}
			<div class="xai-strip xai-scroll" tabIndex={0} role="region" aria-label="Maps with random weights">
				{strip.stages.map(({ layer, similarity }, i) => (
					<figure key={i}>
						<Stage
							map={maps[i]}
							look={look}
							label={
								layer
									? `Map of ${strip.name} with random weights down to ${layer}, similarity ${fixed(similarity, 2)}`
									: `Map of ${strip.name} as trained`
							}
						/>
						<figcaption>
							<span title={layer}>{layer || "as trained"}</span>
							<span class="xai-figure">{fixed(similarity, 2)}</span>
							<span class="xai-level" style={{ inlineSize: `${100 * Math.max(similarity, 0)}%` }} />
						</figcaption>
					</figure>
				))}
				{running && <p class="xai-quiet">more layers to come</p>}
			</div>
		</>
	);
}

function Stage({ map, look, label }: { map: Raster; look: Look; label: string }) {
	const own = useMemo(() => ({ ...look, scale: colourScale(sortedMagnitudes(map.values), 99) }), [map, look]);
	const canvas = usePixels((words) => paintBare(words, map.values, own), [map, own]);
	return <canvas ref={canvas} width={map.width} height={map.height} role="img" aria-label={label} />;
}
