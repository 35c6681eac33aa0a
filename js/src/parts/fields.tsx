import type { Switch } from "../recall";
import type { ArrayRef, Choice, Field, Schema, Value } from "../state";
import { BaselineLook, type Look } from "./baseline_look";
import { NumberField } from "./number_field";
import { OptionalField } from "./optional_field";
import { SeedField } from "./seed_field";
import { Segmented } from "./segmented";
import { SelectField } from "./select_field";
import { useUniqueId } from "./unique_id";
import { ValueField } from "./value_field";

/** What a field may hold that has fields of its own, and the way from one to another. */
export interface Offer {
	schemas: Schema[];
	change: Switch;
}
export interface Offers {
	baselines: Offer & { look: Look };
	methods: Offer;
}

/** The controls of a method or a baseline, one per declared field. A change hands on a whole new choice. */
export function Fields(props: {
	fields: Field[];
	choice: Choice;
	offers: Offers;
	locked?: (name: string) => boolean;
	onChange: (choice: Choice) => void;
}) {
	const { fields, choice, offers, locked, onChange } = props;
	return (
		<>
			{fields.map((field) => (
				<fieldset key={field.name} disabled={locked?.(field.name)}>
					<FieldControl
						field={field}
						value={choice[field.name] ?? null}
						offers={offers}
						onChange={(value) => onChange({ ...choice, [field.name]: value })}
					/>
				</fieldset>
			))}
		</>
	);
}

function FieldControl(props: {
	field: Field;
	value: Value;
	offers: Offers;
	onChange: (value: Value) => void;
}) {
	const { field, value, offers, onChange } = props;
	if (isArray(value)) return <ArrayField field={field} array={value} />;
	switch (field.kind) {
		case "int":
		case "float":
			return <NumberField field={field} value={value as number | null} onChange={onChange} />;
		case "size":
		case "limit":
		case "segments":
			// None, or one for each axis: nothing is typed yet.
			return (
				<NumberField
					field={field}
					value={typeof value === "number" ? value : null}
					placeholder="auto"
					onChange={onChange}
					onClear={field.kind === "segments" ? undefined : () => onChange(null)}
				/>
			);
		case "value":
			return <ValueField field={field} value={value as number | number[] | null} onChange={onChange} />;
		case "seed":
			return <SeedField field={field} value={value as number | null} onChange={onChange} />;
		case "layer":
			return <OptionalField field={field} none="automatic" value={value} onChange={onChange} />;
		case "sample":
			return (
				<OptionalField
					field={field}
					none="each in turn"
					value={field.choices?.[value as number] ?? null}
					onChange={(name) => onChange(name && (field.choices?.indexOf(name) ?? null))}
				/>
			);
		case "choice":
			return (
				<SelectField
					label={field.label}
					doc={field.doc}
					choices={field.choices ?? []}
					value={value as string}
					onChange={onChange}
				/>
			);
		case "bool":
			return <SwitchField field={field} value={value as boolean} onChange={onChange} />;
		case "baseline":
			return <BaselineField field={field} value={value as Choice} offers={offers} onChange={onChange} />;
		case "method":
			return <MethodField field={field} value={value as Choice} offers={offers} onChange={onChange} />;
		case "words": // set from Python
			return null;
	}
}

interface ChoiceProps {
	field: Field;
	value: Choice;
	offers: Offers;
	onChange: (value: Choice) => void;
}

function BaselineField({ field, value, offers, onChange }: ChoiceProps) {
	const { schemas, change, look } = offers.baselines;
	const find = (name: string) => schemas.find((schema) => schema.name === name);
	return (
		<section class="xai-baseline">
			<p class="xai-title" title={field.doc}>
				{field.label}
			</p>
			<Segmented
				label={field.label}
				options={schemas.map(({ name, label }) => ({ value: name, label }))}
				value={value.name}
				onChange={(name) => {
					const schema = find(name);
					if (schema) onChange(change(value, schema));
				}}
			/>
			<BaselineLook {...look} />
			<Fields
				key={value.name}
				fields={find(value.name)?.fields ?? []}
				choice={value}
				offers={offers}
				onChange={onChange}
			/>
		</section>
	);
}

/** A method within a method. What it can be is a long list: it is chosen as the method itself is. */
function MethodField({ field, value, offers, onChange }: ChoiceProps) {
	const { schemas, change } = offers.methods;
	const offered = schemas.filter(({ name }) => name === value.name || field.choices?.includes(name));
	const labels = offered.map(({ label }) => label);
	const chosen = offered.find(({ name }) => name === value.name);
	return (
		<section class="xai-inner">
			<SelectField
				label={field.label}
				doc={field.doc}
				choices={labels}
				value={chosen?.label ?? value.name}
				onChange={(label) => onChange(change(value, offered[labels.indexOf(label)]))}
			/>
			<Fields
				key={value.name}
				fields={chosen?.fields ?? []}
				choice={value}
				offers={offers}
				onChange={onChange}
			/>
		</section>
	);
}

export function SwitchField(props: {
	field: Pick<Field, "label" | "doc">;
	value: boolean;
	onChange: (value: boolean) => void;
}) {
	const id = useUniqueId();
	return (
		<div class="xai-field" title={props.field.doc}>
			<label for={id}>{props.field.label}</label>
			<input
				id={id}
				class="xai-switch"
				type="checkbox"
				role="switch"
				checked={props.value}
				onChange={(event) => props.onChange(event.currentTarget.checked)}
			/>
		</div>
	);
}

function ArrayField(props: { field: Field; array: ArrayRef }) {
	return (
		<div class="xai-field" title={props.field.doc}>
			<span>{props.field.label}</span>
			<span class="xai-array">array {props.array.shape.join(" × ")}</span>
		</div>
	);
}

function isArray(value: Value): value is ArrayRef {
	return typeof value === "object" && value !== null && "array" in value;
}
