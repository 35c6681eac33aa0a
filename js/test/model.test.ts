import assert from "node:assert/strict";
import { test } from "node:test";
import type { AnyModel } from "@anywidget/types";
import { connect } from "../src/model";
import { movable, nearest, next, recorder } from "../src/recorded";
import type { Frame } from "../src/state";

/** Stands for the browser's window. */
const page = new EventTarget();
globalThis.addEventListener = page.addEventListener.bind(page) as typeof globalThis.addEventListener;

/** A host with as little as the standard promises: it may not even tell the page of its own changes. */
class FakeModel {
	saved = 0;
	listeners = new Map<string, Set<(source?: unknown) => void>>();
	constructor(public state: Record<string, unknown>) {}
	get = (key: string) => this.state[key];
	set = (key: string, value: unknown) => {
		this.state[key] = value;
	};
	save_changes = () => {
		this.saved++;
	};
	on = (event: string, listener: () => void) => {
		this.listeners.set(event, (this.listeners.get(event) ?? new Set()).add(listener));
	};
	off = (event: string, listener: () => void) => {
		this.listeners.get(event)?.delete(listener);
	};
	arrive(key: string, value: unknown, source?: unknown) {
		this.state[key] = value;
		for (const listener of this.listeners.get(`change:${key}`) ?? []) listener(source);
	}
}

function open(state: Record<string, unknown> = {}) {
	const model = new FakeModel({ opacity: 0.85, target: null, ...state });
	const abort = new AbortController();
	return { model, abort, session: connect(model as unknown as AnyModel, abort.signal, {}, recorder) };
}

test("what Python sends shows", () => {
	const { model, session } = open();
	model.arrive("status", "settled");
	assert.equal(session.state.status.value, "settled");
});

test("what is only shown is saved when the page goes away, and then alone", () => {
	const { model, session, abort } = open();
	session.show({ opacity: 0.3 });
	assert.equal(session.state.opacity.value, 0.3);
	assert.equal(model.state.opacity, 0.3);
	assert.equal(model.saved, 0);
	page.dispatchEvent(new Event("pagehide"));
	page.dispatchEvent(new Event("pagehide"));
	assert.equal(model.saved, 1);
	session.show({ opacity: 0.4 });
	abort.abort();
	page.dispatchEvent(new Event("pagehide"));
	assert.equal(model.saved, 1);
});

test("what is computed from is set at once and saved", () => {
	const { model, session } = open();
	session.compute({ target: 7 });
	assert.equal(session.state.target.value, 7);
	assert.equal(model.saved, 1);
});

test("a kernel that is gone shows, by the model's word or by a failure to send", () => {
	const jupyter = open();
	jupyter.model.arrive("target", 1, { comm_live: true });
	assert.equal(jupyter.session.kernel.value, "live");
	jupyter.model.arrive("target", 2, { comm_live: false });
	assert.equal(jupyter.session.kernel.value, "gone");

	const other = open();
	other.model.save_changes = () => {
		throw new Error("Cannot send");
	};
	other.session.compute({ target: 1 });
	assert.equal(other.session.kernel.value, "gone");
});

test("a host that says nothing of its comm counts as live, a saved page as one", () => {
	const { model, session } = open();
	model.arrive("target", null, null);
	assert.equal(session.kernel.value, "live");
	assert.equal(open({ _offline: true }).session.kernel.value, "saved page");
});

test("nothing listens after the view is gone", () => {
	const { model, abort } = open();
	abort.abort();
	for (const listeners of model.listeners.values()) assert.equal(listeners.size, 0);
});

const drawn = (sentence: string) => ({ frame: { sentence } as Frame });
const recorded = [8, 64].flatMap((steps) =>
	[0, 12].map((sigma) => ({
		method: { name: "ig", steps, baseline: { name: "blur", sigma } },
		target: null,
		index: 0,
		drawn: drawn(`${steps} ${sigma}`),
	})),
);
const at = { method: recorded[0].method, target: null, index: 0, _recorded: recorded };

test("without a kernel controls go to the nearest position that was recorded, with its map", () => {
	const { model, session } = open({ ...at, _offline: true });
	session.compute({ method: { name: "ig", steps: 50, baseline: { name: "blur", sigma: 3 } } });
	assert.deepEqual(session.state.method.value, recorded[2].method);
	assert.deepEqual(session.state.frame.value, { sentence: "64 0" });
	assert.equal(model.saved, 0);
});

test("with a kernel what was recorded is left alone", () => {
	const { model, session } = open(at);
	session.compute({ method: { name: "ig", steps: 50, baseline: { name: "blur", sigma: 3 } } });
	assert.equal(session.state.method.value.steps, 50);
	assert.equal(model.saved, 1);
});

test("another word is further away than any number", () => {
	const other = { ...recorded[0], method: { name: "ig", steps: 8, baseline: { name: "noise", sigma: 0 } } };
	const asked = {
		method: { name: "ig", steps: 64, baseline: { name: "noise", sigma: 9 } },
		target: null,
		index: 0,
	};
	assert.equal(nearest([...recorded, other], asked), other);
	assert.equal(nearest([], asked), undefined);
});

test("what has several recorded values can be moved", () => {
	assert.deepEqual([...movable(recorded)].sort(), ["baseline", "steps"]);
	assert.deepEqual([...movable([])], []);
});

test("far beyond the last recorded position the last is the nearest", () => {
	const asked = { ...at, method: { name: "ig", steps: 4000, baseline: { name: "blur", sigma: 12 } } };
	assert.equal(nearest(recorded, asked), recorded[3]);
});

test("a small step leads to the next recorded position that way, and stays at the last", () => {
	const stepped = (steps: number) => ({
		...at,
		method: { name: "ig", steps, baseline: { name: "blur", sigma: 0 } },
	});
	const [low, , high] = recorded;
	assert.equal(next(recorded, stepped(9), low), high);
	assert.equal(next(recorded, stepped(7), low), low);
	assert.equal(next(recorded, stepped(63), high), low);
	assert.equal(next(recorded, { ...low, index: 1 }, low), low);
	const third = { ...low, index: 2 };
	assert.equal(next([...recorded, third], { ...low, index: 1 }, low), third);
	assert.equal(next([...recorded, third], { ...low, index: 3 }, third), third);
});
