/**
 * Writes one page with the built widget and a stand-in for Python: `npm run build && node test/mock.mjs mock.html`.
 * The page answers every change after a moment, in a few frames that sharpen. `?vector`, `?inputs`, `?offline`, `?error`,
 * `?gone`, `?empty` and `?dark` show other states; `window.model` is the model.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const built = join(import.meta.dirname, "../../xai_widgets/static");
const code = Buffer.from(readFileSync(join(built, "saliency.js"))).toString("base64");
const css = readFileSync(join(built, "saliency.css"), "utf8");

writeFileSync(
	process.argv[2] ?? "mock.html",
	`<!doctype html>
<html lang="en">
<meta charset="utf-8">
<title>xai_widgets: mock</title>
<style>
body { margin: 0; padding: 12px; background: var(--jp-layout-color1); }
[data-jp-theme-light="true"] {
	--jp-layout-color1: #fff; --jp-ui-font-color1: rgba(0, 0, 0, .87); --jp-brand-color1: #1976d2;
	--jp-warn-color1: #f57c00; --jp-error-color1: #d32f2f; --jp-success-color1: #388e3c;
}
[data-jp-theme-light="false"] {
	--jp-layout-color1: #212121; --jp-ui-font-color1: rgba(255, 255, 255, .87); --jp-brand-color1: #64b5f6;
	--jp-warn-color1: #ffb74d; --jp-error-color1: #e57373; --jp-success-color1: #81c784;
}
${css}
</style>
<body>
<main><h1 hidden>Mock</h1><div id="root"></div></main>
<script type="module">
(${page})(await import("data:text/javascript;base64,${code}"), new URLSearchParams(location.search));
</script>
</html>
`,
);

/** Runs in the page. */
function page({ default: widget }, query) {
	document.body.dataset.jpThemeLight = String(!query.has("dark"));
	const SIDE = 224;

	const view = (bytes) => new DataView(Uint8Array.from(bytes).buffer);
	const field = (name, kind, value, changes = {}) => ({
		name,
		label: name[0].toUpperCase() + name.slice(1).replace("_", " "),
		doc: `What ${name} does.`,
		kind,
		default: value,
		min: null,
		max: null,
		step: null,
		unit: "",
		choices: null,
		...changes,
	});
	const baseline = field("baseline", "baseline", { name: "blur", sigma: 12 });
	const schema = {
		methods: [
			{
				name: "integrated_gradients",
				family: "Gradients",
				label: "Integrated gradients",
				doc: "Gradients along the straight path from a baseline.",
				fields: [
					field("steps", "int", 64, { min: 1, max: 256 }),
					baseline,
					field("rule", "choice", "midpoint", {
						choices: ["midpoint", "left", "right", "trapezoid", "gauss_legendre"],
					}),
				],
			},
			{
				name: "smooth_grad",
				family: "Gradients",
				label: "SmoothGrad",
				doc: "The mean gradient of noisy copies.",
				fields: [
					field("samples", "int", 32, { min: 1, max: 128 }),
					field("noise", "float", 0.15, { min: 0, max: 1, step: 0.01 }),
					field("squared", "bool", false),
					field("seed", "seed", 0, { min: 0 }),
					field(
						"of",
						"method",
						{ name: "grad_cam", layer: null },
						{ choices: ["integrated_gradients", "grad_cam"] },
					),
				],
			},
			{
				name: "grad_cam",
				family: "Class activation maps",
				label: "Grad-CAM",
				doc: "Where the last feature maps are active.",
				fields: [
					field("layer", "layer", null, { choices: ["block4.conv", "block5.very_long_name.conv2d_17"] }),
				],
			},
		],
		baselines: [
			{
				name: "constant",
				label: "constant",
				doc: "",
				fields: [field("value", "value", 0, { min: 0, max: 255, channels: 3 })],
			},
			{
				name: "blur",
				label: "blur",
				doc: "",
				fields: [field("sigma", "float", 12, { min: 0, max: 50, unit: "px" })],
			},
			{
				name: "noise",
				label: "noise",
				doc: "",
				fields: [field("sigma", "float", 20, { min: 0, max: 128 })],
			},
			{
				name: "mean",
				label: "mean",
				doc: "",
				fields: [field("samples", "value", { array: "a", shape: [64, 224, 224, 3] })],
			},
		],
	};
	const table = (stops, diverging) => ({
		diverging,
		data: view(
			Array.from({ length: 768 }, (_, at) => {
				const x = (Math.floor(at / 3) / 255) * (stops.length - 1);
				const below = Math.min(Math.floor(x), stops.length - 2);
				const channel = at % 3;
				return stops[below][channel] + (x - below) * (stops[below + 1][channel] - stops[below][channel]);
			}),
		),
	});
	const tables = {
		PuOr_r: table(
			[
				[45, 0, 75],
				[153, 142, 195],
				[247, 247, 247],
				[241, 163, 64],
				[127, 59, 8],
			],
			true,
		),
		RdBu_r: table(
			[
				[5, 48, 97],
				[103, 169, 207],
				[247, 247, 247],
				[239, 138, 98],
				[103, 0, 31],
			],
			true,
		),
		viridis: table(
			[
				[68, 1, 84],
				[33, 145, 140],
				[253, 231, 37],
			],
			false,
		),
	};
	const names = Array.from({ length: 1000 }, (_, i) => `class number ${i}`);
	names[281] = "tabby cat";
	names[282] = "tiger cat";
	names[243] = "bull mastiff";
	names[292] = "tiger";

	const picture = (side, phase = 0) => ({
		shape: [side, side, 3],
		data: view(
			Array.from({ length: side * side * 3 }, (_, at) => {
				const place = Math.floor(at / 3);
				const [x, y] = [place % side, Math.floor(place / side)].map((value) => (value * SIDE) / side);
				return (
					110 +
					50 * Math.sin(x / 17 + (at % 3) + phase) * Math.cos(y / 23) +
					50 * Math.exp(-((x - 120) ** 2 + (y - 90) ** 2) / 3000)
				);
			}),
		),
	});
	const features = {
		name: "table",
		shape: [24],
		labels: Array.from(
			{ length: 24 },
			(_, i) => ["median income", "house age", "average rooms", "latitude"][i] ?? `feature ${i}`,
		),
		texts: Array.from({ length: 24 }, (_, i) => (i * 1.37).toFixed(2)),
	};

	/** Halves without a library: exact enough for a mock. */
	const half = (value) => {
		if (value === 0) return 0;
		const exponent = Math.max(Math.floor(Math.log2(Math.abs(value))), -14);
		const fraction = Math.round((Math.abs(value) / 2 ** exponent - 1) * 1024);
		return (value < 0 ? 0x8000 : 0) + ((exponent + 15) << 10) + fraction;
	};
	const inputs = query.has("vector")
		? [features]
		: query.has("inputs")
			? [{ name: "left eye", ...picture(SIDE) }, { name: "right eye", ...picture(SIDE, 2) }, features]
			: [{ name: "image", ...picture(SIDE) }];
	let job = 0;
	const frame = (state, progress) => {
		const shapes = inputs.map((input) => input.shape.slice(0, 2));
		const sizes = shapes.map((shape) => shape.reduce((a, b) => a * b, 1));
		const values = sizes.flatMap((size, input) =>
			Array.from({ length: size }, (_, i) => {
				const [x, y] = [i % SIDE, Math.floor(i / SIDE)];
				const near =
					"labels" in inputs[input] ? 1 / (1 + i / 4) : Math.exp(-((x - 120) ** 2 + (y - 90) ** 2) / 2500);
				const noise = (Math.sin(i * 12.9898 + state.target * 7) * 43758.5453) % 1;
				return half((near * (0.3 * Math.cos(i / 3) + noise) + ((1 - progress) * noise) / 2) / (1 + input));
			}),
		);
		const steps = Math.round(16 * progress);
		const total = state.method.steps ?? state.method.samples;
		return {
			job,
			version: 1,
			progress,
			arrays: shapes.map((shape, input) => ({
				input,
				shape,
				dtype: "float16",
				scale: 0.0281,
				offset: 2 * sizes.slice(0, input).reduce((a, b) => a + b, 0),
			})),
			data: new DataView(Uint16Array.from(values).buffer),
			card: {
				score_name: "logit",
				target: 282,
				target_name: "tiger cat",
				score: 14.74,
				baseline_score: -1.75,
				sum: 16.26,
				residual: -0.24,
				change: 0.021 + 0.3 * (1 - progress),
				passes: Math.round(total * progress),
				total,
				seconds: 1.3 * progress,
				conventions: ["The score is the logit: the model's final softmax is left out."],
				notes: [
					"19 % of the score is reached in the first fifth of the path, so the picture, not the baseline, decides.",
				],
				baseline_name: state.method.baseline?.name ?? "",
			},
			path: {
				early: 0.19,
				alphas: Array.from({ length: steps + 1 }, (_, i) => i / 16),
				scores: Array.from(
					{ length: steps + 1 },
					(_, i) => -1.75 + 16.49 * Math.sin((Math.PI * i) / 32) ** 1.4,
				),
			},
			sentence: "The map adds up to 16.3 of the 16.5 by which “tiger cat” scores above the blurred picture.",
		};
	};

	const state = {
		method: {
			name: "integrated_gradients",
			steps: 64,
			baseline: { name: "blur", sigma: 12 },
			rule: "midpoint",
		},
		target: null,
		index: 0,
		opacity: 0.85,
		colormap: "PuOr_r",
		sign: "both",
		clip: 99,
		threshold: 0,
		smooth: 0,
		mode: "overlay",
		_schema: schema,
		_tables: tables,
		_pictures: query.has("empty") ? [] : inputs,
		_baselines: inputs.map((input) => ("labels" in input ? {} : picture(56, 1))),
		_thumbnails: query.has("vector") ? [] : Array.from({ length: 40 }, (_, i) => picture(48, i)),
		_samples: 64,
		_names: names,
		_predictions: {
			kind: "probability",
			classes: [282, 281, 243, 292],
			values: [0.523, 0.212, 0.0412, 0.003],
			count: 1000,
		},
		frame: {},
		status: query.has("empty") ? "tracing the model" : "settled · 64 of 64 passes · 1.3 s",
		phase: query.has("empty") ? "tracing" : "settled",
		error: query.has("error")
			? "The layer “block5” is gone: the model was changed after this widget was made."
			: "",
		region: {},
		_effect: {},
		_refused: query.has("error") ? "steps: 0 is below the least value, 1" : "",
		_title: "Saliency of darknet_tiny",
		_code:
			'from xai_widgets import saliency\n\nsaliency(model, images, method="integrated_gradients", steps=64)\n',
		_offline: query.has("offline"),
	};
	if (!query.has("empty")) state.frame = frame(state, 1);

	const listeners = new Map();
	let timer = 0;
	const model = {
		saved: 0,
		comm_live: !query.has("gone"),
		get: (key) => state[key],
		set(key, value) {
			state[key] = value;
			for (const listener of listeners.get(`change:${key}`) ?? []) listener(model, value);
		},
		on: (event, listener) => listeners.set(event, [...(listeners.get(event) ?? []), listener]),
		off: (event, listener) =>
			listeners.set(
				event,
				(listeners.get(event) ?? []).filter((other) => other !== listener),
			),
		save_changes() {
			model.saved++;
			if (query.has("gone") || query.has("offline")) return;
			clearInterval(timer);
			job++;
			let progress = 0;
			model.set("phase", "computing");
			model.set("status", "computing");
			timer = setInterval(() => {
				progress = Math.min(progress + 0.25, 1);
				model.set("frame", frame(state, progress));
				if (progress < 1) return;
				clearInterval(timer);
				model.set("phase", "settled");
				model.set("status", "settled · 1.3 s");
			}, 60);
		},
	};
	const controller = new AbortController();
	const el = document.getElementById("root");
	const dispose = widget.render({ model, el, signal: controller.signal });
	const leave = () => {
		controller.abort();
		dispose();
	};
	Object.assign(window, { model, listeners, leave });
}
