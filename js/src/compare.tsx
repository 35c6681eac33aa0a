import type { AnyWidget } from "@anywidget/types";
import { render as mount } from "preact";
import { connect, keepKeys } from "./model";
import { CompareView } from "./parts/compare_view";
import type { CompareState } from "./state";
import "./theme.css";
import "./compare.css";

const OWN: Record<keyof CompareState, true> = {
	methods: true,
	baselines: true,
	targets: true,
	row: true,
	column: true,
	one_scale: true,
	panel: true,
	randomizing: true,
	_axes: true,
	_cells: true,
	_agreement: true,
	_curves: true,
	_strip: true,
};

const widget: AnyWidget = {
	render({ model, el, signal }) {
		keepKeys(el, signal);
		mount(<CompareView {...connect<CompareState>(model, signal, OWN)} />, el);
		return () => mount(null, el);
	},
};

export default widget;
