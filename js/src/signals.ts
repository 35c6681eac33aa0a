/**
 * Values that views follow by reading them: what a view read while it was drawn draws it again when it changes. Of
 * `@preact/signals`, whose names these are, this is all that a widget needs, and 8 kB less in each saved notebook. A view
 * is told once for each drawing in which it read: read outside of `useMemo`, which does not run in every one.
 */
import type { Component } from "preact";
import { beingDrawn, isGone } from "./hooks";

export interface ReadonlySignal<T = unknown> {
	readonly value: T;
}
export interface Signal<T = unknown> {
	value: T;
}

export function signal<T>(start: T): Signal<T> {
	let now = start;
	let readers = new Set<Component>();
	return {
		get value() {
			const reader = beingDrawn();
			if (reader) readers.add(reader);
			return now;
		},
		set value(next) {
			if (Object.is(next, now)) return;
			now = next;
			const told = readers;
			readers = new Set();
			for (const reader of told) if (!isGone(reader)) reader.forceUpdate();
		},
	};
}
