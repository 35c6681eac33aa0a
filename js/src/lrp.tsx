import type { AnyWidget } from "@anywidget/types";
import { render as mount } from "preact";
import { connect, keepKeys } from "./model";
import { LRPView } from "./parts/lrp_view";
import { recorder } from "./recorded";
import type { LRPState } from "./state";
import "./theme.css";

const OWN: Record<keyof LRPState, true> = {
	depth: true,
	_flow: true,
	_layer_rules: true,
	_rule_names: true,
};

const widget: AnyWidget = {
	render({ model, el, signal }) {
		keepKeys(el, signal);
		mount(<LRPView {...connect<LRPState>(model, signal, OWN, recorder)} />, el);
		return () => mount(null, el);
	},
};

export default widget;
