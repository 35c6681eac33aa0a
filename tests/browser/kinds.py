"""Every kind of widget, and what of its page a test must know to use it as a person would."""

from dataclasses import dataclass
from pathlib import Path

SETUP = f"""import sys
sys.path.insert(0, {str(Path(__file__).parents[1])!r})
from browser.hostile import hostile
import xai_widgets as xai
model, inputs, labels, names = xai.examples.digits()
inputs = inputs[:3]
table = xai.examples.tabular()"""

# The views of a page: `explore` is one, and what it shows within is none.
VIEWS = ".xai-explore, .xai:not(.xai-explore .xai)"


@dataclass(frozen=True)
class Kind:
    """What tells one widget from the others.

    Controls are sliders by their names, moved from one end of their track to the other.
    """

    name: str
    # An expression that makes one of the examples, and one whose names are all hostile.
    code: str
    hostile: str
    # What shows the result: a canvas, or the charts.
    drawing: str = "canvas.xai-map"
    # Asks the model anew.
    compute: str = "Steps"
    # Draws the same numbers otherwise, without a word to the kernel.
    display: str = "Opacity"
    # Where arrow keys read the drawing, which of them go to another place, and where that is said.
    reads: str = "[role=application]"
    arrows: tuple[str, ...] = ("ArrowLeft", "Shift+ArrowLeft", "Shift+ArrowUp")
    says: str = ".xai-readout"
    # Which hostile names can be read in it, besides those of classes.
    names: tuple[str, ...] = ("model", "feature 0")


KINDS = (
    Kind(
        "SaliencyWidget",
        "xai.SaliencyWidget(model, inputs, names=names)",
        "hostile('SaliencyWidget', 'table', 'picture')",
    ),
    Kind(
        "CAMWidget",
        "xai.CAMWidget(model, inputs, names=names)",
        "hostile('CAMWidget', 'picture')",
        compute="Layer",
        names=("model", "layer"),
    ),
    Kind(
        "LIMEWidget",
        "xai.LIMEWidget(model, inputs, samples=200, segments=20, names=names)",
        "hostile('LIMEWidget', 'table')",
        compute="Samples",
    ),
    Kind(
        "SHAPWidget",
        "xai.SHAPWidget(table.model, table.inputs[:20], samples=256, names=table.names, features=table.features)",
        "hostile('SHAPWidget', 'table')",
        drawing=".xai-charts",
        compute="Samples",
        display="Top",
        reads=".xai-waterfall > button",
        arrows=("ArrowDown", "ArrowDown", "End"),
        says=".xai-readout-line",
    ),
    Kind(
        "LRPWidget",
        "xai.LRPWidget(model, inputs, names=names)",
        "hostile('LRPWidget', 'picture')",
        compute="Epsilon",
        names=("model", "layer"),
    ),
    Kind(
        "CompareWidget",
        "xai.CompareWidget(model, inputs, ['integrated_gradients', 'saliency'], baselines=[0.5, xai.Blur(2)])",
        "hostile('CompareWidget', 'table', 'picture', others=1)",
        says=".xai-figure",
        names=("model", "feature 0", "other 0"),
    ),
    Kind(
        "explore",
        "xai.explore(model, inputs, names=names)",
        "hostile('explore', 'picture')",
        compute="Layer",
        names=("model", "layer"),
    ),
)
