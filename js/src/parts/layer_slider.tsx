import type { Layer } from "../state";
import { useUniqueId } from "./unique_id";

/** The way through a network by depth; `current` is -1 before the first map. */
export function LayerSlider(props: {
	/** In call order. */
	places: Layer[];
	current: number;
	onChange: (place: number) => void;
}) {
	const { places, current } = props;
	const id = useUniqueId();
	const { path = "", shape = "" } = places[current] ?? {};
	return (
		<>
			<label for={id}>Layer</label>
			<input
				id={id}
				type="range"
				min={0}
				max={places.length - 1}
				value={current}
				aria-valuetext={`${path}, ${shape}`}
				onInput={(event) => props.onChange(event.currentTarget.valueAsNumber)}
			/>
			<span class="xai-figure">{`${current + 1} of ${places.length}`}</span>
			<p title={path}>
				<span class="xai-name">{path}</span>
				<span class="xai-figure">{shape}</span>
			</p>
		</>
	);
}
