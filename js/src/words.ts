/** What is said of samples that Python was not asked about. */
import { signed } from "./format";
import { type Explained, type Explaineds, pick, sum } from "./shapley";
import type { Frame } from "./state";

/** What a beeswarm shows, and of how many. */
export function captionOf({ samples, told }: Explaineds) {
	const { count, total, method, target_name: name } = told;
	if (total < 2) return "A beeswarm is one of several samples.";
	if (!count) return "The other samples follow.";
	const all = total > count ? `${count} of ${total} samples, evenly chosen` : `all ${total} samples`;
	const so = samples.length < count ? `${samples.length} so far of ${all}` : all;
	return `${so[0].toUpperCase()}${so.slice(1)} by ${method}, for “${name}”. A click on a dot chooses its sample.`;
}

/** The sentence of a sample that Python was not asked about. */
export function sentenceOf({ values, base, score }: Explained, labels: string[], target = ""): string {
	const [most] = pick(values, labels, "magnitude", 1).shown;
	const strongest = `${labels[most]} counts most, with ${signed(values[most], 3)}.`;
	return `From ${signed(base, 3)} to ${signed(score, 3)} for “${target}”; ${strongest}`;
}

/** The card of a sample that Python was not asked about. */
export function besideFrame(frame: Frame, row: Explained, sentence: string): Frame {
	const { score, residual, values, based, base } = row;
	const unknown = { change: null, passes: null, total: null, seconds: null };
	const numbers = { score, residual, baseline_score: based ? base : null, sum: sum(values) };
	return { ...frame, sentence, card: { ...frame.card, ...numbers, ...unknown, notes: [] } };
}
