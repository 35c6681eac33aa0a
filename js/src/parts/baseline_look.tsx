import { isPicture } from "../inputs";
import type { Empty, Picture } from "../state";
import { Swatch } from "./swatch";

/** What a baseline looks like and what the model makes of it. */
export interface Look {
	pictures: (Picture | Empty)[];
	/** Its score, as text; null where the method has no use for one. */
	score: string | null;
}

export function BaselineLook({ pictures, score }: Look) {
	const swatches = pictures.filter(isPicture);
	if (swatches.length === 0) return null;
	return (
		<div class="xai-baseline-look">
			{swatches.map((picture, i) => (
				<Swatch key={i} picture={picture} />
			))}
			{score !== null && (
				<p>
					<span class="xai-figure">{score}</span>
					<small class="xai-quiet">score of the baseline</small>
				</p>
			)}
		</div>
	);
}
