import { signed } from "../format";
import type { Beside, ChannelAnswer } from "../state";
import { Swatch } from "./swatch";
import { Tiles } from "./tiles";
import { useUniqueId } from "./unique_id";

/** The channels that add most to the map; a chosen one is shown in its place, and taken out of the model. */
export function Channels(props: {
	beside: Beside;
	channel: number | null;
	/** None before it has come. */
	answer: ChannelAnswer | null;
	disabled: boolean;
	onChange: (channel: number | null) => void;
}) {
	const { beside, channel, answer, disabled, onChange } = props;
	const { channels, ranked_by, count } = beside;
	const id = useUniqueId();
	const words =
		channel === null
			? !disabled && "Choose a channel to see where it is active, and the score without it."
			: answer?.effect || `Taking channel ${channel} out\u2026`;

	return (
		<section>
			<p class="xai-title" id={id} title={`Its weight, and what it adds to the map of ${ranked_by}`}>
				Channels by weight <small>{`${channels.length} of ${count}`}</small>
			</p>
			<Tiles
				heading={id}
				tiles={channels.map(({ channel: key, weight, share, picture }) => ({
					key,
					content: (
						<>
							<Swatch picture={picture} />
							<span class="xai-figure">{key}</span>
							<span class="xai-figure xai-quiet">{`${signed(100 * share, 2)} %`}</span>
							<span class="xai-quiet">weight {signed(weight, 2)}</span>
						</>
					),
				}))}
				chosen={channels.findIndex((one) => one.channel === channel)}
				disabled={disabled}
				onChoose={(place) => {
					const to = channels[place].channel;
					onChange(to === channel ? null : to);
				}}
			/>
			<div class="xai-effect">
				<p aria-live="polite">{words}</p>
				<button
					type="button"
					class="xai-new"
					disabled={disabled}
					aria-disabled={channel === null}
					onClick={() => onChange(null)}
				>
					Back to the map
				</button>
			</div>
		</section>
	);
}
