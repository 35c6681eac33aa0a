import { useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Layer, Picture } from "../state";
import { Swatch } from "./swatch";

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
	const tree = useRef<HTMLDivElement>(null);
	const chosen = layers.findIndex(({ path }) => path === current);
	// One stop of the Tab key: the row that arrows have reached, else the chosen one.
	const [reached, setReached] = useState<number | null>(null);
	const stop = Math.min(reached ?? Math.max(chosen, 0), layers.length - 1);

	useLayoutEffect(() => {
		setReached(null);
		keepInSight(tree.current, chosen);
	}, [chosen]);

	const choose = ({ place }: Layer) => {
		if (place !== null && !disabled) onChange(place);
	};
	const press = (event: KeyboardEvent) => {
		if (event.key === "Enter" || event.key === " ") choose(layers[stop]);
		const to = event.key === "Enter" || event.key === " " ? stop : destination(event.key, stop, layers);
		if (to === null) return;
		event.preventDefault();
		setReached(to);
		(tree.current?.children[to] as HTMLElement | undefined)?.focus({ preventScroll: true });
		keepInSight(tree.current, to);
	};

	return (
		<div ref={tree} class="xai-tree" role="tree" aria-label="Layers of the model" onKeyDown={press}>
			{layers.map((layer, i) => {
				const { path, level, kind, place, shape } = layer;
				const picture = place === null ? null : pictures[place];
				return (
					// biome-ignore lint/a11y/useKeyWithClickEvents: keys are the tree's.
					<div
						key={path}
						role="treeitem"
						aria-level={level}
						aria-selected={i === chosen}
						aria-disabled={place === null || disabled}
						class={place === null ? "xai-dim" : ""}
						style={{ paddingInlineStart: `${4 + 12 * (level - 1)}px` }}
						title={`${path} (${kind})`}
						tabIndex={i === stop ? 0 : -1}
						onFocus={() => setReached(i)}
						onClick={() => choose(layer)}
					>
						<span class="xai-activation">{picture && <Swatch picture={picture} />}</span>
						<span class="xai-name">{path.slice(path.lastIndexOf("/") + 1)}</span>
						<span class="xai-figure">{place === null ? kind : shape}</span>
					</div>
				);
			})}
		</div>
	);
}

/** A row up or down; to the layer that holds this one, or into it. */
function destination(key: string, from: number, layers: Layer[]): number | null {
	const { level } = layers[from];
	switch (key) {
		case "ArrowDown":
			return Math.min(from + 1, layers.length - 1);
		case "ArrowUp":
			return Math.max(from - 1, 0);
		case "ArrowRight":
			return layers[from + 1]?.level > level ? from + 1 : from;
		case "ArrowLeft": {
			const holder = layers.slice(0, from).findLastIndex((other) => other.level < level);
			return holder < 0 ? from : holder;
		}
		case "Home":
			return 0;
		case "End":
			return layers.length - 1;
		default:
			return null;
	}
}

/** Scrolls the tree alone, and leaves a neighbour in sight. */
function keepInSight(tree: HTMLElement | null, row: number): void {
	const item = tree?.children[row];
	if (!tree || !(item instanceof HTMLElement)) return;
	const room = item.offsetHeight;
	const below = item.offsetTop + item.offsetHeight + room - tree.clientHeight;
	tree.scrollTop = Math.min(Math.max(tree.scrollTop, below), item.offsetTop - room);
}
