/** The only file that knows the host: traits become signals, and what a person changes goes back. */
import type { AnyModel } from "@anywidget/types";
import type { recorder } from "./recorded";
import { type ReadonlySignal, type Signal, signal } from "./signals";
import type { Display, ExplainerState, Painted, Request } from "./state";

/** Who answers: a kernel, one that is gone, or nobody because the page is a saved one. */
export type Kernel = "live" | "gone" | "saved page";

/** What a view draws from and sends back; a widget with more state than the others says which. */
export interface Session<More extends object = object> {
	state: Mirrors<ExplainerState & More>;
	kernel: ReadonlySignal<Kernel>;
	/** What was recorded in several positions: which fields of the method, and which of "target" and "index". */
	movable(): Set<string>;
	/** Ask Python for another map, or for what else the widget offers. */
	compute(patch: Partial<Request & Painted & More>): void;
	/** Look at the same map differently: all views follow, the kernel hears nothing. */
	show(patch: Partial<Display & Painted & Pick<Request, "method" | "index"> & More>): void;
}

type Mirrors<State> = { readonly [Trait in keyof State]: ReadonlySignal<State[Trait]> };

// A record, not a list: the compiler then misses no trait.
const TRAITS: Record<keyof ExplainerState, true> = {
	method: true,
	target: true,
	index: true,
	opacity: true,
	colormap: true,
	sign: true,
	clip: true,
	threshold: true,
	smooth: true,
	mode: true,
	_schema: true,
	_tables: true,
	_pictures: true,
	_baselines: true,
	_thumbnails: true,
	_samples: true,
	_names: true,
	_predictions: true,
	frame: true,
	status: true,
	phase: true,
	error: true,
	_refused: true,
	_title: true,
	_code: true,
	_recorded: true,
	region: true,
	_effect: true,
};

/** What a saved page adds to the traits. */
const OFFLINE = "_offline";

/**
 * The state of a model for as long as `abort` has not fired; `more` names the traits that only this widget has, and
 * `recording` is there where it can be recorded.
 */
export function connect<More extends object = object>(
	model: AnyModel,
	abort: AbortSignal,
	more: Record<keyof More, true> = {} as Record<keyof More, true>,
	recording?: typeof recorder,
): Session<More> {
	const traits = Object.keys({ ...TRAITS, ...more });
	const signals = new Map<string, Signal>(traits.map((trait) => [trait, signal(model.get(trait))]));
	const kernel = signal<Kernel>(model.get(OFFLINE) ? "saved page" : "live");

	// Jupyter's own model, handed to listeners, knows whether its comm still has a kernel behind it; elsewhere the
	// argument is something else and says nothing.
	let host: { comm_live?: boolean } | null | undefined;
	const hold = (source: unknown) => {
		if (source && typeof source === "object" && "comm_live" in source)
			host = source as { comm_live?: boolean };
	};
	const look = (otherwise: Kernel) => {
		const live = host?.comm_live;
		const seen = live === undefined ? otherwise : live ? "live" : "gone";
		if (kernel.value !== "saved page") kernel.value = seen;
	};
	// Jupyter says that the comm came or went, not which; a view is there before its comm goes.
	const turned = () => look("gone");
	model.on("comm_live_update", turned);
	abort.addEventListener("abort", () => model.off("comm_live_update", turned));

	for (const [trait, mirror] of signals) {
		const follow = (source: unknown) => {
			mirror.value = model.get(trait);
			hold(source);
			look(kernel.value);
		};
		model.on(`change:${trait}`, follow);
		abort.addEventListener("abort", () => model.off(`change:${trait}`, follow));
	}

	// A notebook that was saved and opened again has no kernel from the start. The model is heard of only by a change: of
	// a name that is no trait, so that nobody is told.
	if (kernel.value !== "saved page") {
		const hear = (source: unknown) => {
			hold(source);
			look(kernel.value);
		};
		model.on(`change:${OFFLINE}`, hear);
		model.set(OFFLINE, model.get(OFFLINE) === false ? null : false);
		model.off(`change:${OFFLINE}`, hear);
	}

	const mirrors = Object.fromEntries(signals) as unknown as Session<More>["state"];
	const set = (patch: object) => {
		for (const [trait, value] of Object.entries(patch)) {
			model.set(trait, value);
			// Not every host tells the page of its own changes.
			(signals.get(trait) as Signal).value = value;
		}
	};
	const requested = (): Request => {
		const { method, target, index } = mirrors;
		return { method: method.value, target: target.value, index: index.value };
	};
	const records = recording?.(mirrors._recorded, abort);
	/** Nobody computes: the controls go to the nearest position whose map is at hand. */
	const turn = (from: Request) => {
		const found = records?.turn(requested(), from);
		if (!found) return;
		const { drawn, ...at } = found;
		// What was painted goes with its sample.
		set({ ...at, _effect: {}, ...(at.index !== from.index && { region: {} }), ...drawn });
	};
	let unsaved = false;
	const save = () => {
		unsaved = false;
		try {
			model.save_changes();
		} catch {
			kernel.value = "gone";
		}
	};
	// A page that is loaded again asks the kernel for everything: it must know by then how the map was looked at.
	addEventListener("pagehide", () => unsaved && save(), { signal: abort });
	return {
		state: mirrors,
		kernel,
		movable: () => records?.movable() ?? new Set(),
		compute(patch) {
			const from = requested();
			set(patch);
			if (kernel.value === "live") save();
			else turn(from);
		},
		show(patch) {
			set(patch);
			unsaved = true;
		},
	};
}

/**
 * JupyterLab takes arrows and letters for notebook commands ("b" adds a cell) unless they stop here. Notebook 7 hears them
 * before any element does, and spares an element by a mark. Chords such as Ctrl+S and Shift+Enter stay the notebook's.
 */
export function keepKeys(el: HTMLElement, abort: AbortSignal): void {
	const keep = (event: KeyboardEvent) => {
		if (!isChord(event)) event.stopPropagation();
	};
	const spare = (event: KeyboardEvent) => {
		const { target } = event;
		if (target instanceof Element && el.contains(target)) target.toggleAttribute(SPARED, !isChord(event));
	};
	el.addEventListener("keydown", keep, { signal: abort });
	addEventListener("keydown", spare, { signal: abort, capture: true });
}

const SPARED = "data-lm-suppress-shortcuts";

function isChord({ ctrlKey, metaKey, altKey, shiftKey, key }: KeyboardEvent): boolean {
	return ctrlKey || metaKey || altKey || (key === "Enter" && shiftKey);
}
