import type { Field, Value } from "../state";
import { SelectField } from "./select_field";

/** One of the field's choices, or none of them, under a name that says what happens then. */
export function OptionalField(props: {
	field: Field;
	none: string;
	value: Value;
	onChange: (value: string | null) => void;
}) {
	const { field, none, value, onChange } = props;
	return (
		<SelectField
			label={field.label}
			doc={field.doc}
			choices={[none, ...(field.choices ?? [])]}
			value={typeof value === "string" ? value : none}
			onChange={(choice) => onChange(choice === none ? null : choice)}
		/>
	);
}
