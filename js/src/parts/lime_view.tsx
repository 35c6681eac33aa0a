import { useMemo, useState } from "preact/hooks";
import { decodeTable } from "../buffers";
import { fixed, scoreDecimals, significant } from "../format";
import { isPicture } from "../inputs";
import type { Session } from "../model";
import { keepSign } from "../paint";
import { everyone, hasLabels, predicted, ranked } from "../players";
import type { LIMEState } from "../state";
import { REFITS, useFit } from "../use_fit";
import { WHOLE } from "../view";
import { EditTable } from "./edit_table";
import { FitControls } from "./fit_controls";
import { Legend } from "./legend";
import { RankedBars } from "./ranked_bars";
import { frameOf, Shell } from "./shell";
import { Superpixels } from "./superpixels";
import { Tools } from "./tools";
import { Row } from "./trust";

/** The LIME widget: the superpixels of a picture and their weights, linked both ways, to be switched off and on. */
export function LIMEView(session: Session<LIMEState>) {
	const { state, kernel, compute, show } = session;
	const frame = frameOf(state.frame.value);
	const method = state.method.value;
	const sign = state.sign.value;
	const offline = kernel.value !== "live";
	const fit = useFit(state, frame);
	const [lit, setLit] = useState<number | null>(null);
	const [view, setView] = useState(WHOLE);
	const told = state._players.value;
	const { players, starts } = useMemo(() => everyone(told), [told]);
	const off = useMemo(() => new Set(state.off.value), [state.off.value]);
	const weights = fit?.weights ?? NOTHING;
	const order = useMemo(() => ranked(weights, sign), [weights, sign]);
	const top = Math.min(state.top.value, players.length);
	const shown = useMemo(() => {
		const painted = new Float64Array(weights.length);
		for (const player of order.slice(0, top)) if (!off.has(player)) painted[player] = weights[player];
		return painted;
	}, [weights, order, top, off]);
	const data = state._tables.value[state.colormap.value] ?? Object.values(state._tables.value)[0];
	const table = useMemo(() => data && { diverging: data.diverging, colours: decodeTable(data) }, [data]);
	const scale = useMemo(
		() => weights.reduce((most, weight) => Math.max(most, Math.abs(weight)), 0),
		[weights],
	);
	const opacity = state.opacity.value;
	const look = useMemo(
		() => table && { table, sign, opacity, threshold: 0, scale },
		[table, sign, opacity, scale],
	);
	const schema = state._schema.value.methods.find(({ name }) => name === method.name);
	const decimals = frame ? scoreDecimals(frame.card) : 2;
	const edited = state.edited.value;
	const answered = String(edited.off) === String(state.off.value);
	const strongest = players[order[0]];
	const sentence =
		fit?.here && offline
			? `Fitted anew in this page; ${strongest?.label} weighs most, ${significant(weights[order[0]], 3)}.`
			: (frame?.sentence ?? "No map yet");
	// Without a kernel nothing else moves.
	const ask = offline ? show : compute;
	const toggle = (player: number) => {
		if (!fit) return;
		const others = state.off.value.filter((one) => one !== player);
		const now = off.has(player) ? others : [...others, player].sort((a, b) => a - b);
		ask({ off: now });
	};
	const inputs = state._pictures.value;
	const error = state.error.value;
	const link = { lit, onLit: setLit, onToggle: toggle };
	const pictured = inputs.some((input, i) => isPicture(input) && hasLabels(told[i]));
	const rest = order.slice(top);

	return (
		<Shell
			session={session}
			name="lime"
			apart={REFITS}
			displayed="areas"
			sentence={sentence}
			reasons={
				fit && (
					<dl class="xai-fit">
						<Row term="R²" aside="of the linear model" value={fixed(fit.explained, 3)} />
						<Row
							term="linear model"
							aside="of the whole"
							value={fixed(predicted(fit.intercept, weights, []), decimals)}
						/>
						<Row term="effective samples" value={fit.effective.toFixed(0)} />
					</dl>
				)
			}
			choices={
				<FitControls
					fields={schema?.fields.filter(({ name }) => REFITS.includes(name)) ?? []}
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
				<div class={error || state.phase.value === "tracing" ? "xai-inputs xai-last-good" : "xai-inputs"}>
					{inputs.map((input, i) => {
						const labels = told[i];
						if (!look || !isPicture(input)) return null;
						if (!hasLabels(labels)) return null;
						const absent = state._baselines.value[i];
						return (
							<section key={input.name}>
								{inputs.length > 1 && <h4>{input.name}</h4>}
								<Superpixels
									picture={input}
									absent={absent && isPicture(absent) ? absent : null}
									labels={labels}
									start={starts[i]}
									players={players}
									shown={shown}
									weights={weights}
									off={off}
									look={look}
									mode={state.mode.value}
									view={view}
									onView={setView}
									sentence={sentence}
									label={inputs.length > 1 ? `Point on the picture of ${input.name}` : "Point on the picture"}
									{...link}
								/>
							</section>
						);
					})}
					{!frame && <div class="xai-placeholder" role="img" aria-label={sentence} />}
				</div>
				{error && (
					<p class="xai-error" role="alert">
						{error}
					</p>
				)}
				{pictured && table && <Legend table={table} sign={sign} threshold={0} scale={scale} />}
				<Tools
					mode={pictured ? state.mode.value : null}
					view={pictured ? view : null}
					sign={sign}
					onShow={show}
					onView={setView}
				/>
				{fit && table && (
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
						label={sentence}
						{...link}
					/>
				)}
				{fit && frame && (
					<EditTable
						score={frame.card.score_name}
						decimals={decimals}
						whole={{ model: frame.card.score, surrogate: predicted(fit.intercept, weights, []) }}
						edited={{
							model: answered ? (edited.score ?? null) : null,
							surrogate: predicted(fit.intercept, weights, state.off.value),
						}}
						off={off.size}
						best={answered ? bestOf(edited.best, state._names.value) : null}
						offline={offline}
						onReset={() => ask({ off: [] })}
					/>
				)}
			</div>
		</Shell>
	);
}

const NOTHING = new Float64Array(0);

function bestOf(best: LIMEState["edited"]["best"], names: string[]) {
	if (!best?.classes?.length || best.count < 2) return null;
	const [which] = best.classes;
	return {
		name: names[which] ?? `class ${which}`,
		share: best.kind === "probability" ? best.values[0] : null,
	};
}
