import type { ComponentChildren } from "preact";
import type { Link } from "../link";
import { type Part, readPart } from "../shapley";

/** A part of a chart: it lights its feature in all charts, and a click keeps it lit. */
export function FeatureButton(props: {
	class: string;
	part: Part;
	/** Whether the Tab key stops here. */
	stop: boolean;
	link: Link;
	style?: Record<string, string | undefined>;
	children: ComponentChildren;
}) {
	const { part, stop, link, style, children } = props;
	const { feature } = part;
	const text = readPart(part);
	const isLit = feature !== null && feature === (link.lit ?? link.pinned);
	const light = () => link.onLit({ feature, text });
	return (
		<button
			type="button"
			class={`${props.class}${isLit ? " xai-lit" : ""}`}
			style={style}
			aria-label={text}
			aria-pressed={feature === null ? undefined : feature === link.pinned}
			tabIndex={stop ? 0 : -1}
			onClick={() => feature !== null && link.onPin(feature)}
			onFocus={light}
			onBlur={() => link.onLit(null)}
			onPointerEnter={light}
			onPointerLeave={() => link.onLit(null)}
		>
			{children}
		</button>
	);
}
