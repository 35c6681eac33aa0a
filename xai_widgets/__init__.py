"""Look inside a Keras model from a notebook, live.

    import xai_widgets as xai

    attribution = xai.explain(model, inputs)         # one blocking call
    xai.SaliencyWidget(model, inputs)                # the same, under the hand

Names are loaded when they are first used, so that the import costs nothing.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from xai_widgets import examples as examples
    from xai_widgets.attribution import Attribution, explain
    from xai_widgets.baselines import Blur, Constant
    from xai_widgets.methods import IntegratedGradients, Saliency
    from xai_widgets.widgets.saliency import SaliencyWidget

__version__ = "0.1.0"

_HOMES = {
    "Attribution": "attribution",
    "Blur": "baselines",
    "Constant": "baselines",
    "IntegratedGradients": "methods",
    "Saliency": "methods",
    "SaliencyWidget": "widgets.saliency",
    "explain": "attribution",
}

__all__ = [
    "Attribution",
    "Blur",
    "Constant",
    "IntegratedGradients",
    "Saliency",
    "SaliencyWidget",
    "examples",
    "explain",
]


def __getattr__(name: str) -> Any:
    if name == "examples":
        return importlib.import_module("xai_widgets.examples")
    if name in _HOMES:
        return getattr(importlib.import_module(f"xai_widgets.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'xai_widgets' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
