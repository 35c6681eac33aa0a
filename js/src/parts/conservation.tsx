import { percent } from "../format";
import { useRoving } from "./use_roving";

/** How much of the score is left at each stop, as bars from a common zero; one of them is looked at. */
export function Conservation(props: {
	/** From the inputs to the score; null where it is not finite. */
	stops: { name: string; share: number | null }[];
	current: number;
	onChange: (stop: number) => void;
}) {
	const { stops, current, onChange } = props;
	const { ref, onKeyDown } = useRoving(current, stops.length - 1, onChange);
	const shares = stops.map(({ share }) => share ?? 0);
	const high = Math.max(1, ...shares);
	const low = Math.min(0, ...shares);
	const height = (share: number) => `${(100 * share) / (high - low)}%`;
	return (
		<div class="xai-conservation">
			<span class="xai-whole" style={{ insetBlockEnd: height(1 - low) }} />
			<span class="xai-zero" style={{ insetBlockEnd: height(-low) }} />
			<div
				ref={ref}
				role="radiogroup"
				aria-label="Share of the score at each layer, from the input to the score"
				onKeyDown={onKeyDown}
			>
				{stops.map(({ name, share }, i) => (
					<button
						key={i}
						type="button"
						role="radio"
						aria-checked={i === current}
						aria-label={`${name}: ${share === null ? "unknown" : percent(share)}`}
						title={`${name}: ${share === null ? "unknown" : percent(share)}`}
						tabIndex={i === current ? 0 : -1}
						onClick={() => onChange(i)}
					>
						<span
							style={{
								insetBlockEnd: height(Math.min(share ?? 0, 0) - low),
								blockSize: height(Math.abs(share ?? 0)),
							}}
						/>
					</button>
				))}
			</div>
		</div>
	);
}
