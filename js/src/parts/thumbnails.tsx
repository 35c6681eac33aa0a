import { useLayoutEffect } from "../hooks";
import { keepInSight } from "../in_sight";
import type { Picture } from "../state";
import { Swatch } from "./swatch";
import { useRoving } from "./use_roving";

/** The samples as small pictures: one stop of the Tab key, arrows from one to the next, as with any radio group. */
export function Thumbnails(props: {
	pictures: Picture[];
	index: number;
	disabled: boolean;
	onChange: (index: number) => void;
}) {
	const { pictures, index, disabled, onChange } = props;
	// The stepper reaches samples that have no picture here; the row can then still be entered, at its start.
	const stop = index < pictures.length ? index : 0;

	const { ref, onKeyDown } = useRoving(stop, pictures.length - 1, onChange);

	useLayoutEffect(() => keepInSight(ref.current, index), [index]);

	return (
		<fieldset
			class="xai-thumbnails"
			// biome-ignore lint/a11y/noNoninteractiveElementToInteractiveRole: HTML lets a fieldset be one, named by its legend.
			role="radiogroup"
			onKeyDown={disabled ? undefined : onKeyDown}
		>
			<legend class="xai-unseen">Samples</legend>
			{/* Where no button takes the focus, the row itself must: else no key scrolls it. */}
			<div ref={ref} tabIndex={disabled ? 0 : undefined}>
				{pictures.map((picture, i) => (
					<button
						key={i}
						type="button"
						role="radio"
						disabled={disabled}
						aria-checked={i === index}
						tabIndex={i === stop ? 0 : -1}
						onClick={() => onChange(i)}
					>
						<Swatch picture={picture} />
						<span class="xai-unseen">Sample {i + 1}</span>
					</button>
				))}
			</div>
		</fieldset>
	);
}
