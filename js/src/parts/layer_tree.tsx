import { useLayoutEffect, useState } from "../hooks";
import { keepInSight } from "../in_sight";
import type { Layer, Picture } from "../state";
import { Swatch } from "./swatch";
import { useRoving } from "./use_roving";

/** The layers of a model, those within others further in. A map can be made of the lit ones. */
export function LayerTree(props: {
	layers: Layer[];
	/** How active each lit layer is, in call order. */
	pictures: (Picture | null)[];
	/** The path of the layer whose map is shown. */
	current: string;
	disabled: boolean;
	onChange: (place: number) => void;
}) {
	const { layers, pictures, current, disabled, onChange } = props;
	const chosen = layers.findIndex(({ path }) => path === current);
	// One stop of the Tab key: the row that arrows have reached, else the chosen one.
	const [reached, setReached] = useState(-1);
	const stop = reached < 0 ? Math.max(chosen, 0) : reached;
	const move = (to: number) => {
		setReached(to);
		keepInSight(ref.current, to);
	};
	const { ref, onKeyDown } = useRoving(stop, layers.length - 1, move);

	useLayoutEffect(() => {
		setReached(-1);
		keepInSight(ref.current, chosen);
	}, [chosen]);

	const choose = ({ place }: Layer) => place !== null && !disabled && onChange(place);
	const press = (event: KeyboardEvent) => {
		onKeyDown(event);
		if (event.key !== "Enter" && event.key !== " ") return;
		event.preventDefault();
		choose(layers[stop]);
	};

	return (
		<div ref={ref} class="xai-tree" role="tree" aria-label="Layers of the model" onKeyDown={press}>
			{layers.map((layer, i) => {
				const { path, level, kind, place, shape } = layer;
				const lit = place !== null;
				const picture = lit && pictures[place];
				return (
					// biome-ignore lint/a11y/useKeyWithClickEvents: keys are the tree's.
					<div
						key={path}
						role="treeitem"
						aria-level={level}
						aria-selected={i === chosen}
						aria-disabled={!lit || disabled}
						class={lit ? "" : "xai-dim"}
						style={{ paddingInlineStart: `${4 + 12 * (level - 1)}px` }}
						title={`${path} (${kind})`}
						tabIndex={i === stop ? 0 : -1}
						onClick={() => choose(layer)}
					>
						<span class="xai-activation">{picture && <Swatch picture={picture} />}</span>
						<span class="xai-name">{path.slice(path.lastIndexOf("/") + 1)}</span>
						<span class="xai-figure">{lit ? shape : kind}</span>
					</div>
				);
			})}
		</div>
	);
}
