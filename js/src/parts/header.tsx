import type { Predictions, Schema } from "../state";
import { Stepper } from "./stepper";
import { TargetBox } from "./target_box";
import { useUniqueId } from "./unique_id";

/** What is explained, and by what. */
export function Header(props: {
	methods: Schema[];
	method: string;
	target: number | null;
	index: number;
	samples: number;
	names: string[];
	predictions: Predictions;
	onMethod: (schema: Schema) => void;
	onTarget: (target: number | null) => void;
	onIndex: (index: number) => void;
}) {
	const { methods, method, samples } = props;
	const id = useUniqueId();
	return (
		<div class="xai-header">
			<div class="xai-labelled xai-method">
				<label for={id}>Method</label>
				<select
					id={id}
					value={method}
					title={methods.find(({ name }) => name === method)?.doc}
					onChange={(event) => props.onMethod(methods[event.currentTarget.selectedIndex])}
				>
					{methods.map(({ name, label }) => (
						<option key={name} value={name}>
							{label}
						</option>
					))}
				</select>
			</div>
			<TargetBox
				target={props.target}
				names={props.names}
				predictions={props.predictions}
				onChange={props.onTarget}
			/>
			{samples > 1 && <Stepper index={props.index} count={samples} onChange={props.onIndex} />}
		</div>
	);
}
