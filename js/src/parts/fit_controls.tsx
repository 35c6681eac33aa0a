import type { Choice, Field } from "../state";
import { NumberField } from "./number_field";

/** What needs no pass of the model: the fit is made anew, or shown otherwise, at once. */
export function FitControls(props: {
	/** Of the method, for what is fitted anew. */
	fields: Field[];
	method: Choice;
	/** Nothing can be fitted anew. */
	disabled: boolean;
	top: number;
	/** How many players there are. */
	count: number;
	onMethod: (method: Choice) => void;
	onTop: (top: number) => void;
}) {
	const { fields, method, disabled, top, count, onMethod, onTop } = props;
	const most = Math.max(count, 1);
	const field: Field = {
		name: "top",
		label: "Top",
		doc: "How many parts are shown, the strongest first.",
		kind: "int",
		default: 10,
		min: 1,
		max: most,
		step: 1,
		unit: "",
		choices: null,
	};
	return (
		<section>
			<p class="xai-title">Fit, without new samples</p>
			<fieldset disabled={disabled}>
				{fields.map((field) => (
					<NumberField
						key={field.name}
						field={field}
						value={method[field.name] as number}
						onChange={(value) => onMethod({ ...method, [field.name]: value })}
					/>
				))}
			</fieldset>
			<NumberField field={field} value={Math.min(top, most)} onChange={onTop} />
		</section>
	);
}
