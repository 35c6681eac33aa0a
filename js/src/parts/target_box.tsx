import { useLayoutEffect, useMemo, useRef, useState } from "../hooks";
import { keepInSight } from "../in_sight";
import { destination } from "../keys";
import type { Predictions, Target } from "../state";
import { type TargetOption, targetLabel, targetOptions } from "../targets";
import { useUniqueId } from "./unique_id";

/** A searchable list of classes: the combobox of the WAI-ARIA practices, with the caret kept in the input. */
export function TargetBox(props: {
	target: Target;
	names: string[];
	predictions: Predictions;
	onChange: (target: number | null) => void;
}) {
	const { target, names, predictions, onChange } = props;
	const id = useUniqueId();
	// null: closed. Open without anything typed, the whole list shows.
	const [query, setQuery] = useState<string | null>(null);
	const [active, setActive] = useState(0);
	const input = useRef<HTMLInputElement>(null);
	const list = useRef<HTMLDivElement>(null);
	const label = targetLabel(target, names, predictions);
	const options = useMemo(
		() => (query === null ? [] : targetOptions(query, names, predictions)),
		[query, names, predictions],
	);

	useLayoutEffect(() => keepInSight(list.current, active), [active, query]);
	// Whatever stands there is replaced by typing: nobody has to clear the box first.
	useLayoutEffect(() => {
		if (!query && input.current?.matches(":focus")) input.current.select();
	}, [query, label]);

	const open = () => {
		if (query !== null) return;
		setQuery("");
		const current = targetOptions("", names, predictions).findIndex((option) => option.target === target);
		setActive(Math.max(current, 0));
	};
	const choose = (option: TargetOption | undefined) => {
		setQuery(null);
		if (option && option.target !== target) onChange(option.target);
	};
	const press = (event: KeyboardEvent) => {
		if (query === null) {
			if (event.key !== "ArrowDown" && event.key !== "ArrowUp" && event.key !== "Enter") return;
			open();
		} else if (event.key === "Enter") {
			choose(options[active]);
		} else if (event.key === "Escape") {
			setQuery(null);
		} else {
			// Left and right are the caret's.
			const to = /t$/.test(event.key) ? undefined : destination(event.key, active, options.length - 1);
			if (to === undefined) return;
			setActive(to);
		}
		event.preventDefault();
	};

	return (
		<div class="xai-labelled xai-target">
			<label for={id}>Target</label>
			<input
				ref={input}
				id={id}
				type="text"
				role="combobox"
				autocomplete="off"
				spellcheck={false}
				aria-autocomplete="list"
				aria-expanded={query !== null}
				aria-controls={`${id}-list`}
				aria-activedescendant={options.length > 0 ? `${id}-${active}` : undefined}
				value={query || label}
				onFocus={(event) => event.currentTarget.select()}
				onClick={open}
				onInput={(event) => {
					setQuery(event.currentTarget.value);
					setActive(0);
				}}
				onKeyDown={press}
				onBlur={() => setQuery(null)}
			/>
			<div id={`${id}-list`} ref={list} role="listbox" aria-label="Classes" hidden={query === null}>
				{options.map((option, i) => (
					// biome-ignore lint/a11y/useKeyWithClickEvents: the input has the focus and takes the keys.
					<div
						key={String(option.target)}
						id={`${id}-${i}`}
						role="option"
						tabIndex={-1}
						aria-selected={option.target === target}
						data-active={i === active || undefined}
						// The input keeps the focus, so that the list is still there when the click lands.
						onPointerDown={(event) => event.preventDefault()}
						onClick={() => choose(option)}
					>
						<span>{option.label}</span>
						<span class="xai-figure">{option.value}</span>
					</div>
				))}
				{query !== null && options.length === 0 && (
					<div role="option" tabIndex={-1} aria-disabled="true" aria-selected={false}>
						no class matches
					</div>
				)}
			</div>
		</div>
	);
}
