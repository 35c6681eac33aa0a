import type { ComponentChildren } from "preact";
import { useState } from "../hooks";
import { useRoving } from "./use_roving";

interface Tile {
	key: string | number;
	content: ComponentChildren;
}

/** Small pictures of one layer in rows: one of them is chosen by arrows, or some are pressed. */
export function Tiles(props: {
	/** The id of its heading. */
	heading: string;
	tiles: Tile[];
	chosen: number;
	/** Whether arrows choose; else they only move, and a press chooses or lets go. */
	radio?: boolean;
	disabled: boolean;
	onChoose: (place: number) => void;
}) {
	const { heading, tiles, chosen, radio, disabled, onChoose } = props;
	const [reached, setReached] = useState(0);
	const stop = radio ? Math.max(chosen, 0) : Math.min(reached, tiles.length - 1);
	const row = useRoving(stop, tiles.length - 1, radio ? onChoose : setReached);
	const group = { role: radio ? "radiogroup" : "toolbar", "aria-labelledby": heading } as const;
	return (
		<div class="xai-tiles" {...group} {...row}>
			{tiles.map(({ key, content }, i) => (
				<button
					key={key}
					type="button"
					class="xai-tile"
					disabled={disabled}
					{...(radio
						? { role: "radio" as const, "aria-checked": i === chosen }
						: { "aria-pressed": i === chosen })}
					tabIndex={i === stop ? 0 : -1}
					onClick={() => {
						setReached(i);
						onChoose(i);
					}}
				>
					{content}
				</button>
			))}
		</div>
	);
}
