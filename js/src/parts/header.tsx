import type { MethodSchema, Picture, Predictions, Schema, Target } from "../state";
import { CopyCode } from "./copy_code";
import { Stepper } from "./stepper";
import { TargetBox } from "./target_box";
import { Thumbnails } from "./thumbnails";
import { useUniqueId } from "./unique_id";

/** What is explained, and by what. */
export function Header(props: {
	methods: MethodSchema[];
	method: string;
	target: Target;
	index: number;
	samples: number;
	thumbnails: Picture[];
	names: string[];
	predictions: Predictions;
	code: string;
	/** Nothing can be asked for; what is there can still be copied. */
	offline: boolean;
	onMethod: (schema: Schema) => void;
	onTarget: (target: number | null) => void;
	onIndex: (index: number) => void;
}) {
	const { methods, method, index, samples, thumbnails, onIndex } = props;
	const id = useUniqueId();
	return (
		<div class="xai-header">
			<fieldset class="xai-request" disabled={props.offline}>
				<div class="xai-labelled xai-method">
					<label for={id}>Method</label>
					<select
						id={id}
						value={method}
						title={methods.find(({ name }) => name === method)?.doc}
						onChange={(event) => props.onMethod(methods[event.currentTarget.selectedIndex])}
					>
						{families(methods).map(([family, members]) => (
							<optgroup key={family} label={family}>
								{members.map(({ name, label }) => (
									<option key={name} value={name}>
										{label}
									</option>
								))}
							</optgroup>
						))}
					</select>
				</div>
				<TargetBox
					target={props.target}
					names={props.names}
					predictions={props.predictions}
					onChange={props.onTarget}
				/>
				{samples > 1 && <Stepper index={index} count={samples} onChange={onIndex} />}
			</fieldset>
			{props.code && <CopyCode code={props.code} />}
			{thumbnails.length > 0 && (
				<Thumbnails pictures={thumbnails} index={index} disabled={props.offline} onChange={onIndex} />
			)}
		</div>
	);
}

function families(methods: MethodSchema[]): [family: string, members: MethodSchema[]][] {
	const found = new Map<string, MethodSchema[]>();
	for (const method of methods) found.set(method.family, [...(found.get(method.family) ?? []), method]);
	return [...found];
}
