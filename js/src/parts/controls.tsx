import type { VNode } from "preact";
import type { Choice, Display, Field, Schema } from "../state";
import { Fields, type Offers } from "./fields";
import { NumberField } from "./number_field";
import { SelectField } from "./select_field";

const OPACITY = slider("opacity", "How strongly the map covers or lights the picture.", 0, 1, 0.01);

export function slider(
	name: string,
	doc: string,
	min: number,
	max: number,
	step: number,
	unit = "",
	kind: Field["kind"] = "float",
): Field {
	const label = name[0].toUpperCase() + name.slice(1);
	return { name, label, doc, kind, default: null, min, max, step, unit, choices: null };
}

/** What the method computes from: baselines first, each a section of its own. */
export function MethodControls(props: {
	schema: Schema;
	method: Choice;
	offers: Offers;
	/** Whether a field cannot be changed. */
	locked: (name: string) => boolean;
	onChange: (method: Choice) => void;
}) {
	const { schema, method, offers, locked, onChange } = props;
	const shared = { choice: method, offers, locked, onChange };
	const ofBaseline = schema.fields.filter(({ kind }) => kind === "baseline");
	const own = schema.fields.filter(({ kind }) => kind !== "baseline");
	return (
		<>
			<Fields fields={ofBaseline} {...shared} />
			{own.length > 0 && (
				<section>
					<p class="xai-title">{schema.label}</p>
					<Fields fields={own} {...shared} />
				</section>
			)}
		</>
	);
}

/** More ways to draw a map whose values differ from pixel to pixel. */
export type Finer = (props: { display: Display; onChange: (patch: Partial<Display>) => void }) => VNode;

/** How the same numbers are shown. Bars have lengths and figures of their own: there is nothing to lay over or to clip. */
export function DisplayControls(props: {
	display: Display;
	tables: string[];
	pictures: boolean;
	finer: Finer | undefined;
	onChange: (patch: Partial<Display>) => void;
}) {
	const { display, tables, pictures, finer: More, onChange } = props;
	return (
		<section>
			<p class="xai-title">Display</p>
			{pictures && (
				<NumberField
					field={OPACITY}
					value={display.opacity}
					onChange={(value) => onChange({ opacity: value })}
				/>
			)}
			{pictures && More && <More display={display} onChange={onChange} />}
			<SelectField
				label="Colours"
				choices={tables}
				value={display.colormap}
				onChange={(colormap) => onChange({ colormap })}
			/>
		</section>
	);
}
