import { createSwitch } from "../recall";
import type { Scene } from "../scene";
import type { Choice, Schema } from "../state";

const MOST = 8;

/** Rows and columns come and go: a new one is the first of its menu that is not there yet. */
export function AxesControls({ session, row, column }: Pick<Scene, "session" | "column"> & { row: number }) {
	const { state, kernel, compute } = session;
	const { kind, rows, columns } = state._axes.value;
	const schemas = state._schema.value;

	const buttons = (
		what: string,
		there: Choice[],
		menu: Schema[],
		at: number,
		name: string,
		change: Change,
	) => (
		<>
			<button
				type="button"
				disabled={there.length >= MOST}
				onClick={() => {
					const next = menu.find(({ name }) => !there.some((one) => one.name === name)) ?? menu[0];
					change([...there, createSwitch()({ name: "" }, next)], there.length);
				}}
			>
				Add {what}
			</button>
			<button
				type="button"
				disabled={there.length < 2}
				onClick={() =>
					change(
						there.filter((_, i) => i !== at),
						Math.max(at - 1, 0),
					)
				}
			>
				Remove “{name}”
			</button>
		</>
	);
	return (
		<section>
			<p class="xai-title">Rows and columns</p>
			<fieldset disabled={kernel.value !== "live"}>
				<div class="xai-buttons">
					{buttons("method", state.methods.value, schemas.methods, row, rows[row], (methods, row) =>
						compute({ methods, row }),
					)}
					{kind === "baselines" &&
						buttons(
							"baseline",
							state.baselines.value,
							schemas.baselines,
							column,
							columns[column],
							(baselines, column) => compute({ baselines, column }),
						)}
				</div>
			</fieldset>
		</section>
	);
}

type Change = (choices: Choice[], chosen: number) => void;
