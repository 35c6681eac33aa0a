/**
 * Values that views follow by reading them: what a view read while it was drawn draws it again when it changes. Of
 * `@preact/signals`, whose names these are, this is all that a widget needs, and 8 kB less in each saved notebook.
 */
import { type Component, options, type VNode } from "preact";

export interface ReadonlySignal<T = unknown> {
	readonly value: T;
}
export interface Signal<T = unknown> {
	value: T;
}

/** Preact's own add-ons look into the life of a component by these names. */
type Drawn = VNode & { __c?: Component };
const hooks = options as {
	__r?: (node: Drawn) => void;
	diffed?: (node: Drawn) => void;
	unmount?: (node: Drawn) => void;
};
const { __r: begun, diffed, unmount } = hooks;
const gone = new WeakSet<Component>();
let drawing: Component | undefined;

hooks.__r = (node) => {
	drawing = node.__c;
	begun?.(node);
};
hooks.diffed = (node) => {
	drawing = undefined;
	diffed?.(node);
};
hooks.unmount = (node) => {
	if (node.__c) gone.add(node.__c);
	unmount?.(node);
};

export function signal<T>(start: T): Signal<T> {
	let now = start;
	let readers = new Set<Component>();
	return {
		get value() {
			if (drawing) readers.add(drawing);
			return now;
		},
		set value(next) {
			if (Object.is(next, now)) return;
			now = next;
			const told = readers;
			readers = new Set();
			for (const reader of told) if (!gone.has(reader)) reader.forceUpdate();
		},
	};
}
