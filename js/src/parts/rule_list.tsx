import { useLayoutEffect, useRef } from "../hooks";
import { keepInSight } from "../in_sight";
import type { LayerRule } from "../state";
import { SelectField } from "./select_field";

/** The rule of each layer with weights: the composite's, or one of its own. */
export function RuleList(props: {
	/** By path of the layer, or by the end of it that is enough to tell it. */
	rules: Record<string, string>;
	layers: LayerRule[];
	names: string[];
	/** The path of the layer that is looked at. */
	current: string;
	disabled: boolean;
	onChange: (rules: Record<string, string>) => void;
}) {
	const { rules, layers, names, current, disabled, onChange } = props;
	const list = useRef<HTMLDivElement>(null);
	useLayoutEffect(() => {
		keepInSight(
			list.current,
			layers.findIndex(({ path }) => path === current),
		);
	}, [current]);
	const choose = (path: string, rule: string | null) => {
		const { [keyOf(rules, path) ?? path]: _, ...others } = rules;
		onChange(rule === null ? others : { ...others, [path]: rule });
	};
	return (
		<section class="xai-rules">
			<p class="xai-title">Rules by layer</p>
			<fieldset disabled={disabled}>
				<div ref={list}>
					{layers.map(({ path, rule }) => {
						const key = keyOf(rules, path);
						const own = key === null ? null : rules[key];
						const composites = `composite’s: ${rule}`;
						const offered = own === null || names.includes(own) ? names : [own, ...names];
						return (
							<div
								key={path}
								data-own={own !== null || undefined}
								data-current={path === current || undefined}
							>
								<SelectField
									label={path}
									doc={path}
									choices={[composites, ...offered]}
									value={own ?? composites}
									onChange={(to) => choose(path, to === composites ? null : to)}
								/>
							</div>
						);
					})}
				</div>
				<button
					type="button"
					class="xai-new"
					aria-disabled={Object.keys(rules).length === 0}
					onClick={() => onChange({})}
				>
					Composite’s for all
				</button>
			</fieldset>
		</section>
	);
}

function keyOf(rules: Record<string, string>, path: string): string | null {
	return Object.keys(rules).find((key) => key === path || path.endsWith(`/${key}`)) ?? null;
}
