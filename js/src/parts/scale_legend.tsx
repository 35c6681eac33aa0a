import type { Look } from "../paint";
import { Legend } from "./legend";

/** The colours of all maps, and in words what their ends stand for. */
export function ScaleLegend({ look, one, clip }: { look: Look; one: boolean; clip: number }) {
	return (
		<div class="xai-scale">
			<Legend table={look.table} sign={look.sign} threshold={look.threshold} scale={look.scale} />
			<p class="xai-quiet">
				{one
					? "One scale of raw values, up to the largest end of all maps; methods have different units."
					: `Each map up to its own end, the number below it: the ${clip} % point of its magnitudes.`}
			</p>
		</div>
	);
}
