import { useMemo, useRef } from "preact/hooks";
import { rasterOf } from "../buffers";
import { destination } from "../roving";
import type { Beside, Picture } from "../state";
import { type SharedLook, SmallMap } from "./small_map";
import { useUniqueId } from "./unique_id";

/** The family's maps of the same layer side by side; each in colours that end at its own largest values. */
export function Variants(props: {
	beside: Beside;
	picture: Picture | null;
	look: SharedLook;
	clip: number;
	smoothly: boolean;
	/** The method whose map is the large one. */
	method: string;
	disabled: boolean;
	onChange: (name: string) => void;
}) {
	const { beside, method, disabled, onChange } = props;
	const { variants, arrays, data } = beside;
	const id = useUniqueId();
	const row = useRef<HTMLDivElement>(null);
	const maps = useMemo(() => arrays.map((array) => rasterOf(data, array)), [arrays, data]);
	const chosen = variants.findIndex(({ name }) => name === method);
	const stop = Math.max(chosen, 0);

	const press = (event: KeyboardEvent) => {
		const to = destination(event.key, stop, variants.length - 1);
		if (to === null) return;
		event.preventDefault();
		onChange(variants[to].name);
		(row.current?.children[to] as HTMLElement | undefined)?.focus();
	};

	return (
		<section>
			<h4 id={id}>Variants</h4>
			{/* Where no button takes the focus, the row itself must: else no key scrolls it. */}
			<div
				ref={row}
				class="xai-tiles"
				role="radiogroup"
				aria-labelledby={id}
				onKeyDown={disabled ? undefined : press}
			>
				{variants.map(({ name, label }, i) => (
					<button
						key={name}
						type="button"
						role="radio"
						class="xai-tile"
						disabled={disabled}
						aria-checked={i === chosen}
						tabIndex={i === stop ? 0 : -1}
						onClick={() => onChange(name)}
					>
						<SmallMap
							map={maps[i]}
							picture={props.picture}
							look={props.look}
							clip={props.clip}
							smoothly={props.smoothly}
						/>
						<span>{label}</span>
					</button>
				))}
			</div>
		</section>
	);
}
