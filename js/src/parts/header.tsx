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
	/** Whether the method ("name"), "target" or "index" cannot be changed; what is there can still be copied. */
	locked: (name: string) => boolean;
	onMethod: (schema: Schema) => void;
	onTarget: (target: number | null) => void;
	onIndex: (index: number) => void;
}) {
	const { methods, method, index, samples, thumbnails, locked, onIndex } = props;
	const id = useUniqueId();
	return (
		<div class="xai-header">
			<div class="xai-request">
				<div class="xai-labelled xai-method">
					<label for={id}>Method</label>
					<select
						id={id}
						value={method}
						disabled={locked("name")}
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
				<fieldset disabled={locked("target")}>
					<TargetBox
						target={props.target}
						names={props.names}
						predictions={props.predictions}
						onChange={props.onTarget}
					/>
				</fieldset>
				{samples > 1 && (
					<fieldset disabled={locked("index")}>
						<Stepper index={index} count={samples} onChange={onIndex} />
					</fieldset>
				)}
			</div>
			{props.code && <CopyCode code={props.code} />}
			{thumbnails.length > 0 && (
				<Thumbnails pictures={thumbnails} index={index} disabled={locked("index")} onChange={onIndex} />
			)}
		</div>
	);
}

function families(methods: MethodSchema[]): [family: string, members: MethodSchema[]][] {
	const found = new Map<string, MethodSchema[]>();
	for (const method of methods) found.set(method.family, [...(found.get(method.family) ?? []), method]);
	return [...found];
}
