/**
 * What a view keeps from one drawing to the next, by the names of `preact/hooks`: of these, all that a widget needs, and
 * 2 kB less in each saved notebook.
 */
import { type Component, options, type VNode } from "preact";

/** What Preact's own add-ons know the life of a component by. */
interface View extends Component {
	/** Called once what was drawn is on the page. */
	__h: (() => void)[];
	kept?: Kept[];
}
type Drawn = VNode & { __c?: View };
interface Kept {
	// biome-ignore lint/suspicious/noExplicitAny: each place holds what its own hook puts there.
	value?: any;
	given?: readonly unknown[];
	undo?: (() => void) | undefined;
}
type Effect = () => (() => void) | undefined;

const life = options as {
	__r?: (node: Drawn) => void;
	diffed?: (node: Drawn) => void;
	unmount?: (node: Drawn) => void;
};
const gone = new WeakSet<Component>();
let drawing: View | undefined;
let place = 0;

life.__r = (node) => {
	drawing = node.__c;
	place = 0;
};
life.diffed = () => {
	drawing = undefined;
};
life.unmount = ({ __c: view }) => {
	if (!view) return;
	gone.add(view);
	for (const { undo } of view.kept ?? []) undo?.();
};

/** The view that is drawn at the moment, and whether one is still on the page. */
export const beingDrawn = (): Component | undefined => drawing;
export const isGone = (view: Component): boolean => gone.has(view);

function keep(): Kept {
	const view = drawing as View;
	view.kept ??= [];
	view.kept[place] ??= {};
	return view.kept[place++];
}

function changed(kept: Kept, given: readonly unknown[]): boolean {
	const { given: before } = kept;
	kept.given = given;
	return !before || given.length !== before.length || given.some((value, i) => !Object.is(value, before[i]));
}

export function useMemo<T>(make: () => T, given: readonly unknown[]): T {
	const kept = keep();
	if (changed(kept, given)) kept.value = make();
	return kept.value;
}

export function useRef<T>(current: T): { current: T };
export function useRef<T>(current: T | null): { current: T | null };
export function useRef(current: unknown): { current: unknown } {
	return useMemo(() => ({ current }), []);
}

export function useState<T>(now: T): [T, (next: T) => void] {
	const kept = keep();
	const view = drawing as View;
	kept.value ??= {
		now,
		set(next: T) {
			if (Object.is(next, kept.value.now)) return;
			kept.value.now = next;
			if (!isGone(view)) view.forceUpdate();
		},
	};
	return [kept.value.now, kept.value.set];
}

/** Something to be done once what was drawn is on the page, and to be undone before it is done again. */
export function useLayoutEffect(effect: Effect | (() => void), given: readonly unknown[]): void {
	const kept = keep();
	if (!changed(kept, given)) return;
	(drawing as View).__h.push(() => {
		kept.undo?.();
		kept.undo = (effect as Effect)();
	});
}
