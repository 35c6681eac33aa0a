import type { Painting, Tool } from "./brush";
import { slider } from "./controls";
import { NumberField } from "./number_field";
import { Segmented } from "./segmented";

const TOOLS: Tool[] = ["look", "paint", "erase"];
const BRUSH = slider("brush", "Radius of the brush, in pixels of the picture.", 1, 40, 1, "px", "int");

/** What the hand does on a map: read it, or paint a region. */
export function BrushTools(
	props: Painting & { onTool: (tool: Tool) => void; onRadius: (radius: number) => void; onClear: () => void },
) {
	return (
		<div class="xai-brush-tools">
			<Segmented
				label="Pointer"
				options={TOOLS.map((value) => ({ value, label: value }))}
				value={props.tool}
				onChange={props.onTool}
			/>
			<NumberField field={BRUSH} value={props.radius} onChange={props.onRadius} />
			<button type="button" aria-disabled={!props.mask} onClick={props.onClear}>
				Clear region
			</button>
		</div>
	);
}
