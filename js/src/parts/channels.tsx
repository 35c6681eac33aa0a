import { useRef, useState } from "preact/hooks";
import { signed, significant } from "../format";
import { destination } from "../roving";
import type { Beside, ChannelAnswer } from "../state";
import { Swatch } from "./swatch";
import { useUniqueId } from "./unique_id";

const HINT = "Choose a channel to see where it is active, and the score without it.";

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
	const row = useRef<HTMLDivElement>(null);
	const [reached, setReached] = useState(0);
	const stop = Math.min(reached, channels.length - 1);

	const press = (event: KeyboardEvent) => {
		const to = destination(event.key, stop, channels.length - 1);
		if (to === null) return;
		event.preventDefault();
		setReached(to);
		(row.current?.children[to] as HTMLElement | undefined)?.focus();
	};
	const words = channel === null ? HINT : answer?.effect || `Taking channel ${channel} out\u2026`;

	return (
		<section>
			<h4
				id={id}
				title={`By what each adds to the map of ${ranked_by}: its activation times its weight, the mean gradient.`}
			>
				Channels by weight <small>{`${channels.length} of ${count}`}</small>
			</h4>
			<div
				ref={row}
				class="xai-tiles"
				role="toolbar"
				aria-labelledby={id}
				onKeyDown={disabled ? undefined : press}
			>
				{channels.map(({ channel: own, weight, share, picture }, i) => (
					<button
						key={own}
						type="button"
						class="xai-tile"
						disabled={disabled}
						aria-pressed={own === channel}
						aria-label={`Channel ${own}, weight ${signed(weight ?? 0, 2)}, ${points(share)} of the map`}
						title={`Weight ${signed(weight ?? 0, 3)}`}
						tabIndex={i === stop ? 0 : -1}
						onFocus={() => setReached(i)}
						onClick={() => onChange(own === channel ? null : own)}
					>
						<Swatch picture={picture} />
						<span class="xai-figure">{own}</span>
						<span class="xai-figure xai-quiet">{points(share)}</span>
					</button>
				))}
			</div>
			<div class="xai-effect">
				<p aria-live="polite">{disabled && channel === null ? "" : words}</p>
				<button
					type="button"
					class="xai-new"
					disabled={disabled}
					aria-disabled={channel === null}
					onClick={() => channel !== null && onChange(null)}
				>
					Back to the map
				</button>
			</div>
		</section>
	);
}

function points(share: number | null): string {
	const percent = 100 * (share ?? 0);
	return `${percent > 0 ? "+" : ""}${significant(percent, 2)} %`;
}
