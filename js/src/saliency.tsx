import type { AnyWidget } from "@anywidget/types";
import { render as mount } from "preact";
import { connect, keepKeys } from "./model";
import { SaliencyView } from "./parts/saliency_view";
import { recorder } from "./recorded";
import "./theme.css";

const widget: AnyWidget = {
	render({ model, el, signal }) {
		keepKeys(el, signal);
		mount(<SaliencyView {...connect(model, signal, {}, recorder)} />, el);
		return () => mount(null, el);
	},
};

export default widget;
