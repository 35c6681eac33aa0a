/** Relevance at a stop of its way, as a frame that the stage shows like any other. */
import { fixed, percent, sharedDecimals } from "./format";
import { isFeatures } from "./inputs";
import type { Empty, Features, Flow, Frame, FrameArray, Input, Stop } from "./state";

export function flowOf(flow: Flow | Empty): Flow | null {
	return "stops" in flow ? (flow as Flow) : null;
}

/** The share of the score that a stop holds. */
export function shareOf({ sum }: Stop, score: number | null): number | null {
	return sum === null || !score ? null : sum / score;
}

export interface Shown {
	frame: Frame;
	inputs: Input[];
}

/** What is shown at a stop: the map of the method at the inputs, elsewhere the layer's own. */
export function shownAt(stop: Stop | undefined, flow: Flow | null, frame: Frame, inputs: Input[]): Shown {
	if (!stop || !flow || stop === flow.stops[0]) return { frame, inputs };
	const at = { ...frame, data: flow.data, sentence: sentenceOf(stop, flow, frame) };
	if (stop.maps.length > 0) {
		const shown = inputs.map((input, i) =>
			isFeatures(input) ? places(input.name, "position", stop.maps[i]) : input,
		);
		return { frame: { ...at, arrays: stop.maps }, inputs: shown };
	}
	if (inputs.every(isFeatures)) {
		return {
			frame: { ...at, arrays: [{ ...stop.units, input: 0 }] },
			inputs: [places(stop.name, "unit", stop.units)],
		};
	}
	return { frame: { ...at, ...nothing(inputs) }, inputs };
}

function sentenceOf(stop: Stop, { score }: Flow, { card }: Frame): string {
	const name = stop.path ? `${stop.name} (${stop.shape})` : stop.name;
	if (stop.sum === null || score === null) return `The relevance at ${name} is not finite.`;
	const decimals = sharedDecimals([stop.sum, score]);
	const [sum, whole] = [stop.sum, score].map((value) => fixed(value, decimals));
	const share = shareOf(stop, score);
	const part = share === null ? "with" : `${percent(share)} of`;
	return `The relevance at ${name} adds up to ${sum}, ${part} the score of “${card.target_name}”, ${whole}.`;
}

function places(name: string, kind: string, { shape: [count] }: FrameArray): Features & { name: string } {
	const labels = Array.from({ length: count }, (_, i) => `${kind} ${i}`);
	return { name, shape: [count], labels, texts: labels.map(() => "") };
}

/** Maps of a layer without positions: the pictures stay, and nothing lies over them. */
function nothing(inputs: Input[]): Pick<Frame, "arrays" | "data"> {
	const shapes = inputs.map((input) => (isFeatures(input) ? input.shape : [1, 1]));
	const most = Math.max(...shapes.map((shape) => shape[0]));
	return {
		arrays: shapes.map((shape, input) => ({ input, shape, dtype: "float16", scale: 0, offset: 0 })),
		data: new DataView(new ArrayBuffer(2 * most)),
	};
}

/** Many values as a few, each the one of its neighbours that is largest regardless of sign. */
export function strongest(values: Float64Array, most: number): Float64Array {
	if (values.length <= most) return values;
	const kept = new Float64Array(most);
	for (let i = 0; i < values.length; i++) {
		const at = Math.floor((i * most) / values.length);
		if (Math.abs(values[i]) > Math.abs(kept[at])) kept[at] = values[i];
	}
	return kept;
}
