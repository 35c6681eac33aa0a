import type { ComponentChildren } from "preact";
import { fixed, percent, scoreDecimals } from "../format";
import { useMemo } from "../hooks";
import { isFeatures } from "../inputs";
import type { Session } from "../model";
import { createSwitch } from "../recall";
import type { Choice, Empty, ExplainerState, Frame, Recorded, Schema } from "../state";
import { DisplayControls, type Finer, MethodControls } from "./controls";
import { Header } from "./header";
import { Trust } from "./trust";

const NO_KERNEL = "No kernel: run the cell again";
const SAVED_PAGE = "Saved page";

/**
 * What all widgets share, around what only one of them shows: what do I see, what did I choose, can I trust it.
 */
export function Shell(props: {
	session: Session;
	/** Of the widget, for its style sheet. */
	name: string;
	/** The first question. */
	children: ComponentChildren;
	/** More to choose from, above how it is displayed. */
	choices?: ComponentChildren;
	/** Fields of the method that are among these choices; they stay as they are when the method changes. */
	apart?: readonly string[];
	/** More reasons to trust it or not: above those that all maps have, and below. */
	reasons?: ComponentChildren;
	below?: ComponentChildren;
	/** What the map shows, where that is not what the frame says. */
	sentence?: string | undefined;
	/** Whether there is something that display controls change. */
	displayed?: boolean;
	finer?: Finer;
	/** What stands beside the map, where that is not what Python sent last. */
	frame?: Frame | null;
	/** Goes to another sample without a kernel. */
	onIndex?: ((index: number) => void) | undefined;
}) {
	const { session, name, children, choices, apart = [], displayed = true, finer, onIndex } = props;
	const { state, kernel, compute, show } = session;
	const method = state.method.value;
	const { methods, baselines } = state._schema.value;
	const schema = methods.find(({ name }) => name === method.name);
	const changeMethod = useMemo(createSwitch, []);
	const changeBaseline = useMemo(createSwitch, []);
	const changeInner = useMemo(createSwitch, []);
	const offline = kernel.value !== "live";
	const free = offline ? session.movable() : null;
	const locked = (name: string) => free !== null && !free.has(name) && !(onIndex && name === "index");
	const where = kernel.value === "gone" ? NO_KERNEL : SAVED_PAGE;
	const frame = props.frame ?? frameOf(state.frame.value);
	const inputs = state._pictures.value;
	// Of a picture that the method made there is no map to be drawn otherwise.
	const made = frame?.arrays.length === 0;

	return (
		<div class={`xai xai-${name}`} role="group" aria-label={state._title.value}>
			<Progress phase={state.phase.value} frame={frame} />
			<Header
				methods={methods}
				method={method.name}
				target={state.target.value}
				index={state.index.value}
				samples={state._samples.value}
				thumbnails={state._thumbnails.value}
				names={state._names.value}
				predictions={state._predictions.value}
				code={state._code.value}
				locked={locked}
				onMethod={(to) => compute({ method: keeping(apart, method, changeMethod(method, to)) })}
				onTarget={(target) => compute({ target })}
				onIndex={onIndex ?? ((index) => compute({ index, region: {} }))}
			/>
			<div class="xai-columns">
				{children}
				<div class="xai-controls">
					{free && (
						<p class="xai-note">
							{free.size > 0
								? `${where}; display controls and what was recorded can be moved`
								: `${where}; display controls still work`}
						</p>
					)}
					{state._refused.value && (
						<p class="xai-note" role="alert">
							{state._refused.value}
						</p>
					)}
					{schema && (
						<div class="xai-fields">
							<MethodControls
								key={schema.name}
								locked={locked}
								schema={{ ...schema, fields: schema.fields.filter(({ name }) => !apart.includes(name)) }}
								method={method}
								offers={{
									baselines: {
										schemas: offline ? reached(baselines, state._recorded.value) : baselines,
										change: changeBaseline,
										look: { pictures: state._baselines.value, score: baselineScore(frame) },
									},
									methods: { schemas: methods, change: changeInner },
								}}
								onChange={(changed) => compute({ method: changed })}
							/>
						</div>
					)}
					{choices}
					{displayed && !made && (
						<DisplayControls
							display={{
								opacity: state.opacity.value,
								colormap: state.colormap.value,
								sign: state.sign.value,
								clip: state.clip.value,
								threshold: state.threshold.value,
								smooth: state.smooth.value,
								mode: state.mode.value,
							}}
							tables={Object.keys(state._tables.value)}
							pictures={!inputs.length || !inputs.every(isFeatures)}
							finer={finer}
							onChange={show}
						/>
					)}
				</div>
				<Trust frame={frame} below={props.below}>
					{props.reasons}
				</Trust>
			</div>
			<div class="xai-foot">
				<p>{props.sentence ?? frame?.sentence}</p>
				<Changing phase={state.phase.value} frame={frame} />
				{/* biome-ignore lint/a11y/noRedundantRoles: whoever looks for the role as an attribute finds it too. */}
				<output role="status">{kernel.value === "gone" ? where : state.status.value}</output>
			</div>
		</div>
	);
}

function Progress({ phase, frame }: { phase: ExplainerState["phase"]; frame: Frame | null }) {
	// Until a new job's first frame comes, the frame at hand is the old one, at 1.
	const share =
		phase === "computing" && frame && frame.progress < 1 ? frame.progress : Number(phase === "settled");
	return (
		<div class="xai-progress" data-phase={phase}>
			<span style={{ transform: `scaleX(${share})` }} />
		</div>
	);
}

/** Beside the status and not in it: it would be read out with every frame. */
function Changing({ phase, frame }: { phase: ExplainerState["phase"]; frame: Frame | null }) {
	const change = frame?.card.change ?? null;
	const text = phase === "computing" && change !== null && `still changing ${percent(change)}`;
	return <span class="xai-changing">{text}</span>;
}

/** The baselines that were recorded, where any were. */
function reached(baselines: Schema[], recorded: Recorded[]): Schema[] {
	const all = JSON.stringify(recorded.map(({ method }) => method));
	return recorded.length ? baselines.filter(({ name }) => all.includes(`"name":"${name}"`)) : baselines;
}

function baselineScore(frame: Frame | null): string | null {
	const score = frame?.card.baseline_score ?? null;
	return frame && score !== null ? fixed(score, scoreDecimals(frame.card)) : null;
}

/** A choice with some fields of another one. */
function keeping(fields: readonly string[], from: Choice, to: Choice): Choice {
	const kept = fields.filter((field) => field in from && field in to);
	return { ...to, ...Object.fromEntries(kept.map((field) => [field, from[field] ?? null])) };
}

export function frameOf(frame: Frame | Empty): Frame | null {
	return "arrays" in frame ? (frame as Frame) : null;
}
