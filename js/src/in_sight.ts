/**
 * Scrolls a list or a row alone, and leaves half a neighbour in sight as a sign that there are more: `scrollIntoView`
 * would move the notebook as well.
 */
export function keepInSight(list: HTMLElement | null, at: number): void {
	const item = list?.children[at];
	if (!list || !(item instanceof HTMLElement)) return;
	list.scrollTop = within(list.scrollTop, list.clientHeight, item.offsetTop, item.offsetHeight);
	list.scrollLeft = within(list.scrollLeft, list.clientWidth, item.offsetLeft, item.offsetWidth);
}

function within(now: number, room: number, start: number, size: number): number {
	return Math.min(Math.max(now, start + 1.5 * size - room), start - size / 2);
}
