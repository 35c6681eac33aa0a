import { useMemo, useState } from "./hooks";
import { filled, isPicture } from "./inputs";
import type { Session } from "./model";
import { border, fromRuns, type Mask, toRuns } from "./region";

export type Tool = "look" | "paint" | "erase";

/** What is in hand over a picture, and what was painted on it. */
export interface Painting {
	tool: Tool;
	/** Of the brush, in pixels of the picture. */
	radius: number;
	mask: Mask | null;
	/** The border of what was painted, as an SVG path in pixels of the picture. */
	line: string;
	onPaint: (mask: Mask) => void;
}

/** What is in hand over all pictures of a view, and the region on one of them. */
export interface Brush extends Pick<Painting, "tool" | "radius"> {
	/** The input that is painted on, or would be by default. */
	input: number;
	/** The size of its picture; no pixels where there is none. */
	pixels: number;
	painted: boolean;
	onTool: (tool: Tool) => void;
	onRadius: (radius: number) => void;
	onClear: () => void;
	/** The same over one of the pictures. */
	over: (input: number) => Painting;
}

/** A region lies on one picture at a time; `more` is set with each change of it. */
export function useBrush({ state, kernel, compute, show }: Session, more: object = {}): Brush {
	const [tool, onTool] = useState<Tool>("look");
	const [chosen, onRadius] = useState<number | null>(null);
	const region = filled(state.region.value);
	const inputs = state._pictures.value;
	const input = region?.input ?? inputs.findIndex(isPicture);
	const picture = inputs[input];
	const [height, width] = picture && isPicture(picture) ? picture.shape : [0, 0];
	const mask = useMemo(
		() => (region && height > 0 ? fromRuns(region.runs, { height, width }) : null),
		[region, height, width],
	);
	// Once for all maps of a view.
	const line = useMemo(() => (mask ? border(mask) : ""), [mask]);
	const radius = chosen ?? Math.max(1, Math.round(height / 28));
	// Without a kernel the claims follow all the same.
	const set = kernel.value === "live" ? compute : show;
	return {
		...{ tool, radius, input, onTool, onRadius },
		pixels: height * width,
		painted: mask !== null,
		onClear: () => set({ region: {} }),
		over: (at) => ({
			tool,
			radius,
			mask: at === input ? mask : null,
			line: at === input ? line : "",
			onPaint(painted) {
				const runs = toRuns(painted);
				set({ region: runs.length ? { input: at, runs } : {}, ...more });
			},
		}),
	};
}
