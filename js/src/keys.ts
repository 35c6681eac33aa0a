/** Where a key leads in a list that is a ring. */
export function destination(key: string, from: number, last: number): number | undefined {
	const next = from < last ? from + 1 : 0;
	const before = from > 0 ? from - 1 : last;
	return { ArrowRight: next, ArrowDown: next, ArrowLeft: before, ArrowUp: before, Home: 0, End: last }[key];
}

/** Buttons one after the other: one stop of the Tab key, arrows from one to the next; Escape puts out what they light. */
export function moveAmong(event: KeyboardEvent & { currentTarget: HTMLElement }): void {
	const buttons = Array.from(event.currentTarget.querySelectorAll("button"));
	const from = buttons.indexOf(event.target as HTMLButtonElement);
	const to = destination(event.key, from, buttons.length - 1);
	// As if it lost the focus, which it keeps.
	if (event.key === "Escape") buttons[from]?.dispatchEvent(new Event("blur"));
	if (from < 0 || to === undefined) return;
	event.preventDefault();
	buttons[to].focus();
}
