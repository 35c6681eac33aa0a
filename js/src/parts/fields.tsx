import type { Switch } from "../recall";
import type { ArrayRef, Choice, Field, Schema, Value } from "../state";
import { BaselineLook, type Look } from "./baseline_look";
import { LayerField } from "./layer_field";
import { NumberField } from "./number_field";
import { SeedField } from "./seed_field";
import { Segmented } from "./segmented";
import { SelectField } from "./select_field";
import { useUniqueId } from "./unique_id";
import { ValueField } from "./value_field";

/** The baselines that a field may hold, the way from one to another, and what the chosen one looks like. */
export interface Baselines {
	schemas: Schema[];
	change: Switch;
	look: Look;
}

/** The controls of a method or a baseline, one per declared field. A change hands on a whole new choice. */
export function Fields(props: {
	fields: Field[];
	choice: Choice;
	baselines: Baselines;
	onChange: (choice: Choice) => void;
}) {
	const { fields, choice, baselines, onChange } = props;
	return (
		<>
			{fields.map((field) => (
				<FieldControl
					key={field.name}
					field={field}
					value={choice[field.name] ?? null}
					baselines={baselines}
					onChange={(value) => onChange({ ...choice, [field.name]: value })}
				/>
			))}
		</>
	);
}

function FieldControl(props: {
	field: Field;
	value: Value;
	baselines: Baselines;
	onChange: (value: Value) => void;
}) {
	const { field, value, baselines, onChange } = props;
	if (isArray(value)) return <ArrayField field={field} array={value} />;
	switch (field.kind) {
		case "int":
		case "float":
			return <NumberField field={field} value={value as number | null} onChange={onChange} />;
		case "size":
		case "segments":
			// None, or one for each axis: nothing is typed yet.
			return (
				<NumberField field={field} value={typeof value === "number" ? value : null} onChange={onChange} />
			);
		case "value":
			return <ValueField field={field} value={value as number | number[] | null} onChange={onChange} />;
		case "seed":
			return <SeedField field={field} value={value as number | null} onChange={onChange} />;
		case "layer":
			return <LayerField field={field} value={value as string | null} onChange={onChange} />;
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
			return (
				<BaselineField field={field} value={value as Choice} baselines={baselines} onChange={onChange} />
			);
	}
}

function BaselineField(props: {
	field: Field;
	value: Choice;
	baselines: Baselines;
	onChange: (value: Choice) => void;
}) {
	const { field, value, baselines, onChange } = props;
	const find = (name: string) => baselines.schemas.find((schema) => schema.name === name);
	return (
		<section class="xai-baseline">
			<h4 title={field.doc}>{field.label}</h4>
			<Segmented
				label={field.label}
				options={baselines.schemas.map(({ name, label }) => ({ value: name, label }))}
				value={value.name}
				onChange={(name) => {
					const schema = find(name);
					if (schema) onChange(baselines.change(value, schema));
				}}
			/>
			<BaselineLook {...baselines.look} />
			<Fields
				key={value.name}
				fields={find(value.name)?.fields ?? []}
				choice={value}
				baselines={baselines}
				onChange={onChange}
			/>
		</section>
	);
}

function SwitchField(props: { field: Field; value: boolean; onChange: (value: boolean) => void }) {
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
