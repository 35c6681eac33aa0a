import type { Layer } from "../state";
import { useUniqueId } from "./unique_id";

/** The way through a network by depth; `current` is -1 before the first map. */
export function LayerSlider(props: {
	/** In call order. */
	places: Layer[];
	current: number;
	automatic: boolean;
	disabled: boolean;
	onChange: (place: number) => void;
	onAutomatic: (on: boolean) => void;
}) {
	const { places, current, disabled } = props;
	const id = useUniqueId();
	const layer = places[current];
	return (
		<>
			<div class="xai-field" title="From what the input enters to what the score is made of.">
				<label for={id}>Layer</label>
				<input
					id={id}
					type="range"
					min={0}
					max={places.length - 1}
					step={1}
					value={current}
					disabled={disabled}
					aria-valuetext={layer ? `${layer.path}, ${layer.shape}` : ""}
					onInput={(event) => props.onChange(event.currentTarget.valueAsNumber)}
				/>
				<span class="xai-figure">{layer && `${current + 1} of ${places.length}`}</span>
				<p class="xai-layer" title={layer?.path}>
					<span>{layer?.path}</span>
					<span class="xai-figure">{layer?.shape}</span>
				</p>
			</div>
			<div class="xai-field" title="The layer that the method chooses by itself.">
				<label for={`${id}-automatic`}>Automatic</label>
				<input
					id={`${id}-automatic`}
					class="xai-switch"
					type="checkbox"
					role="switch"
					checked={props.automatic}
					disabled={disabled}
					onChange={(event) => props.onAutomatic(event.currentTarget.checked)}
				/>
			</div>
		</>
	);
}
