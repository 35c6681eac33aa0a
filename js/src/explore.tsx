import type { AnyWidget } from "@anywidget/types";
import { render as mount } from "preact";
import { keepKeys } from "./model";
import { connectTabs, ExploreView } from "./parts/explore_view";
import "./tabs.css";

const widget: AnyWidget = {
	render({ model, el, signal, host }) {
		keepKeys(el, signal);
		mount(<ExploreView {...connectTabs(model, signal)} host={host} signal={signal} />, el);
		return () => mount(null, el);
	},
};

export default widget;
