import assert from "node:assert/strict";
import { test } from "node:test";
import { type Component, options } from "preact";
import { useLayoutEffect, useMemo, useState } from "../src/hooks";
import { signal } from "../src/signals";

/** The life of a component as Preact runs it, without a page: drawn, then what waits for the page, in the end gone. */
function mounted(draw: () => void) {
	const life = options as unknown as Record<string, (node: object) => void>;
	let drawings = 0;
	const view = { __h: [] as (() => void)[], forceUpdate: () => render() } as unknown as Component & {
		__h: (() => void)[];
	};
	const node = { __c: view };
	const render = () => {
		drawings++;
		life.__r(node);
		draw();
		life.diffed(node);
		for (const done of view.__h.splice(0)) done();
	};
	render();
	return { render, count: () => drawings, unmount: () => life.unmount(node) };
}

test("a memo is made again only for other values, a list that became longer among them", () => {
	let made = 0;
	let given: unknown[] = [1, Number.NaN];
	const view = mounted(() => useMemo(() => made++, given));
	view.render();
	assert.equal(made, 1);
	given = [2, Number.NaN];
	view.render();
	given = [2, Number.NaN, 3];
	view.render();
	assert.equal(made, 3);
});

test("an effect is undone before it is done again, and when its view goes", () => {
	const said: string[] = [];
	let value = "a";
	const view = mounted(() => {
		const now = value;
		useLayoutEffect(() => {
			said.push(`do ${now}`);
			return () => said.push(`undo ${now}`);
		}, [now]);
	});
	view.render();
	value = "b";
	view.render();
	view.unmount();
	assert.deepEqual(said, ["do a", "undo a", "do b", "undo b"]);
});

test("a state draws its view again when it becomes another, and never after the view is gone", () => {
	const seen: number[] = [];
	let set: (next: number) => void = () => {};
	const view = mounted(() => {
		const [now, change] = useState(0);
		set = change;
		seen.push(now);
	});
	set(0);
	set(3);
	view.unmount();
	set(4);
	assert.deepEqual(seen, [0, 3]);
});

test("a signal draws all who read it, once each, and nobody who did not or is gone", () => {
	const one = signal(1);
	const seen: number[][] = [[], [], []];
	const readers = [0, 1].map((at) => mounted(() => seen[at].push(one.value + 0 * one.value)));
	const deaf = mounted(() => seen[2].push(0));
	one.value = 2;
	one.value = 2;
	readers[1].unmount();
	one.value = 3;
	assert.deepEqual(seen, [[1, 2, 3], [1, 2], [0]]);
	assert.equal(deaf.count(), 1);
});
