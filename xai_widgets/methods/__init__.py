"""The methods: one frozen dataclass a file. A new one is a file and an entry of `METHODS`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from xai_widgets.declare import build, nearest
from xai_widgets.methods.base import Frame, Inputs, Method
from xai_widgets.methods.expected_gradients import ExpectedGradients
from xai_widgets.methods.grad_cam import GradCAM
from xai_widgets.methods.gradient_input import GradientInput
from xai_widgets.methods.integrated_gradients import IntegratedGradients
from xai_widgets.methods.kernel_shap import KernelSHAP
from xai_widgets.methods.lime import LIME
from xai_widgets.methods.occlusion import Occlusion
from xai_widgets.methods.rise import RISE
from xai_widgets.methods.saliency import Saliency
from xai_widgets.methods.smooth_grad import SmoothGrad

METHODS: tuple[type[Method], ...] = (
    IntegratedGradients,
    ExpectedGradients,
    SmoothGrad,
    Saliency,
    GradientInput,
    GradCAM,
    Occlusion,
    RISE,
    LIME,
    KernelSHAP,
)

__all__ = [
    "LIME",
    "METHODS",
    "RISE",
    "ExpectedGradients",
    "Frame",
    "GradCAM",
    "GradientInput",
    "Inputs",
    "IntegratedGradients",
    "KernelSHAP",
    "Method",
    "Occlusion",
    "Saliency",
    "SmoothGrad",
    "as_method",
]


def as_method(method: Any, parameters: Mapping[str, Any] | None = None) -> Method:
    """The method that a value, a class or a name stands for.

    Args:
        method: `IntegratedGradients(steps=64)`, `IntegratedGradients`, or "integrated_gradients".
        parameters: Fields, only where `method` is a class or a name.

    Raises:
        TypeError: Parameters come with a finished method, one is unknown, or `method` is something else.
        ValueError: The name is unknown, or a parameter is out of its bounds.
    """
    parameters = parameters or {}
    if isinstance(method, Method):
        if parameters:
            build(type(method), parameters)  # whoever misspelt one, or names one that it has not, hears that first
            raise TypeError(
                f"parameters ({', '.join(parameters)}) go with a method's name; "
                f"here write {type(method).__name__}({', '.join(f'{key}=...' for key in parameters)})"
            )
        return method
    if isinstance(method, str):
        known = {cls.name: cls for cls in METHODS}
        if method not in known:
            raise ValueError(f"unknown method {method!r}{nearest(method, known)}")
        method = known[method]
    if isinstance(method, type) and issubclass(method, Method):
        return build(method, parameters)  # type: ignore[return-value]
    raise TypeError(f"method must be a method such as IntegratedGradients(steps=64) or its name, got {method!r}")
