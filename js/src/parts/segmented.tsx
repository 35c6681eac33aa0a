import { useUniqueId } from "./unique_id";

interface Option<T extends string> {
	value: T;
	label: string;
	/** The accessible name where the label says too little on its own. */
	name?: string;
}

/** One of a few, all in sight: native radios, so arrow keys and names come for free. */
export function Segmented<T extends string>(props: {
	label: string;
	options: Option<T>[];
	value: T;
	onChange: (value: T) => void;
}) {
	const group = useUniqueId();
	return (
		<div class="xai-segmented" role="radiogroup" aria-label={props.label}>
			{props.options.map(({ value, label, name }) => (
				<label key={value}>
					<input
						type="radio"
						name={group}
						aria-label={name}
						checked={value === props.value}
						onChange={() => props.onChange(value)}
					/>
					<span>{label}</span>
				</label>
			))}
		</div>
	);
}
