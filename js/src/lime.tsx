import type { AnyWidget } from "@anywidget/types";
import { render as mount } from "preact";
import { connect, keepKeys } from "./model";
import { LIMEView } from "./parts/lime_view";
import { recorder } from "./recorded";
import type { LIMEState } from "./state";
import "./theme.css";

const OWN: Record<keyof LIMEState, true> = {
	off: true,
	edited: true,
	top: true,
	_players: true,
	_surrogate: true,
	_equations: true,
};

const widget: AnyWidget = {
	render({ model, el, signal }) {
		keepKeys(el, signal);
		mount(<LIMEView {...connect<LIMEState>(model, signal, OWN, recorder)} />, el);
		return () => mount(null, el);
	},
};

export default widget;
