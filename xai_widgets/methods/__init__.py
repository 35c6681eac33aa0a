"""The methods: one frozen dataclass a file. A new one is a file and an entry of `METHODS`."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from typing import Any

from xai_widgets.declare import document, fields, nearest
from xai_widgets.methods.ablation_cam import AblationCAM
from xai_widgets.methods.activation_maximization import ActivationMaximization
from xai_widgets.methods.base import Frame, GradientMethod, Inputs, Method
from xai_widgets.methods.blur_ig import BlurIG
from xai_widgets.methods.cam import CAM
from xai_widgets.methods.conductance import Conductance
from xai_widgets.methods.deconvnet import Deconvnet
from xai_widgets.methods.deep_lift import DeepLift
from xai_widgets.methods.deep_shap import DeepSHAP
from xai_widgets.methods.eigen_cam import EigenCAM
from xai_widgets.methods.expected_gradients import ExpectedGradients
from xai_widgets.methods.given_shap import GivenSHAP
from xai_widgets.methods.grad_cam import GradCAM
from xai_widgets.methods.grad_cam_plus_plus import GradCAMPlusPlus
from xai_widgets.methods.gradient_input import GradientInput
from xai_widgets.methods.gradient_shap import GradientSHAP
from xai_widgets.methods.guided_backprop import GuidedBackprop
from xai_widgets.methods.guided_grad_cam import GuidedGradCAM
from xai_widgets.methods.guided_ig import GuidedIG
from xai_widgets.methods.hi_res_cam import HiResCAM
from xai_widgets.methods.integrated_gradients import IntegratedGradients
from xai_widgets.methods.kernel_shap import KernelSHAP
from xai_widgets.methods.layer_cam import LayerCAM
from xai_widgets.methods.lime import LIME
from xai_widgets.methods.lrp import LRP
from xai_widgets.methods.occlusion import Occlusion
from xai_widgets.methods.partition_shap import PartitionSHAP
from xai_widgets.methods.rise import RISE
from xai_widgets.methods.saliency import Saliency
from xai_widgets.methods.score_cam import ScoreCAM
from xai_widgets.methods.smooth_grad import SmoothGrad
from xai_widgets.methods.tcav import TCAV
from xai_widgets.methods.x_grad_cam import XGradCAM
from xai_widgets.methods.xrai import XRAI

METHODS: tuple[type[Method], ...] = (
    IntegratedGradients,
    ExpectedGradients,
    BlurIG,
    GuidedIG,
    SmoothGrad,
    Saliency,
    GradientInput,
    LRP,
    XRAI,
    Conductance,
    DeepLift,
    GuidedBackprop,
    Deconvnet,
    GradCAM,
    GradCAMPlusPlus,
    LayerCAM,
    HiResCAM,
    XGradCAM,
    CAM,
    EigenCAM,
    ScoreCAM,
    AblationCAM,
    GuidedGradCAM,
    Occlusion,
    RISE,
    LIME,
    KernelSHAP,
    PartitionSHAP,
    DeepSHAP,
    GradientSHAP,
    ActivationMaximization,
)
# Methods that no menu can offer: they were run elsewhere, or need data of their own.
BESIDES: tuple[type[Method], ...] = (TCAV, GivenSHAP)
for _cls in (*METHODS, *BESIDES):
    document(_cls)
GRADIENT_METHODS = tuple(cls for cls in METHODS if issubclass(cls, GradientMethod))

__all__ = [
    "BESIDES",
    "CAM",
    "GRADIENT_METHODS",
    "LIME",
    "LRP",
    "METHODS",
    "RISE",
    "TCAV",
    "XRAI",
    "AblationCAM",
    "ActivationMaximization",
    "BlurIG",
    "Conductance",
    "Deconvnet",
    "DeepLift",
    "DeepSHAP",
    "EigenCAM",
    "ExpectedGradients",
    "Frame",
    "GivenSHAP",
    "GradCAM",
    "GradCAMPlusPlus",
    "GradientInput",
    "GradientMethod",
    "GradientSHAP",
    "GuidedBackprop",
    "GuidedGradCAM",
    "GuidedIG",
    "HiResCAM",
    "Inputs",
    "IntegratedGradients",
    "KernelSHAP",
    "LayerCAM",
    "Method",
    "Occlusion",
    "PartitionSHAP",
    "Saliency",
    "ScoreCAM",
    "SmoothGrad",
    "XGradCAM",
    "as_method",
]


def as_method(method: Any, parameters: Mapping[str, Any] | None = None, besides: Sequence[str] = ()) -> Method:
    """The method that a value, a class or a name stands for.

    Args:
        method: `IntegratedGradients(steps=64)`, `IntegratedGradients`, or either name, such as "integrated_gradients".
        parameters: Fields, only where `method` is a class or a name.
        besides: What the caller takes by name itself: somebody may have misspelt that.

    Raises:
        TypeError: Parameters come with a finished method, one is unknown, or `method` is something else.
        ValueError: The name is unknown, or a parameter is out of its bounds.
    """
    parameters = parameters or {}
    if isinstance(method, Method):
        _check_names(type(method), parameters, besides)
        if parameters:
            type(method)(**parameters)  # whoever misspelt one, or names one that it has not, hears that first
            raise TypeError(
                f"parameters ({', '.join(parameters)}) go with a method's name; "
                f"here write {type(method).__name__}({', '.join(f'{key}=...' for key in parameters)})"
            )
        return method
    if isinstance(method, str):
        known = {cls.name: cls for cls in (*METHODS, *BESIDES)}
        by_class = {cls.__name__: cls for cls in known.values()}
        if method not in known and method not in by_class:
            raise ValueError(f"unknown method {method!r}{nearest(method, known)}")
        method = known.get(method) or by_class[method]
    if isinstance(method, type) and issubclass(method, Method):
        _check_names(method, parameters, besides)
        return method(**parameters)
    raise TypeError(f"method must be a method such as IntegratedGradients(steps=64) or its name, got {method!r}")


def _check_names(cls: type[Method], parameters: Mapping[str, Any], besides: Sequence[str]) -> None:
    """Refuse what is no field of a method, but nearly what its caller takes by name."""
    known = {field.name for field in fields(cls)}
    for name in parameters.keys() - known if besides else ():
        near = difflib.get_close_matches(name, [*known, *besides], n=1, cutoff=0.7)
        if near and near[0] in besides:
            raise TypeError(f"there is no argument {name!r}; did you mean {near[0]!r}?")
