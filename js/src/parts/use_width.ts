import type { RefObject } from "preact";
import { useLayoutEffect, useState } from "../hooks";

/** How wide an element is, in CSS pixels; 0 before it is there. */
export function useWidth(element: RefObject<HTMLElement | null>): number {
	const [width, setWidth] = useState(0);
	useLayoutEffect(() => {
		if (!element.current) return;
		const seen = new ResizeObserver(([entry]) => setWidth(entry.contentRect.width));
		seen.observe(element.current);
		return () => seen.disconnect();
	}, [element]);
	return width;
}
