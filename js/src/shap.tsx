import type { AnyWidget } from "@anywidget/types";
import { render as mount } from "preact";
import { connect, keepKeys } from "./model";
import { SHAPView } from "./parts/shap_view";
import { recorder } from "./recorded";
import type { SHAPState } from "./state";
import "./theme.css";
import "./shap.css";

const OWN: Record<keyof SHAPState, true> = { chart: true, order: true, top: true, _row: true, _swarm: true };

const widget: AnyWidget = {
	render({ model, el, signal }) {
		keepKeys(el, signal);
		mount(<SHAPView {...connect<SHAPState>(model, signal, OWN, recorder)} />, el);
		return () => mount(null, el);
	},
};

export default widget;
