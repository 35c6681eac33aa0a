import { useMemo, useState } from "./hooks";
import { filled, isPicture, pictureShape } from "./inputs";
import type { Session } from "./model";
import { border, fromRuns, stroked, toRuns } from "./region";
import type { RegionState } from "./state";
import type { Spot } from "./view";

export type Tool = "look" | "paint" | "erase";

/** What is in hand over a picture, and what was painted on it. */
export interface Painting {
	tool: Tool;
	/** Of the brush, in pixels of the picture. */
	radius: number;
	/** The border of what was painted, as an SVG path in pixels of the picture. */
	line: string | undefined;
	/** A stroke of the brush from one spot to another. */
	dab: (to: Spot, from?: Spot) => void;
}

/** What is in hand over all pictures of a view, and the region on one of them. */
export interface Brush extends Pick<Painting, "tool" | "radius"> {
	/** The input that is painted on, or would be by default. */
	input: number;
	painted: boolean;
	/** Whether there is a picture to paint on. */
	paintable: boolean;
	onTool: (tool: Tool) => void;
	onRadius: (radius: number) => void;
	onClear: () => void;
	/** The same over one of the pictures. */
	over: (input: number) => Painting;
}

/**
 * A region lies on one picture at a time; `more` is set with each change of it. What it is, is found when it is read: a
 * stroke draws only what shows it, not the whole view.
 */
export function useBrush({ state, kernel, compute, show }: Session, more: object = {}): Brush {
	const [tool, onTool] = useState<Tool>("look");
	const [chosen, onRadius] = useState<number | null>(null);
	const inputs = state._pictures.value;
	const first = inputs.findIndex(isPicture);
	const [tall] = pictureShape(inputs[first]) ?? [0];
	const radius = chosen ?? Math.max(1, Math.round(tall / 28));
	const region = () => filled(state.region.value);
	// Once for all maps of a view.
	const lines = useMemo(() => new WeakMap<RegionState, string>(), [inputs]);
	// Without a kernel the claims follow all the same.
	const set = kernel.value === "live" ? compute : show;
	return {
		...{ tool, radius, onTool, onRadius },
		get input() {
			return region()?.input ?? first;
		},
		get painted() {
			return region() !== null;
		},
		paintable: first >= 0,
		onClear: () => set({ region: {} }),
		over(at) {
			const [height, width] = pictureShape(inputs[at]) ?? [0, 0];
			const mask = (runs: number[]) => fromRuns(runs, { height, width });
			const here = () => {
				const painted = region();
				return painted?.input === at ? painted : null;
			};
			return {
				tool,
				radius,
				get line() {
					const painted = here();
					if (!painted) return undefined;
					if (!lines.has(painted)) lines.set(painted, border(mask(painted.runs)));
					return lines.get(painted);
				},
				dab(to, from = to) {
					const before = mask(here()?.runs ?? []);
					const runs = toRuns(stroked(before, from, to, radius, tool === "paint"));
					set({ region: runs.length ? { input: at, runs } : {}, ...more });
				},
			};
		},
	};
}
