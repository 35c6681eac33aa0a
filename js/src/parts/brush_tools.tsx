import type { Tool } from "./brush";
import { NumberField } from "./number_field";
import { Segmented } from "./segmented";

const TOOLS: Tool[] = ["look", "paint", "erase"];
const BRUSH = {
	name: "brush",
	label: "Brush",
	doc: "Radius of the brush, in pixels of the picture.",
	kind: "int" as const,
	default: 8,
	min: 1,
	max: 40,
	step: 1,
	unit: "px",
	choices: null,
};

/** What the hand does on a map: read it, or paint a region. */
export function BrushTools(props: {
	tool: Tool;
	radius: number;
	any: boolean;
	onTool: (tool: Tool) => void;
	onRadius: (radius: number) => void;
	onClear: () => void;
}) {
	const { tool, radius, any, onTool, onRadius, onClear } = props;
	return (
		<div class="xai-brush-tools">
			<Segmented
				label="Pointer"
				options={TOOLS.map((value) => ({ value, label: value }))}
				value={tool}
				onChange={onTool}
			/>
			<NumberField field={BRUSH} value={radius} onChange={onRadius} />
			<button type="button" aria-disabled={!any} onClick={onClear}>
				Clear region
			</button>
		</div>
	);
}
