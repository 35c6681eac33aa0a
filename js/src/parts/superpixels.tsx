import { significant } from "../format";
import { useMemo } from "../hooks";
import type { Look } from "../paint";
import { type Player, without } from "../players";
import type { Point, Size } from "../reading";
import type { Mode, Picture } from "../state";
import type { Painting } from "../use_brush";
import type { View } from "../view";
import { MapView } from "./map";
import { Outlines } from "./outlines";

/** A picture cut into players: each in the colour of its weight, to be pointed at, and switched off and on. */
export function Superpixels(props: {
	picture: Picture;
	/** What stands for the picture where players are absent; null where nothing can be shown for it. */
	absent: Picture | null;
	size: Size;
	/** The player of each pixel. */
	numbers: Uint16Array;
	players: Player[];
	/** By player, as they are painted. */
	shown: Float64Array;
	/** By player, as they were computed. */
	weights: Float64Array;
	lit: number | null;
	off: Set<number>;
	look: Look;
	mode: Mode;
	view: View;
	painting: Painting;
	sentence: string;
	label: string;
	onView: (view: View) => void;
	onLit: (player: number | null) => void;
	onToggle: (player: number) => void;
}) {
	const { picture, absent, size, numbers, players, shown, weights, lit, off, view } = props;
	const { height, width } = size;
	const edited = useMemo(
		() => (absent && off.size ? without(picture, absent, numbers, off) : picture),
		[picture, absent, numbers, off],
	);
	const map = useMemo(
		() => ({ height, width, values: Float64Array.from(numbers, (player) => shown[player] ?? 0) }),
		[numbers, shown, height, width],
	);
	const at = ({ column, row }: Point) => numbers[row * width + column];
	const read = (point: Point) => {
		const player = players[at(point)];
		const weight = weights[player.number];
		const state = off.has(player.number) ? "  off" : "";
		return `${player.label}${weight === undefined ? "" : `  ${significant(weight, 4)}`}${state}`;
	};
	return (
		<MapView
			{...props}
			key={`${height} × ${width}`}
			map={map}
			picture={edited}
			over={<Outlines numbers={numbers} size={size} lit={lit} off={off} view={view} />}
			onPoint={(point) => props.onLit(point && at(point))}
			onPick={(point) => props.onToggle(at(point))}
			read={read}
		/>
	);
}
