/** The state that Python and the page share: the traits of every widget, under their own names. */
export interface ExplainerState {
	method: Choice;
	target: Target;
	index: number;
	opacity: number;
	colormap: string;
	sign: Sign;
	clip: number;
	threshold: number;
	smooth: number;
	mode: Mode;
	_schema: Schemas;
	_tables: Record<string, TableData>;
	_pictures: Input[];
	_baselines: (Picture | Empty)[];
	_thumbnails: Picture[];
	_samples: number;
	_names: string[];
	_predictions: Predictions;
	frame: Frame | Empty;
	status: string;
	phase: "tracing" | "computing" | "settled" | "error";
	error: string;
	_refused: string;
	_title: string;
	_code: string;
	_recorded: Recorded[];
	region: RegionState | Empty;
	_effect: Effect | Empty;
}

/** The tabs of `explore`, each a view of its own. */
export interface ExplorerState {
	/** The name of the open one. */
	tab: string;
	error: string;
	_tabs: { name: string; label: string }[];
	/** Those that were opened, by their names: how the host knows them. */
	_views: Record<string, string>;
	_title: string;
}

/** What CAMWidget has besides. */
export interface CAMState {
	channel: number | null;
	cells: boolean;
	_layer: string;
	_layers: Layer[];
	_activations: (Picture | null)[];
	_beside: Beside | Empty;
	_channel: ChannelAnswer | Empty;
}

/** A layer of the model's tree. */
export interface Layer {
	path: string;
	/** How deep it lies within others, from 1. */
	level: number;
	kind: string;
	/** Which one it is of those that a map can be made of, in call order; null for the others. */
	place: number | null;
	shape: string;
}
/** What is shown beside the map of a layer. */
export interface Beside {
	layer: string;
	variants: { name: string; label: string }[];
	/** One for each variant. */
	arrays: FrameArray[];
	data: DataView;
	/** Whose shares the channels have. */
	ranked_by: string;
	count: number;
	channels: ChannelShare[];
}
export interface ChannelShare {
	channel: number;
	weight: number;
	/** Of the sum of what all channels add to the map, regardless of sign. */
	share: number;
	picture: Picture;
}
/** Where a channel is active, and in words what its removal does: empty until that is known. */
export interface ChannelAnswer {
	layer: string;
	channel: number;
	arrays: FrameArray[];
	data: DataView;
	score: number;
	without: number | null;
	effect: string;
	sentence: string;
}

/** A class, the predicted one (null), or what Python alone can name: a function, a margin, a neuron. */
export type Target = number | null | { label: string };

/** What Python computes from. */
export type Request = Pick<ExplainerState, "method" | "target" | "index">;
/** What is painted. */
export type Painted = Pick<ExplainerState, "region">;
/** What only the page reads: never a reason to compute. */
export type Display = Pick<
	ExplainerState,
	"opacity" | "colormap" | "sign" | "clip" | "threshold" | "smooth" | "mode"
>;

/** A position of the controls whose map is kept: without a kernel the controls move there. */
export interface Recorded extends Request {
	drawn: Partial<ExplainerState>;
}

/** What LRPWidget has besides. */
export interface LRPState {
	/** How many layers back from the inputs, which are 0. */
	depth: number;
	_flow: Flow | Empty;
	_layer_rules: LayerRule[];
	/** Of rules that a layer may be given. */
	_rule_names: string[];
}

/** Relevance on its way back, from the inputs to the score. */
export interface Flow {
	score: number | null;
	stops: Stop[];
	data: DataView;
}
/** Where it is looked at. */
export interface Stop {
	name: string;
	/** Of the layer; empty for the inputs and the score. */
	path: string;
	shape: string;
	sum: number | null;
	/** Over the inputs; none where the layer has no positions. */
	maps: FrameArray[];
	/** Each value of a map adds up block x block of the layer's own. */
	block: number;
	/** Sums over positions. */
	units: FrameArray;
}
/** A layer with weights, and the rule that it has unless it is given one of its own. */
export interface LayerRule {
	path: string;
	rule: string;
}

export type Empty = Record<string, never>;

/** A method or a baseline: which one, and the values of its fields, among which may be further choices. */
export interface Choice {
	name: string;
	[field: string]: Value;
}
/** A list of numbers is a colour. */
export type Value = number | string | boolean | null | number[] | ArrayRef | Choice | Record<string, string>;
/** An array that stays in Python; the page hands it back untouched. */
export interface ArrayRef {
	array: string;
	shape: number[];
}

export interface Schemas {
	methods: MethodSchema[];
	baselines: Schema[];
}
export interface Schema {
	name: string;
	label: string;
	doc: string;
	fields: Field[];
}
/** Methods of a family follow one another. */
export interface MethodSchema extends Schema {
	family: string;
}
export interface Field {
	name: string;
	label: string;
	doc: string;
	kind:
		| "int"
		| "float"
		| "choice"
		| "bool"
		| "baseline"
		| "method"
		| "value"
		| "limit"
		| "seed"
		| "layer"
		| "sample"
		| "size"
		| "segments"
		| "words";
	default: Value;
	min: number | null;
	max: number | null;
	step: number | null;
	unit: string;
	/** Words; of kind "layer" paths, of kind "method" the names of the methods that it may hold. */
	choices: string[] | null;
	/** Of kind "value": 3 where one value per channel makes a colour, else 0. */
	channels?: number;
}

export type Sign = "both" | "positive" | "negative" | "absolute";
export type Mode = "overlay" | "side by side" | "mask";

export interface TableData {
	diverging: boolean;
	data: DataView;
}

export interface Picture {
	shape: [height: number, width: number, channels: number];
	data: DataView;
}
export interface Features {
	shape: [length: number];
	labels: string[];
	texts: string[];
}
/** What one input of the model was given. */
export type Input = { name: string } & (Picture | Features | object);

export interface Predictions {
	kind: "probability" | "score";
	classes: number[];
	values: number[];
	count: number;
}

export interface Frame {
	job: number;
	version: number;
	progress: number;
	arrays: FrameArray[];
	data: DataView;
	card: Card;
	path: Path | null;
	sentence: string;
}
/** The score on the way from one end (0) to the other (1). */
export interface Path {
	alphas: number[];
	scores: number[];
	/** The share of the difference that is gained in the first fifth of the way: a fifth where it rises evenly. */
	early: number | null;
	/** What stands at either end, in words. */
	ends: [first: string, last: string];
}
export interface FrameArray {
	input: number;
	shape: number[];
	dtype: "float16" | "float32";
	scale: number;
	offset: number;
	/** Of the map that shares each value out over its pixels, where one value is painted over many. */
	spread?: FrameArray;
}

/** What the map is and how far to trust it; null where the method makes no such claim. */
export interface Card {
	score_name: string;
	target: number | null;
	target_name: string;
	score: number | null;
	baseline_score: number | null;
	sum: number | null;
	residual: number | null;
	change: number | null;
	passes: number | null;
	total: number | null;
	seconds: number | null;
	/** What holds for any map of this kind. */
	conventions: string[];
	/** What holds for this map, and may mislead. */
	notes: string[];
	baseline_name: string;
}

/** What a widget of a linear model of segments or features has besides. */
export interface LIMEState {
	/** Numbers of the players that are switched off. */
	off: number[];
	edited: Edited;
	/** How many players are shown. */
	top: number;
	_players: Players[];
	_surrogate: Surrogate | Empty;
	_equations: Equations | Empty;
}

/** The parts of an input that may be absent, numbered through all inputs; of a picture with a label for each pixel. */
export type Players = { name: string; labels: string[]; texts: string[] } & (LabelMap | object);
export interface LabelMap {
	shape: [height: number, width: number];
	/** One byte a pixel, or two where there are more than 256 labels. */
	data: DataView;
}

/** The model's own answer for the input without some players; the score is missing while it is on its way. */
export interface Edited {
	version?: number;
	off?: number[];
	score?: number;
	best?: Predictions | Empty;
}

/** The linear model whose weights a frame holds. */
export interface Surrogate {
	/** Which draw of masks it was fitted to. */
	game: number;
	method: Choice;
	intercept: number;
	explained: number;
	effective: number;
	/** Standard errors of the weights as float32, of all inputs one after the other. */
	error: DataView | null;
}

/** What the linear model is fitted to, once all is drawn. */
export interface Equations {
	game: number;
	rows: number;
	/** A bit for each player, the first one highest; each row starts a byte. */
	bits: DataView;
	/** float32. */
	scores: DataView;
	/** What scores are taken about. */
	middle: number;
	/** By how many players are present. */
	rarity: number[];
	/** Which share of all masks was drawn. */
	fraction: number;
}

/** What a widget of Shapley values has besides; all empty where no table is explained. */
export interface SHAPState {
	chart: Chart;
	order: Order;
	/** How many features stand for themselves; the others are joined. */
	top: number;
	/** One sample. */
	_row: Swarm | Empty;
	_swarm: Swarm | Empty;
}

export type Chart = "waterfall" | "force" | "beeswarm" | "bars" | "all";
export type Order = "magnitude" | "name" | "as given";

/** The values of some samples of a table, for one target: float32, sample by sample. At first there is only `total`. */
export interface Swarm {
	/** How many samples there are in all. */
	total: number;
	/** How many are looked at, and which of them are known. */
	count?: number;
	samples?: number[];
	method?: string;
	target?: number | null;
	target_name?: string;
	values?: DataView;
	/** The features themselves. */
	data?: DataView;
	/** Where the values start, and what the model gives; NaN where it is unknown. */
	base?: DataView;
	score?: DataView;
	/** Standard errors of the values. */
	error?: DataView | null;
}

/** What a comparison has besides. */
export interface CompareState {
	methods: Choice[];
	baselines: Choice[];
	targets: Target[];
	/** The chosen cell. */
	row: number;
	column: number;
	/** Raw values on one scale, or each map up to its own end. */
	one_scale: boolean;
	panel: string;
	/** Set to ask for the strip; Python sets it back. */
	randomizing: boolean;
	_axes: Axes;
	_cells: GridCell[][];
	/** Rank correlations of all maps, row by row; empty until they are there. */
	_agreement: number[][];
	_curves: Curves | Empty;
	_strip: Strip | Empty;
}
export interface Axes {
	kind: "baselines" | "targets" | "models";
	rows: string[];
	columns: string[];
	looks: (Picture | Empty)[];
}
/** A map of the grid, or what is known before there is one. */
export type GridCell = {
	row: number;
	column: number;
	span: number;
	error: string;
	progress: number;
} & Partial<Frame>;
export interface RegionState {
	input: number;
	/** Start and length of each run of pixels. */
	runs: number[];
}
/** What the model says of the picture without a region, by column; null where it is on its way, none without a model. */
export interface Effect extends RegionState {
	score_name: string;
	seen: ({ baseline: string; score: number; without: number } | null)[];
}
export interface Curves {
	/** What takes the place of removed parts. */
	baseline: string;
	score_name: string;
	/** How many maps there are to measure. */
	count: number;
	lines: CurveLine[];
}
export interface CurveLine {
	name: string;
	/** Lines of one group have the same score. */
	group: number;
	/** The cell; null for an order that is no map. */
	row: number | null;
	column: number | null;
	span: number;
	insertion: Curve;
	deletion: Curve;
}
export interface Curve {
	fractions: number[];
	scores: number[];
	area: number;
}
/** A map as layers lose what they have learnt: the first stage has all, the last none. */
export interface Strip {
	name: string;
	row: number;
	column: number;
	stages: { layer: string; similarity: number }[];
	arrays: FrameArray[];
	data: DataView;
}
