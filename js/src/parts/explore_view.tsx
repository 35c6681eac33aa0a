import type { AnyModel, Host } from "@anywidget/types";
import { useLayoutEffect, useRef } from "../hooks";
import { type ReadonlySignal, signal } from "../signals";
import type { ExplorerState } from "../state";
import { useUniqueId } from "./unique_id";

const TRAITS = ["tab", "error", "_tabs", "_views", "_title"] as const;
const ALONE =
	"This host cannot show a view within a view: open one alone, such as xai.SaliencyWidget(model, inputs).";

interface Tabs {
	state: { readonly [Trait in keyof ExplorerState]: ReadonlySignal<ExplorerState[Trait]> };
	open(tab: string): void;
}

/** The tabs of a model for as long as `abort` has not fired. */
export function connectTabs(model: AnyModel, abort: AbortSignal): Tabs {
	const mirrors = Object.fromEntries(
		TRAITS.map((trait) => {
			const mirror = signal(model.get(trait));
			const follow = () => {
				mirror.value = model.get(trait);
			};
			model.on(`change:${trait}`, follow);
			abort.addEventListener("abort", () => model.off(`change:${trait}`, follow));
			return [trait, mirror];
		}),
	);
	return {
		state: mirrors as unknown as Tabs["state"],
		open(tab) {
			mirrors.tab.value = tab;
			model.set("tab", tab);
			model.save_changes();
		},
	};
}

/** One door to the views of a model. A view that was opened stays as it was left. */
export function ExploreView({ state, open, host, signal }: Tabs & { host?: Host; signal: AbortSignal }) {
	const tabs = state._tabs.value;
	const views = state._views.value;
	const tab = state.tab.value;
	const id = useUniqueId();
	const list = useRef<HTMLDivElement>(null);

	const press = (event: KeyboardEvent) => {
		const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
		if (!step) return;
		event.preventDefault();
		const place = tabs.findIndex(({ name }) => name === tab);
		const to = (place + step + tabs.length) % tabs.length;
		open(tabs[to].name);
		list.current?.querySelectorAll<HTMLElement>("[role=tab]")[to].focus();
	};

	return (
		<div class="xai-explore" role="group" aria-label={state._title.value}>
			<div class="xai-tabs" role="tablist" aria-label={state._title.value} ref={list} onKeyDown={press}>
				{tabs.map(({ name, label }) => (
					<button
						key={name}
						id={`${id}-${name}`}
						type="button"
						role="tab"
						aria-selected={name === tab}
						aria-controls={`${id}-panel-${name}`}
						tabIndex={name === tab ? 0 : -1}
						onClick={() => open(name)}
					>
						{label}
					</button>
				))}
			</div>
			{tabs.map(({ name }) => (
				<div
					key={name}
					id={`${id}-panel-${name}`}
					role="tabpanel"
					aria-labelledby={`${id}-${name}`}
					hidden={name !== tab}
				>
					{views[name] && host ? (
						<Inner reference={views[name]} host={host} signal={signal} />
					) : (
						<p class="xai-note">{host ? state.error.value || "This view was not opened." : ALONE}</p>
					)}
				</div>
			))}
		</div>
	);
}

function Inner({ reference, host, signal }: { reference: string; host: Host; signal: AbortSignal }) {
	const place = useRef<HTMLDivElement>(null);
	useLayoutEffect(() => {
		const gone = new AbortController();
		signal.addEventListener("abort", () => gone.abort(), { signal: gone.signal });
		host.getWidget(reference).then((widget) => {
			if (place.current && !gone.signal.aborted) widget.render({ el: place.current, signal: gone.signal });
		});
		return () => gone.abort();
	}, [reference, host, signal]);
	return <div ref={place} />;
}
