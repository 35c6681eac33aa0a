import { rasterOf } from "../buffers";
import { useMemo } from "../hooks";
import type { Beside, Picture } from "../state";
import { type SharedLook, SmallMap } from "./small_map";
import { Tiles } from "./tiles";
import { useUniqueId } from "./unique_id";

/** The family's maps of the same layer side by side; the colours of each end at its own largest values. */
export function Variants(props: {
	beside: Beside;
	picture: Picture | null;
	look: SharedLook;
	/** The method whose map is the large one. */
	method: string;
	disabled: boolean;
	onChange: (name: string) => void;
}) {
	const { variants, arrays, data } = props.beside;
	const id = useUniqueId();
	const maps = useMemo(() => arrays.map((array) => rasterOf(data, array)), [arrays, data]);
	return (
		<section>
			<p class="xai-title" id={id}>
				Variants
			</p>
			<Tiles
				heading={id}
				radio
				tiles={variants.map(({ name, label }, i) => ({
					key: name,
					content: (
						<>
							<SmallMap map={maps[i]} picture={props.picture} look={props.look} />
							<span>{label}</span>
						</>
					),
				}))}
				chosen={variants.findIndex(({ name }) => name === props.method)}
				disabled={props.disabled}
				onChoose={(place) => props.onChange(variants[place].name)}
			/>
		</section>
	);
}
