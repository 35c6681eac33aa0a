"""SaliencyWidget: gradients of a score, live, with the baseline under the hand."""

from __future__ import annotations

from xai_widgets.methods import METHODS
from xai_widgets.widgets.base import Explainer, asset


class SaliencyWidget(Explainer):
    """A live map of what moves a model's score at one sample."""

    _esm = asset("saliency.js")
    _css = asset("saliency.css")
    METHODS = METHODS
