import { useState } from "../hooks";
import { useUniqueId } from "./unique_id";

/** Which sample is shown, counted from 1 as people do. */
export function Stepper(props: { index: number; count: number; onChange: (index: number) => void }) {
	const { index, count, onChange } = props;
	const id = useUniqueId();
	const [refused, setRefused] = useState(false);
	const go = (to: number) => {
		const there = Number.isInteger(to) && to >= 0 && to < count;
		setRefused(!there && !Number.isNaN(to));
		if (there && to !== index) onChange(to);
	};
	return (
		<div class="xai-labelled">
			<label for={id}>Sample</label>
			<span class="xai-stepper">
				<button type="button" aria-label="Previous" disabled={index <= 0} onClick={() => go(index - 1)}>
					‹
				</button>
				<input
					id={id}
					type="number"
					min={1}
					max={count}
					value={index + 1}
					onInput={(event) => go(event.currentTarget.valueAsNumber - 1)}
					aria-invalid={refused}
					onBlur={(event) => {
						setRefused(false);
						event.currentTarget.value = String(index + 1);
					}}
				/>
				<span aria-live="polite">{refused ? `1 to ${count}` : `of ${count}`}</span>
				<button type="button" aria-label="Next" disabled={index >= count - 1} onClick={() => go(index + 1)}>
					›
				</button>
			</span>
		</div>
	);
}
