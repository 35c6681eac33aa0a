import type { Field } from "../state";
import { SelectField } from "./select_field";

const AUTOMATIC = "automatic";

/** A layer of the model by its path, or whichever the method picks. */
export function LayerField(props: {
	field: Field;
	value: string | null;
	onChange: (value: string | null) => void;
}) {
	const { field, value, onChange } = props;
	return (
		<SelectField
			label={field.label}
			doc={field.doc}
			choices={[AUTOMATIC, ...(field.choices ?? [])]}
			value={value ?? AUTOMATIC}
			onChange={(choice) => onChange(choice === AUTOMATIC ? null : choice)}
		/>
	);
}
