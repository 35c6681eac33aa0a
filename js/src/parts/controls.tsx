import type { Choice, Display, Field, Schema } from "../state";
import { Fields, type Offers } from "./fields";
import { NumberField } from "./number_field";
import { SelectField } from "./select_field";

const OPACITY = slider("opacity", "How strongly the map covers or lights the picture.", 0, 1, 0.01);
const CLIP = slider("clip", "Colours end at this percentile of the map's magnitudes.", 50, 100, 0.1, "%");
const THRESHOLD = slider("threshold", "Nothing shows below this part of the colour scale.", 0, 100, 1, "%");
const SMOOTH = slider(
	"smooth",
	"Each pixel shows the mean of its neighbours up to this far.",
	0,
	10,
	1,
	"px",
	"int",
);

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
	pictures: boolean;
	areas: boolean;
	onChange: (patch: Partial<Display>) => void;
}) {
	const { display, tables, pictures, areas, onChange } = props;
	const { opacity, clip, threshold, smooth } = display;
	return (
		<section>
			<h4>Display</h4>
			{pictures && (
				<NumberField field={OPACITY} value={opacity} onChange={(value) => onChange({ opacity: value })} />
			)}
			{pictures && !areas && (
				<>
					<NumberField field={CLIP} value={clip} onChange={(value) => onChange({ clip: value })} />
					<NumberField
						field={THRESHOLD}
						value={threshold}
						onChange={(value) => onChange({ threshold: value })}
					/>
					<NumberField field={SMOOTH} value={smooth} onChange={(value) => onChange({ smooth: value })} />
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
