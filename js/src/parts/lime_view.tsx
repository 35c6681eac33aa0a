import { fixed, scoreDecimals, significant } from "../format";
import { useMemo, useState } from "../hooks";
import type { Session } from "../model";
import { keepSign } from "../paint";
import { everyone, predicted, ranked } from "../players";
import type { LIMEState } from "../state";
import { REFITS, useFit } from "../use_fit";
import { useTable } from "../use_table";
import { CutPictures } from "./cut_pictures";
import { EditTable } from "./edit_table";
import { FitControls } from "./fit_controls";
import { RankedBars } from "./ranked_bars";
import { frameOf, Shell } from "./shell";
import { Row } from "./trust";

const NOTHING = new Float64Array(0);

/** The LIME widget: the superpixels of a picture and their weights, linked both ways, to be switched off and on. */
export function LIMEView(session: Session<LIMEState>) {
	const { state, kernel, compute, show } = session;
	const frame = frameOf(state.frame.value);
	const method = state.method.value;
	const sign = state.sign.value;
	const out = state.off.value;
	const offline = kernel.value !== "live";
	const fit = useFit(state, frame);
	const [lit, setLit] = useState<number | null>(null);
	const { players, starts } = useMemo(() => everyone(state._players.value), [state._players.value]);
	const off = useMemo(() => new Set(out), [out]);
	const weights = fit?.weights ?? NOTHING;
	const order = useMemo(() => ranked(weights, sign), [weights, sign]);
	const table = useTable(state);
	const top = Math.min(state.top.value, players.length);
	const rest = order.slice(top);
	const fields = state._schema.value.methods.find(({ name }) => name === method.name)?.fields ?? [];
	const decimals = frame ? scoreDecimals(frame.card) : 2;
	const whole = fit ? predicted(fit.intercept, weights, []) : 0;
	const edited = state.edited.value;
	const answered = String(edited.off) === String(out);
	// Python's sentence is about its own fit.
	const sentence =
		fit?.here && offline
			? `Fitted anew in this page; ${players[order[0]]?.label} weighs most, ${significant(weights[order[0]], 3)}.`
			: (frame?.sentence ?? "No map yet");
	// Without a kernel nothing else moves.
	const ask = offline ? show : compute;
	const toggle = (player: number) => {
		if (!fit) return;
		const others = out.filter((one) => one !== player);
		ask({ off: off.has(player) ? others : [...others, player].sort((a, b) => a - b) });
	};
	const linked = { lit, sentence, onLit: setLit, onToggle: toggle };

	return (
		<Shell
			session={session}
			name="lime"
			apart={REFITS}
			sentence={sentence}
			reasons={
				fit && (
					<dl class="xai-fit">
						<Row term="R²" aside="of the linear model" value={fixed(fit.explained, 3)} />
						<Row term="linear model" aside="of the whole" value={fixed(whole, decimals)} />
						<Row term="effective samples" value={fixed(fit.effective, 0)} />
					</dl>
				)
			}
			choices={
				<FitControls
					fields={fields.filter(({ name }) => REFITS.includes(name))}
					method={method}
					disabled={offline && !("rows" in state._equations.value)}
					top={state.top.value}
					count={players.length}
					onMethod={(changed) => ask({ method: changed })}
					onTop={(changed) => show({ top: changed })}
				/>
			}
		>
			<div class="xai-stage">
				{table && fit ? (
					<CutPictures
						session={session}
						card={frame?.card}
						table={table}
						players={players}
						starts={starts}
						weights={weights}
						order={order}
						top={top}
						off={off}
						{...linked}
					/>
				) : (
					<div class="xai-placeholder" role="img" aria-label={sentence} />
				)}
				{state.error.value && (
					<p class="xai-error" role="alert">
						{state.error.value}
					</p>
				)}
				{table && fit && frame && (
					<>
						<RankedBars
							bars={order.slice(0, top).map((player) => ({
								...players[player],
								value: keepSign(weights[player], sign),
								error: fit.error?.[player] ?? null,
								on: !off.has(player),
							}))}
							others={{
								count: rest.length,
								sum: rest.reduce((sum, player) => sum + keepSign(weights[player], sign), 0),
							}}
							table={table}
							sign={sign}
							{...linked}
						/>
						<EditTable
							score={frame.card.score_name}
							decimals={decimals}
							whole={{ model: frame.card.score, surrogate: whole }}
							edited={{
								model: answered ? (edited.score ?? null) : null,
								surrogate: predicted(fit.intercept, weights, out),
							}}
							off={off.size}
							best={answered ? edited.best : undefined}
							names={state._names.value}
							offline={offline}
							onReset={() => ask({ off: [] })}
						/>
					</>
				)}
			</div>
		</Shell>
	);
}
