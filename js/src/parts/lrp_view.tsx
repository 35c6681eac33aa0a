import { decodeArray } from "../buffers";
import { flowOf, shownAt } from "../flow";
import { useMemo } from "../hooks";
import { isFeatures } from "../inputs";
import type { Session } from "../model";
import type { LRPState } from "../state";
import { useTable } from "../use_table";
import { Depth } from "./depth";
import { MapControls } from "./map_controls";
import { RuleList } from "./rule_list";
import { frameOf, Shell } from "./shell";
import { Stage } from "./stage";
import { Units } from "./units";

/** Relevance at the input, and at every layer on its way there. */
export function LRPView(session: Session<LRPState>) {
	const { state, kernel, compute, show } = session;
	const method = state.method.value;
	const rules = method.rules as Record<string, string> | undefined;
	const inputs = state._pictures.value;
	const frame = frameOf(state.frame.value);
	const flow = flowOf(state._flow.value);
	const current = flow ? Math.min(state.depth.value, flow.stops.length - 1) : 0;
	const stop = flow?.stops[current];
	const shown = useMemo(() => frame && shownAt(stop, flow, frame, inputs), [stop, flow, frame, inputs]);
	const units = useMemo(() => stop && flow && decodeArray(flow.data, stop.units), [stop, flow]);
	const table = useTable(state);
	const pictured = !inputs.every(isFeatures);
	const locked = kernel.value !== "live" && !session.movable().has("rules");

	return (
		<Shell
			session={session}
			name="lrp"
			finer={MapControls}
			sentence={shown?.frame.sentence}
			choices={
				rules && (
					<RuleList
						rules={rules}
						layers={state._layer_rules.value}
						names={state._rule_names.value}
						current={stop?.path ?? ""}
						disabled={locked}
						onChange={(to) => compute({ method: { ...method, rules: to } })}
					/>
				)
			}
		>
			<Stage
				session={session}
				frame={shown?.frame ?? null}
				inputs={shown?.inputs ?? inputs}
				called={current > 0 ? stop?.name : undefined}
				under={
					flow ? (
						<>
							<Depth
								flow={flow}
								current={current}
								pictured={pictured}
								onChange={(depth) => show({ depth })}
							/>
							{units && table && pictured && <Units values={units} table={table} sign={state.sign.value} />}
						</>
					) : (
						frame && <p class="xai-quiet">Only LRP tells of the relevance at layers on the way.</p>
					)
				}
			/>
		</Shell>
	);
}
