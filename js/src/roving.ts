/** Where a key leads in a group that is one stop of the Tab key, round its ends; null for a key that does not move. */
export function destination(key: string, from: number, last: number): number | null {
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
