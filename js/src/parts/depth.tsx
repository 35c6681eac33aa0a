import { nameOf, shareOf } from "../flow";
import { fixed, percent, sharedDecimals } from "../format";
import type { Flow } from "../state";
import { Conservation } from "./conservation";
import { useUniqueId } from "./unique_id";

/** The way of relevance through a network: a slider under bars that say how much of the score is left where. */
export function Depth(props: { flow: Flow; current: number; onChange: (stop: number) => void }) {
	const { flow, current, onChange } = props;
	const { stops, score } = flow;
	const id = useUniqueId();
	const stop = stops[current];
	const share = shareOf(stop, score);
	const decimals = sharedDecimals(stops.map(({ sum }) => sum ?? 0));
	const bars = stops.map((one) => ({ name: nameOf(one), share: shareOf(one, score) }));
	// The thumb stands under the middle of its bar.
	const half = 50 / stops.length;
	const inset = {
		inlineSize: `calc(${100 - 2 * half}% + 16px)`,
		marginInlineStart: `calc(${half}% - 8px)`,
	};
	return (
		<div class="xai-flow">
			<p>
				<span class="xai-name" title={nameOf(stop)}>
					{nameOf(stop)}
				</span>
				<span class="xai-figure xai-quiet">{stop.shape}</span>
			</p>
			<p>
				<span class="xai-quiet">
					{stop.maps.length === 0 && stop.path
						? "no positions: nothing to lay over the picture"
						: stop.block > 1
							? `each cell adds up ${stop.block} × ${stop.block}`
							: "on a scale of its own"}
				</span>
				<span class="xai-figure">
					{stop.sum === null ? "not finite" : fixed(stop.sum, decimals)}
					{share !== null && <span class="xai-quiet">{` = ${percent(share)} of the score`}</span>}
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
				aria-valuetext={`${nameOf(stop)}, ${stop.shape}`}
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
