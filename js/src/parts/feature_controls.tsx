import type { Order, SHAPState } from "../state";
import { slider } from "./controls";
import { NumberField } from "./number_field";
import { SelectField } from "./select_field";

const ORDERS: Order[] = ["magnitude", "name", "as given"];

/** Which features stand for themselves, and in which order. */
export function FeatureControls(props: {
	order: Order;
	top: number;
	count: number;
	onChange: (patch: Partial<Pick<SHAPState, "order" | "top">>) => void;
}) {
	const { order, top, count, onChange } = props;
	const most = Math.max(count, 1);
	const doc = "How many features are shown: those with the largest values. The others are joined.";
	return (
		<section>
			<p class="xai-title">Features</p>
			<NumberField
				field={slider("top", doc, 1, most, 1, "", "int")}
				value={Math.min(top, most)}
				onChange={(value) => onChange({ top: value })}
			/>
			<SelectField
				label="Order"
				choices={ORDERS}
				value={order}
				onChange={(value) => onChange({ order: value as Order })}
			/>
		</section>
	);
}
