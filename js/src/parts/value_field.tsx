import { fromHex, toHex } from "../colour";
import { significant } from "../format";
import { type Ends, endsOf } from "../slider";
import type { Field } from "../state";
import { NumberField } from "./number_field";
import { useUniqueId } from "./unique_id";

/** One number for every pixel, or for pictures in colour one for each channel. */
export function ValueField(props: {
	field: Field;
	value: number | number[] | null;
	onChange: (value: number | number[]) => void;
}) {
	const { field, value, onChange } = props;
	const ends = endsOf(field);
	return (
		<>
			<NumberField field={field} value={typeof value === "number" ? value : null} onChange={onChange} />
			{field.channels === 3 && ends && (
				<ColourField
					doc={field.doc}
					ends={ends}
					channels={typeof value === "number" ? [value, value, value] : (value ?? [])}
					onChange={onChange}
				/>
			)}
		</>
	);
}

function ColourField(props: {
	doc: string;
	ends: Ends;
	channels: number[];
	onChange: (channels: number[]) => void;
}) {
	const { doc, ends, channels, onChange } = props;
	const id = useUniqueId();
	return (
		<div class="xai-field" title={doc}>
			<label for={id}>Colour</label>
			<input
				id={id}
				type="color"
				value={toHex(channels, ends)}
				onInput={(event) => onChange(fromHex(event.currentTarget.value, ends))}
			/>
			<span class="xai-figure xai-quiet xai-channels">
				{channels.map((channel) => significant(channel, 3)).join("  ")}
			</span>
		</div>
	);
}
