import type { AnyWidget } from "@anywidget/types";
import { render as mount } from "preact";
import { connect, keepKeys } from "./model";
import { CamView } from "./parts/cam_view";
import { recorder } from "./recorded";
import type { CAMState } from "./state";
import "./theme.css";

const TRAITS: Record<keyof CAMState, true> = {
	channel: true,
	cells: true,
	_layer: true,
	_layers: true,
	_activations: true,
	_beside: true,
	_channel: true,
};

const widget: AnyWidget = {
	render({ model, el, signal }) {
		keepKeys(el, signal);
		mount(<CamView {...connect<CAMState>(model, signal, TRAITS, recorder)} />, el);
		return () => mount(null, el);
	},
};

export default widget;
