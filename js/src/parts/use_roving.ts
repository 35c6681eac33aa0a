import type { RefObject } from "preact";
import { useRef } from "../hooks";
import { destination } from "../keys";

/** A group that is one stop of the Tab key: arrows go round it from `stop`, and what they reach takes the focus. */
export function useRoving(
	stop: number,
	last: number,
	onMove: (to: number) => void,
): { ref: RefObject<HTMLDivElement | null>; onKeyDown: (event: KeyboardEvent) => void } {
	const ref = useRef<HTMLDivElement>(null);
	const onKeyDown = (event: KeyboardEvent) => {
		const to = destination(event.key, stop, last);
		if (to === undefined) return;
		event.preventDefault();
		onMove(to);
		(ref.current?.children[to] as HTMLElement | undefined)?.focus({ preventScroll: true });
	};
	return { ref, onKeyDown };
}
