// Draws saved anywidget models in a plain page, without kernel, network or Jupyter. pages.py puts three things into the
// page: the models' saved state (#widget-models), one view tag where each view belongs, and this module.

const VIEW = 'script[type="application/vnd.jupyter.widget-view+json"]';
const saved = JSON.parse(document.getElementById("widget-models").textContent);

/** What a widget's code gets as `model`: traits that its views share, and no kernel behind them. */
class Model {
  #state;
  #handlers = new Map();
  widget_manager = { get_model: loadModel };

  constructor(state) {
    this.#state = { ...state, _offline: true };
  }

  get(name) {
    return this.#state[name];
  }

  set(name, value) {
    const changes = typeof name === "object" ? name : { [name]: value };
    const changed = Object.keys(changes).filter((key) => !same(this.#state[key], changes[key]));
    Object.assign(this.#state, changes); // all of them before anyone hears of the first
    for (const key of changed) this.#emit(`change:${key}`);
    if (changed.length > 0) this.#emit("change");
  }

  on(names, handler) {
    for (const name of names.split(" ")) {
      if (!this.#handlers.has(name)) this.#handlers.set(name, new Set());
      this.#handlers.get(name).add(handler);
    }
  }

  off(names, handler) {
    for (const name of names?.split(" ") ?? this.#handlers.keys()) {
      if (handler) this.#handlers.get(name)?.delete(handler);
      else this.#handlers.delete(name);
    }
  }

  save_changes() {}

  send() {}

  #emit(name) {
    for (const handler of [...(this.#handlers.get(name) ?? [])]) handler();
  }
}

/** Equal as Jupyter sees it: by content. A buffer equals itself only. */
function same(a, b) {
  if (Object.is(a, b)) return true;
  if (!isPlain(a) || !isPlain(b) || Array.isArray(a) !== Array.isArray(b)) return false;
  const keys = Object.keys(a);
  return keys.length === Object.keys(b).length && keys.every((key) => key in b && same(a[key], b[key]));
}

function isPlain(value) {
  return typeof value === "object" && value !== null && !ArrayBuffer.isView(value);
}

/** Put one decoded buffer where it was taken from, such as ["frame", "data"]. */
function putBuffer(state, { path, data }) {
  const holder = path.slice(0, -1).reduce((inner, key) => inner?.[key], state);
  if (!isPlain(holder)) return; // nbclient keeps buffers of values that are gone by now
  holder[path.at(-1)] = new DataView(Uint8Array.from(atob(data), (char) => char.charCodeAt(0)).buffer);
}

const signal = new AbortController().signal; // never aborted: views live as long as the page
const experimental = { invoke: () => Promise.reject(new Error("This page has no kernel.")) };
const host = {
  getModel: (reference) => loadModel(reference.replace(/^anywidget:/, "")),
  getWidget: async (reference) => ({
    render: ({ el }) => drawWidget(reference.replace(/^anywidget:/, ""), el),
  }),
};

const models = new Map();
const widgets = new Map();
const styles = new Set();

/** The one model with this id, made when it is first asked for. */
async function loadModel(id) {
  if (!models.has(id)) {
    const { state, buffers = [] } = saved[id];
    for (const buffer of buffers) putBuffer(state, buffer);
    models.set(id, new Model(state));
  }
  return models.get(id);
}

/** Run a model's own code once, and its stylesheet once however many models share it. */
async function loadWidget(model) {
  const css = model.get("_css");
  if (css && !styles.has(css)) {
    styles.add(css);
    document.head.append(Object.assign(document.createElement("style"), { textContent: css }));
  }
  const url = URL.createObjectURL(new Blob([model.get("_esm")], { type: "text/javascript" }));
  const module = await import(url);
  const exported = module.default ?? module; // anywidget still takes a bare `export function render`
  const widget = typeof exported === "function" ? await exported() : exported;
  await widget.initialize?.({ model, signal, experimental });
  return widget;
}

async function drawWidget(id, el) {
  const model = await loadModel(id);
  if (!widgets.has(id)) widgets.set(id, loadWidget(model));
  const widget = await widgets.get(id);
  await widget.render?.({ model, el, signal, host, experimental });
}

/** Draw what can be drawn: anywidgets, and the plain boxes that hold them. */
async function draw(id, el) {
  const state = saved[id]?.state;
  if (state?._esm) return drawWidget(id, el);
  if (!state?.children?.length) throw new Error("this widget needs a running kernel");
  if (state._model_name === "HBoxModel") Object.assign(el.style, { display: "flex", flexWrap: "wrap", gap: "1em" });
  await Promise.all(state.children.map((child) => drawInto(el, child.replace(/^IPY_MODEL_/, ""))));
}

/** One widget that fails says so in its own place; the others are drawn. */
async function drawInto(parent, id) {
  const el = parent.appendChild(document.createElement("div"));
  try {
    await draw(id, el);
  } catch (error) {
    console.error(error);
    el.textContent = `Not shown: ${error.message}`;
  }
}

for (const view of document.querySelectorAll(VIEW)) {
  const { model_id } = JSON.parse(view.textContent);
  drawInto(view.parentElement, model_id);
}
