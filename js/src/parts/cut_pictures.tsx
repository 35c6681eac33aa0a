import { useMemo, useState } from "preact/hooks";
import { isPicture } from "../inputs";
import type { Session } from "../model";
import type { Table } from "../paint";
import { hasLabels, type Player } from "../players";
import type { LIMEState } from "../state";
import { WHOLE } from "../view";
import { Legend } from "./legend";
import { Superpixels } from "./superpixels";
import { Tools } from "./tools";

/** The pictures among the inputs, cut into their players, with their scale and how they are looked at. */
export function CutPictures(props: {
	session: Session<LIMEState>;
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
	const { session, table, starts, weights, order, top, off, ...shared } = props;
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
	const several = inputs.length > 1;
	const cut = inputs.flatMap((picture, i) => {
		const labels = state._players.value[i];
		const absent = state._baselines.value[i];
		if (!isPicture(picture) || !hasLabels(labels)) return [];
		return [{ picture, labels, start: starts[i], absent: absent && isPicture(absent) ? absent : null }];
	});
	return (
		<>
			<div
				class={
					state.error.value || state.phase.value === "tracing" ? "xai-inputs xai-last-good" : "xai-inputs"
				}
			>
				{cut.map(({ picture, ...one }) => (
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
							label={several ? `Point on the picture of ${picture.name}` : "Point on the picture"}
						/>
					</section>
				))}
			</div>
			{cut.length > 0 && <Legend table={table} sign={sign} threshold={0} scale={scale} />}
			<Tools
				mode={cut.length ? mode : null}
				view={cut.length ? view : null}
				sign={sign}
				onShow={show}
				onView={setView}
			/>
		</>
	);
}
