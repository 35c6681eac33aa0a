import { useMemo } from "../hooks";
import { isPicture } from "../inputs";
import type { Session } from "../model";
import type { Beside, CAMState, ChannelAnswer, Empty } from "../state";
import { useTable } from "../use_table";
import { Channels } from "./channels";
import { SwitchField } from "./fields";
import { LayerSlider } from "./layer_slider";
import { LayerTree } from "./layer_tree";
import { MapControls } from "./map_controls";
import { Segmented } from "./segmented";
import { frameOf, Shell } from "./shell";
import { Stage } from "./stage";
import { Variants } from "./variants";

const SCALING = ["blended", "cells"].map((value) => ({ value, label: value, name: `Scaling: ${value}` }));

const APART = ["layer"];
const AUTOMATIC = { label: "Automatic", doc: "The layer that the method finds by itself." };

/** The class activation map of a layer, the way through all layers, and what the map is made of. */
export function CamView(session: Session<CAMState>) {
	const { state, kernel, compute, show } = session;
	const method = state.method.value;
	const layers = state._layers.value;
	const places = useMemo(
		() => layers.filter(({ place }) => place !== null).sort((a, b) => Number(a.place) - Number(b.place)),
		[layers],
	);
	const offline = kernel.value !== "live";
	const locked = offline && !session.movable().has("layer");
	// What is asked for counts at once; by itself the method has found another one.
	const asked = places.findIndex(({ path }) => path === method.layer);
	const current = asked >= 0 ? asked : places.findIndex(({ path }) => path === state._layer.value);
	const go = (place: number) => compute({ method: { ...method, layer: places[place].path } });
	const automatic = (on: boolean) => {
		if (on) compute({ method: { ...method, layer: null } });
		else if (current >= 0) go(current);
	};
	const frame = frameOf(state.frame.value);
	const channel = state.channel.value === null ? null : answerOf(state._channel.value);
	const shown = useMemo(() => {
		if (!frame || !channel) return frame;
		const { arrays, data, sentence } = channel;
		return { ...frame, arrays, data, sentence };
	}, [frame, channel]);
	const beside = besideOf(state._beside.value);
	const table = useTable(state);
	const sign = state.sign.value;
	const opacity = state.opacity.value;
	const threshold = state.threshold.value;
	const clip = state.clip.value;
	const smoothly = !state.cells.value;
	const look = useMemo(
		() => table && { table, sign, opacity, threshold, clip, smoothly },
		[table, sign, opacity, threshold, clip, smoothly],
	);
	const picture = state._pictures.value.find(isPicture) ?? null;

	return (
		<Shell
			session={session}
			name="cam"
			finer={MapControls}
			apart={APART}
			choices={
				<>
					<section>
						<p class="xai-title">Layers</p>
						<LayerTree
							layers={layers}
							pictures={state._activations.value}
							current={places[current]?.path ?? ""}
							disabled={locked}
							onChange={go}
						/>
					</section>
					{beside && (
						<Channels
							beside={beside}
							channel={state.channel.value}
							answer={channel}
							disabled={offline}
							onChange={(to) => compute({ channel: to })}
						/>
					)}
				</>
			}
		>
			<Stage
				session={session}
				frame={shown}
				smoothly={smoothly}
				caption={channel && `Channel ${channel.channel} of ${channel.layer}`}
				under={
					<fieldset class="xai-depth" disabled={locked}>
						<LayerSlider places={places} current={current} onChange={go} />
						<SwitchField field={AUTOMATIC} value={method.layer === null} onChange={automatic} />
					</fieldset>
				}
				tools={
					<Segmented
						label="Scaling"
						options={SCALING}
						value={SCALING[Number(!smoothly)].value}
						onChange={(value) => show({ cells: value === "cells" })}
					/>
				}
			>
				{beside && look && (
					<Variants
						beside={beside}
						picture={picture}
						look={look}
						method={method.name}
						disabled={offline}
						// Those of the family have the same fields.
						onChange={(name) =>
							compute({ method: { name, layer: method.layer ?? null, relu: method.relu ?? true } })
						}
					/>
				)}
			</Stage>
		</Shell>
	);
}

function answerOf(answer: ChannelAnswer | Empty): ChannelAnswer | null {
	return "arrays" in answer ? (answer as ChannelAnswer) : null;
}

function besideOf(beside: Beside | Empty): Beside | null {
	return "variants" in beside ? (beside as Beside) : null;
}
