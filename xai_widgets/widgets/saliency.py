"""SaliencyWidget: gradients of a score, live, with the baseline under the hand."""

from __future__ import annotations

from xai_widgets.methods import IntegratedGradients, Saliency
from xai_widgets.widgets.base import STATIC, Explainer


class SaliencyWidget(Explainer):
    """A live map of what moves a model's score at one sample."""

    _esm = STATIC / "saliency.js"
    _css = STATIC / "saliency.css"
    METHODS = (IntegratedGradients, Saliency)
