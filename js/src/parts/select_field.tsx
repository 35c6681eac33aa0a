import { useUniqueId } from "./unique_id";

export function SelectField(props: {
	label: string;
	doc?: string;
	choices: string[];
	value: string;
	onChange: (value: string) => void;
}) {
	const id = useUniqueId();
	return (
		<div class="xai-field" title={props.doc}>
			<label for={id}>{props.label}</label>
			<select id={id} value={props.value} onChange={(event) => props.onChange(event.currentTarget.value)}>
				{props.choices.map((choice) => (
					<option key={choice}>{choice}</option>
				))}
			</select>
		</div>
	);
}
