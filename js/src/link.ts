/** Buttons one after the other: one stop of the Tab key, arrows from one to the next; Escape lets go of them. */
export function moveAmong(event: KeyboardEvent & { currentTarget: HTMLElement }): void {
	const buttons = Array.from(event.currentTarget.querySelectorAll("button"));
	const from = buttons.indexOf(event.target as HTMLButtonElement);
	const last = buttons.length - 1;
	const [next, before] = [Math.min(from + 1, last), Math.max(from - 1, 0)];
	const to = { ArrowDown: next, ArrowRight: next, ArrowUp: before, ArrowLeft: before, Home: 0, End: last }[
		event.key
	];
	if (from >= 0 && event.key === "Escape") buttons[from].blur();
	if (from < 0 || to === undefined) return;
	event.preventDefault();
	buttons[to].focus();
}

/** What is pointed at or focused, in whatever chart; what was clicked stays lit. */
export interface Link {
	lit: number | null;
	pinned: number | null;
	onLit: (part: Lit | null) => void;
	onPin: (feature: number) => void;
}
export interface Lit {
	feature: number | null;
	/** What the read-out says. */
	text: string;
}
