/** Positions of the controls that were recorded: what they are good for without a kernel. */
import type { ReadonlySignal } from "./signals";
import type { Recorded, Request, Value } from "./state";

/** The recorded position nearest to what is asked for; of nothing recorded, none. */
export function nearest(recorded: Recorded[], asked: Request): Recorded | undefined {
	const wanted = leavesOf(asked);
	const all = recorded.map((one) => leavesOf(one));
	const spans = new Map<string, number>();
	for (const path of wanted.keys()) {
		const numbers = all.map((leaves) => leaves.get(path)).filter((value) => typeof value === "number");
		spans.set(path, Math.max(...numbers) - Math.min(...numbers) || 1);
	}
	const distance = (leaves: Map<string, Value>) => {
		let sum = 0;
		for (const [path, value] of wanted) {
			const other = leaves.get(path);
			if (typeof value === "number" && typeof other === "number") {
				// Always under 1, and the further the more: also beyond the last position.
				const gap = Math.abs(value - other);
				sum += gap / (gap + (spans.get(path) ?? 1));
			} else if (value !== other) sum += OTHER;
		}
		return sum;
	};
	const distances = all.map(distance);
	return recorded[distances.indexOf(Math.min(...distances))];
}

/**
 * Where a step from `from` leads. The nearest position to a small step is where it started: then it is the next one that
 * way, else no arrow key would ever leave.
 */
export function next(recorded: Recorded[], asked: Request, from: Request): Recorded | undefined {
	const found = nearest(recorded, asked);
	const start = numbersOf(from);
	const step = [...numbersOf(asked)].find(([path, value]) => value !== (start.get(path) ?? value));
	if (!found || !step) return found;
	const [path, value] = step;
	const beyond = (one: Request) => ((numbersOf(one).get(path) ?? 0) - (start.get(path) ?? 0)) * direction;
	const direction = Math.sign(value - (start.get(path) ?? 0));
	if (beyond(found) > 0) return found;
	const ahead = recorded.filter((one) => beyond(one) > 0);
	const here = recorded.filter((one) => beyond(one) === 0);
	return nearest(ahead.length > 0 ? ahead : here, asked) ?? found;
}

/** Which fields of the method, and which of "target" and "index", have more than one recorded value. */
export function movable(recorded: Recorded[]): Set<string> {
	const all = recorded.map(({ method, target, index }) => Object.entries({ ...method, target, index }));
	const values = new Set(all.flatMap((one) => one.map((entry) => JSON.stringify(entry))));
	const names = [...values].map((entry) => JSON.parse(entry)[0] as string);
	return new Set(names.filter((name, i) => names.indexOf(name) < i));
}

/** Another word is further away than any number. */
const OTHER = 1000;

function numbersOf(request: Request): Map<string, number> {
	const numbers = [...leavesOf(request)].filter(
		(leaf): leaf is [string, number] => typeof leaf[1] === "number",
	);
	return new Map([...numbers, ["index", request.index]]);
}

/** Every plain value in a request, by its path. */
function leavesOf({ method, target, index }: Request): Map<string, Value> {
	const leaves = new Map<string, Value>();
	const walk = (path: string, value: unknown) => {
		if (typeof value === "object" && value !== null)
			for (const [name, inner] of Object.entries(value)) walk(`${path}.${name}`, inner);
		else leaves.set(path, value as Value);
	};
	walk("", { method, target: target === null ? "predicted" : target, index: `${index}` });
	return leaves;
}

/** Where the controls of a widget that can be recorded go without a kernel, and which of them can be moved. */
export function recorder(recorded: ReadonlySignal<Recorded[]>, abort: AbortSignal) {
	// An arrow key or a button takes one step; a drag and a typed number go where they say.
	let stepped = false;
	const note = (event: Event) => {
		const [touched] = event.composedPath();
		const arrow = event instanceof KeyboardEvent && /^(Arrow|Page)/.test(event.key);
		stepped = arrow || touched instanceof HTMLButtonElement;
	};
	for (const type of ["pointerdown", "keydown"])
		addEventListener(type, note, { signal: abort, capture: true });
	return {
		turn: (asked: Request, from: Request) =>
			stepped ? next(recorded.value, asked, from) : nearest(recorded.value, asked),
		movable: () => movable(recorded.value),
	};
}
