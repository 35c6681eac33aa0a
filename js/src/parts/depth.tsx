import { shareOf } from "../flow";
import { fixed, percent, sharedDecimals } from "../format";
import type { Flow, Stop } from "../state";
import { Conservation } from "./conservation";
import { useUniqueId } from "./unique_id";

/** The way of relevance through a network: a slider under bars that say how much of the score is left where. */
export function Depth(props: {
	flow: Flow;
	current: number;
	/** Whether maps lie over pictures; else there are bars. */
	pictured: boolean;
	onChange: (stop: number) => void;
}) {
	const { flow, current, pictured, onChange } = props;
	const { stops, score } = flow;
	const id = useUniqueId();
	const stop = stops[current];
	const share = shareOf(stop, score);
	const decimals = sharedDecimals(stops.map(({ sum }) => sum ?? 0));
	const bars = stops.map((one) => ({ name: one.name, share: shareOf(one, score) }));
	// The thumb stands under the middle of its bar.
	const half = 50 / stops.length;
	const inset = {
		inlineSize: `calc(${100 - 2 * half}% + 16px)`,
		marginInlineStart: `calc(${half}% - 8px)`,
	};
	return (
		<div class="xai-flow">
			<p>
				<span class="xai-name" title={stop.name}>
					{stop.name}
				</span>
				<span class="xai-figure xai-quiet">{stop.shape}</span>
			</p>
			<p class="xai-quiet">{noteOf(stop, pictured)}</p>
			<p>
				<span class="xai-quiet">Share of the score</span>
				<span class="xai-figure">
					{stop.sum === null ? "not finite" : fixed(stop.sum, decimals)}
					{share !== null && <span class="xai-quiet">{` = ${percent(share)}`}</span>}
				</span>
			</p>
			<Conservation stops={bars} current={current} onChange={onChange} />
			<input
				id={id}
				type="range"
				style={inset}
				min={0}
				max={stops.length - 1}
				value={current}
				aria-valuetext={`${stop.name}, ${stop.shape}`}
				onInput={(event) => onChange(event.currentTarget.valueAsNumber)}
			/>
			<p>
				<span class="xai-quiet">input</span>
				<label for={id}>Depth</label>
				<span class="xai-quiet">score</span>
			</p>
		</div>
	);
}

function noteOf({ name, path, maps, block }: Stop, pictured: boolean): string {
	if (!path)
		return name === "score" ? "Where relevance starts." : "Where relevance ends: the map of the method.";
	if (!pictured) return `For each ${maps.length > 0 ? "position" : "unit"} of the layer.`;
	if (maps.length === 0) return "It has no positions: nothing lies over the picture.";
	const cells = block > 1 ? ` Each cell adds up ${block} × ${block}.` : "";
	return `Summed over channels; colours end at this layer’s own values.${cells}`;
}
