import type { ComponentChildren } from "preact";
import { typed, withUnit } from "../format";
import { useState } from "../hooks";
import { admit, endsOf, isWhole, stepOf } from "../slider";
import type { Field } from "../state";
import { useUniqueId } from "./unique_id";

/** A number by slider and by keyboard; the box alone where there is no end to slide to. */
export function NumberField(props: {
	field: Field;
	value: number | null;
	onChange: (value: number) => void;
	/** What stands where the number would, while there is none. */
	placeholder?: string;
	/** An empty box is a value as well. */
	onClear?: (() => void) | undefined;
	/** What stands where the slider would. */
	children?: ComponentChildren;
}) {
	const { field, value, onChange } = props;
	const id = useUniqueId();
	// What is being typed stays as typed: "0." must not turn into "0" under the caret.
	const [draft, setDraft] = useState<string | null>(null);
	const [refused, setRefused] = useState(false);
	const ends = endsOf(field);
	const shown = value === null ? "" : typed(value);

	const type = (text: string, number: number) => {
		setDraft(text);
		if (text === "") props.onClear?.();
		if (admit(field, number) === number) {
			setRefused(false);
			onChange(number);
		}
	};
	const settle = (number: number) => {
		setDraft(null);
		if (Number.isNaN(number)) return;
		const admitted = admit(field, number);
		setRefused(admitted !== number);
		if (admitted !== value) onChange(admitted);
	};

	return (
		<div class="xai-field" title={field.doc}>
			<label id={`${id}-label`} for={id}>
				{field.label}
			</label>
			{ends && (
				<input
					id={id}
					type="range"
					min={ends.min}
					max={ends.max}
					step={stepOf(field)}
					value={value ?? ends.min}
					aria-valuetext={withUnit(shown, field.unit)}
					onInput={(event) => {
						setRefused(false);
						onChange(event.currentTarget.valueAsNumber);
					}}
				/>
			)}
			{props.children}
			<input
				id={ends ? undefined : id}
				type="number"
				aria-label={ends ? "Exact value" : undefined}
				aria-describedby={`${id}-label ${id}-range`}
				min={field.min ?? undefined}
				max={field.max ?? undefined}
				step={stepOf(field)}
				value={draft ?? shown}
				placeholder={props.placeholder}
				onInput={({ currentTarget: box }) => type(box.value, box.valueAsNumber)}
				onChange={({ currentTarget: box }) => settle(box.valueAsNumber)}
				onBlur={() => setDraft(null)}
			/>
			{field.unit && <span class="xai-unit">{field.unit}</span>}
			<small id={`${id}-range`} class="xai-hint" aria-live="polite">
				{refused && allowed(field)}
			</small>
		</div>
	);
}

function allowed({ kind, min, max }: Field): string {
	const what = isWhole(kind) ? "whole numbers" : "numbers";
	if (min !== null && max !== null) return `${what} from ${typed(min)} to ${typed(max)}`;
	if (min !== null) return `${what} from ${typed(min)}`;
	if (max !== null) return `${what} up to ${typed(max)}`;
	return what;
}
