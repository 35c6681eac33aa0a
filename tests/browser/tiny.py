"""A tiny anywidget for tests of what surrounds widgets: a slider, and a canvas with a row of nested bytes."""

import anywidget
import traitlets


class Tiny(anywidget.AnyWidget):
    """`frame` is nested like a real widget's: {"arrays": [{"data": bytes}]}."""

    _esm = """
    function render({ model, el }) {
      el.className = "tiny";
      const slider = Object.assign(document.createElement("input"), { type: "range", max: 10 });
      const canvas = Object.assign(document.createElement("canvas"), { height: 1 });
      const note = document.createElement("output");
      const draw = () => {
        const { arrays } = model.get("frame");
        const bytes = new Uint8Array(arrays[0].data.buffer, arrays[0].data.byteOffset, arrays[0].data.byteLength);
        canvas.width = bytes.length;
        const image = new ImageData(bytes.length, 1);
        bytes.forEach((byte, i) => image.data.set([byte, byte, byte, 255], 4 * i));
        canvas.getContext("2d").putImageData(image, 0, 0);
        slider.value = model.get("value");
        note.textContent = `${model.get("value")} ${model.get("text")} offline: ${model.get("_offline") === true}`;
      };
      slider.addEventListener("input", () => { model.set("value", Number(slider.value)); model.save_changes(); });
      model.on("change:value", draw);
      model.on("change:frame", draw);
      el.append(slider, canvas, note);
      draw();
    }
    export default { render };
    """
    _css = ".tiny output { color: rgb(1, 2, 3) }"
    value = traitlets.Int(3).tag(sync=True)
    text = traitlets.Unicode("plain").tag(sync=True)
    frame = traitlets.Dict().tag(sync=True)

    def __init__(self, row: bytes = bytes([0, 100, 200]), **traits: object) -> None:
        super().__init__(frame={"arrays": [{"data": row}]}, **traits)
