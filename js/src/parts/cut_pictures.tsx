import { useMemo, useState } from "../hooks";
import { isPicture } from "../inputs";
import type { Session } from "../model";
import type { Table } from "../paint";
import { hasLabels, type Player, playerMap, spreadOver } from "../players";
import type { Shares } from "../shares";
import type { Card, LIMEState } from "../state";
import { useBrush } from "../use_brush";
import { WHOLE } from "../view";
import { Legend } from "./legend";
import { Painted } from "./painted";
import { Superpixels } from "./superpixels";
import { Tools } from "./tools";

/** The pictures among the inputs, cut into their players, with their scale and how they are looked at. */
export function CutPictures(props: {
	session: Session<LIMEState>;
	card: Card | undefined;
	table: Table;
	players: Player[];
	/** Of each input the number of its first player. */
	starts: number[];
	/** By player; those that are painted come first in `order`. */
	weights: Float64Array;
	order: number[];
	top: number;
	off: Set<number>;
	lit: number | null;
	sentence: string;
	onLit: (player: number | null) => void;
	onToggle: (player: number) => void;
}) {
	const { session, card, table, starts, weights, order, top, off, ...shared } = props;
	const { state, show } = session;
	const [view, setView] = useState(WHOLE);
	const sign = state.sign.value;
	const opacity = state.opacity.value;
	const mode = state.mode.value;
	const shown = useMemo(() => {
		const painted = new Float64Array(weights.length);
		for (const player of order.slice(0, top)) if (!off.has(player)) painted[player] = weights[player];
		return painted;
	}, [weights, order, top, off]);
	const scale = useMemo(
		() => weights.reduce((most, weight) => Math.max(most, Math.abs(weight)), 0),
		[weights],
	);
	const look = useMemo(() => ({ table, sign, opacity, threshold: 0, scale }), [table, sign, opacity, scale]);
	const inputs = state._pictures.value;
	const brush = useBrush(session);
	const brushed = brush.painted || brush.tool !== "look";
	const several = inputs.length > 1;
	const [players, absents] = [state._players.value, state._baselines.value];
	const cut = useMemo(
		() =>
			inputs.flatMap((picture, i) => {
				const labels = players[i];
				if (!isPicture(picture) || !hasLabels(labels)) return [];
				const [height, width] = picture.shape;
				const size = { height, width };
				const numbers = playerMap(labels, starts[i], size);
				const absent = absents[i];
				return [{ i, picture, size, numbers, absent: absent && isPicture(absent) ? absent : null }];
			}),
		[inputs, players, absents, starts],
	);
	const any = cut.length > 0;
	const shares = useMemo(() => {
		const maps: Shares["maps"] = [];
		if (brushed) for (const { i, numbers } of cut) maps[i] = spreadOver(numbers, weights);
		return { maps, total: weights.reduce((sum, weight) => sum + Math.abs(weight), 0) };
	}, [brushed, cut, weights]);
	return (
		<>
			<div
				class={`xai-inputs ${state.error.value || state.phase.value === "tracing" ? "xai-last-good" : ""}`}
			>
				{cut.map(({ i, picture, ...one }) => (
					<section key={picture.name}>
						{several && <p class="xai-title">{picture.name}</p>}
						<Superpixels
							{...shared}
							{...one}
							picture={picture}
							weights={weights}
							shown={shown}
							off={off}
							look={look}
							mode={mode}
							view={view}
							onView={setView}
							painting={brush.over(i)}
							label={several ? `Point on the picture of ${picture.name}` : "Point on the picture"}
						/>
					</section>
				))}
			</div>
			{any && <Legend table={table} sign={sign} threshold={0} scale={scale} />}
			<Tools
				mode={any ? mode : null}
				view={any ? view : null}
				sign={sign}
				onShow={show}
				onView={setView}
				brush={any && brush}
			/>
			{card && brushed && <Painted {...{ session, card, shares }} />}
		</>
	);
}
