import { createSwitch } from "../recall";
import type { Axes, Choice, Schema } from "../state";

const MOST = 8;

/** Rows and columns come and go: a new one is the first of its menu that is not there yet. */
export function AxesControls(props: {
	axes: Axes;
	methods: Choice[];
	baselines: Choice[];
	schemas: { methods: Schema[]; baselines: Schema[] };
	row: number;
	column: number;
	disabled: boolean;
	onChange: (patch: { methods?: Choice[]; baselines?: Choice[]; row?: number; column?: number }) => void;
}) {
	const { axes, methods, baselines, schemas, row, column, disabled, onChange } = props;
	const added = (there: Choice[], menu: Schema[]) => {
		const next = menu.find(({ name }) => !there.some((one) => one.name === name)) ?? menu[0];
		return next && [...there, createSwitch()({ name: "" }, next)];
	};
	const less = (there: Choice[], at: number) => there.filter((_, i) => i !== at);
	return (
		<section>
			<h4>Rows and columns</h4>
			<fieldset disabled={disabled}>
				<div class="xai-buttons">
					<button
						type="button"
						disabled={methods.length >= MOST}
						onClick={() => onChange({ methods: added(methods, schemas.methods), row: methods.length })}
					>
						Add method
					</button>
					<button
						type="button"
						disabled={methods.length < 2}
						onClick={() => onChange({ methods: less(methods, row), row: Math.max(row - 1, 0) })}
					>
						Remove “{axes.rows[row]}”
					</button>
					{axes.kind === "baselines" && (
						<>
							<button
								type="button"
								disabled={baselines.length >= MOST}
								onClick={() =>
									onChange({ baselines: added(baselines, schemas.baselines), column: baselines.length })
								}
							>
								Add baseline
							</button>
							<button
								type="button"
								disabled={baselines.length < 2}
								onClick={() =>
									onChange({ baselines: less(baselines, column), column: Math.max(column - 1, 0) })
								}
							>
								Remove “{axes.columns[column]}”
							</button>
						</>
					)}
				</div>
			</fieldset>
		</section>
	);
}
