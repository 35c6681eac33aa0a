import type { Choice, Display, Field, Schema } from "../state";
import { type Baselines, Fields } from "./fields";
import { NumberField } from "./number_field";
import { SelectField } from "./select_field";

const OPACITY: Field = {
	name: "opacity",
	label: "Opacity",
	doc: "How strongly the map covers the picture.",
	kind: "float",
	default: 0.85,
	min: 0,
	max: 1,
	step: 0.01,
	unit: "",
	choices: null,
};
const CLIP: Field = {
	name: "clip",
	label: "Clip",
	doc: "Colours end at this percentile of the map's magnitudes.",
	kind: "float",
	default: 99,
	min: 50,
	max: 100,
	step: 0.1,
	unit: "%",
	choices: null,
};

/** What the method computes from: baselines first, each a section of its own. */
export function MethodControls(props: {
	schema: Schema;
	method: Choice;
	baselines: Baselines;
	onChange: (method: Choice) => void;
}) {
	const { schema, ...rest } = props;
	const shared = { choice: rest.method, baselines: rest.baselines, onChange: rest.onChange };
	const ofBaseline = schema.fields.filter(({ kind }) => kind === "baseline");
	const own = schema.fields.filter(({ kind }) => kind !== "baseline");
	return (
		<>
			<Fields fields={ofBaseline} {...shared} />
			{own.length > 0 && (
				<section>
					<h4>{schema.label}</h4>
					<Fields fields={own} {...shared} />
				</section>
			)}
		</>
	);
}

/** How the same numbers are shown. Bars have lengths and figures of their own: there is nothing to lay over or to clip. */
export function DisplayControls(props: {
	display: Display;
	tables: string[];
	overlay: boolean;
	onChange: (patch: Partial<Display>) => void;
}) {
	const { display, tables, overlay, onChange } = props;
	return (
		<section>
			<h4>Display</h4>
			{overlay && (
				<>
					<NumberField
						field={OPACITY}
						value={display.opacity}
						onChange={(opacity) => onChange({ opacity })}
					/>
					<NumberField field={CLIP} value={display.clip} onChange={(clip) => onChange({ clip })} />
				</>
			)}
			<SelectField
				label="Colours"
				choices={tables}
				value={display.colormap}
				onChange={(colormap) => onChange({ colormap })}
			/>
		</section>
	);
}
