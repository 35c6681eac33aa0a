import type { RefObject } from "preact";
import { useRef } from "preact/hooks";

/** A group that is one stop of the Tab key: arrows go round it from `stop`, and what they reach takes the focus. */
export function useRoving(
	stop: number,
	last: number,
	onMove: (to: number) => void,
): { ref: RefObject<HTMLDivElement | null>; onKeyDown: (event: KeyboardEvent) => void } {
	const ref = useRef<HTMLDivElement>(null);
	const onKeyDown = (event: KeyboardEvent) => {
		const to = destination(event.key, stop, last);
		if (to === null) return;
		event.preventDefault();
		onMove(to);
		(ref.current?.children[to] as HTMLElement | undefined)?.focus({ preventScroll: true });
	};
	return { ref, onKeyDown };
}

function destination(key: string, from: number, last: number): number | null {
	switch (key) {
		case "ArrowRight":
		case "ArrowDown":
			return from < last ? from + 1 : 0;
		case "ArrowLeft":
		case "ArrowUp":
			return from > 0 ? from - 1 : last;
		case "Home":
			return 0;
		case "End":
			return last;
		default:
			return null;
	}
}
