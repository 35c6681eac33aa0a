import type { Brush, Tool } from "../use_brush";
import { slider } from "./controls";
import { NumberField } from "./number_field";
import { Segmented } from "./segmented";

const TOOLS: Tool[] = ["look", "paint", "erase"];
const BRUSH = slider("brush radius", "In pixels of the picture; 0 is a single one.", 0, 40, 1, "px", "int");

/** What the hand does on a map: read it, or paint a region. Who only reads is offered no more than to paint. */
export function BrushTools({ brush }: { brush: Brush }) {
	const { tool, radius, painted, onTool, onRadius, onClear } = brush;
	const busy = painted || tool !== "look";
	return (
		<div class="xai-brush-tools">
			<Segmented
				label="Pointer"
				options={TOOLS.slice(0, busy ? 3 : 2).map((value) => ({ value, label: value }))}
				value={tool}
				onChange={onTool}
			/>
			{busy && (
				<>
					<button type="button" aria-disabled={!painted} onClick={onClear}>
						Clear region
					</button>
					<NumberField field={BRUSH} value={radius} onChange={onRadius} />
				</>
			)}
		</div>
	);
}
