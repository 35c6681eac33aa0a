import { admit } from "../slider";
import type { Field } from "../state";
import { NumberField } from "./number_field";

/** Short enough to be read out or typed again. */
const SEEDS = 10_000;

/** Which random numbers are drawn. */
export function SeedField(props: { field: Field; value: number | null; onChange: (value: number) => void }) {
	const { field, value, onChange } = props;
	const draw = () => {
		const seed = Math.floor(Math.random() * SEEDS);
		onChange(admit(field, seed === value ? seed + 1 : seed));
	};
	return (
		<NumberField {...props}>
			<button type="button" class="xai-new" onClick={draw}>
				New<span class="xai-unseen"> seed</span>
			</button>
		</NumberField>
	);
}
