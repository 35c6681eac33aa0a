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
    # Type checkers cannot follow __getattr__: for them the names are imported, and `as` says that they are public.
    from xai_widgets import examples as examples
    from xai_widgets.attribution import Attribution as Attribution
    from xai_widgets.attribution import explain as explain
    from xai_widgets.baselines import Blur as Blur
    from xai_widgets.baselines import Constant as Constant
    from xai_widgets.baselines import GaussianNoise as GaussianNoise
    from xai_widgets.baselines import MaxDistance as MaxDistance
    from xai_widgets.baselines import Mean as Mean
    from xai_widgets.baselines import Mix as Mix
    from xai_widgets.baselines import Samples as Samples
    from xai_widgets.baselines import UniformNoise as UniformNoise
    from xai_widgets.concepts import TCAVResult as TCAVResult
    from xai_widgets.concepts import tcav as tcav
    from xai_widgets.flow import RelevanceFlow as RelevanceFlow
    from xai_widgets.flow import relevance_flow as relevance_flow
    from xai_widgets.methods import CAM as CAM
    from xai_widgets.methods import LIME as LIME
    from xai_widgets.methods import LRP as LRP
    from xai_widgets.methods import RISE as RISE
    from xai_widgets.methods import TCAV as TCAV
    from xai_widgets.methods import XRAI as XRAI
    from xai_widgets.methods import AblationCAM as AblationCAM
    from xai_widgets.methods import ActivationMaximization as ActivationMaximization
    from xai_widgets.methods import BlurIG as BlurIG
    from xai_widgets.methods import Conductance as Conductance
    from xai_widgets.methods import Deconvnet as Deconvnet
    from xai_widgets.methods import DeepLift as DeepLift
    from xai_widgets.methods import DeepSHAP as DeepSHAP
    from xai_widgets.methods import EigenCAM as EigenCAM
    from xai_widgets.methods import ExpectedGradients as ExpectedGradients
    from xai_widgets.methods import GradCAM as GradCAM
    from xai_widgets.methods import GradCAMPlusPlus as GradCAMPlusPlus
    from xai_widgets.methods import GradientInput as GradientInput
    from xai_widgets.methods import GradientSHAP as GradientSHAP
    from xai_widgets.methods import GuidedBackprop as GuidedBackprop
    from xai_widgets.methods import GuidedGradCAM as GuidedGradCAM
    from xai_widgets.methods import GuidedIG as GuidedIG
    from xai_widgets.methods import HiResCAM as HiResCAM
    from xai_widgets.methods import IntegratedGradients as IntegratedGradients
    from xai_widgets.methods import KernelSHAP as KernelSHAP
    from xai_widgets.methods import LayerCAM as LayerCAM
    from xai_widgets.methods import Occlusion as Occlusion
    from xai_widgets.methods import PartitionSHAP as PartitionSHAP
    from xai_widgets.methods import Saliency as Saliency
    from xai_widgets.methods import ScoreCAM as ScoreCAM
    from xai_widgets.methods import SmoothGrad as SmoothGrad
    from xai_widgets.methods import XGradCAM as XGradCAM
    from xai_widgets.metrics.comparison import Agreement as Agreement
    from xai_widgets.metrics.comparison import agreement as agreement
    from xai_widgets.metrics.comparison import pointing_game as pointing_game
    from xai_widgets.metrics.curves import Curve as Curve
    from xai_widgets.metrics.curves import deletion as deletion
    from xai_widgets.metrics.curves import insertion as insertion
    from xai_widgets.metrics.faithfulness import completeness as completeness
    from xai_widgets.metrics.faithfulness import infidelity as infidelity
    from xai_widgets.metrics.faithfulness import mu_fidelity as mu_fidelity
    from xai_widgets.metrics.faithfulness import sensitivity as sensitivity
    from xai_widgets.metrics.sanity import Cascade as Cascade
    from xai_widgets.metrics.sanity import randomization as randomization
    from xai_widgets.targets import Class as Class
    from xai_widgets.targets import Margin as Margin
    from xai_widgets.targets import Neuron as Neuron
    from xai_widgets.targets import Output as Output
    from xai_widgets.targets import Region as Region
    from xai_widgets.widgets.cam import CAMWidget as CAMWidget
    from xai_widgets.widgets.compare import CompareWidget as CompareWidget
    from xai_widgets.widgets.explorer import Explorer as Explorer
    from xai_widgets.widgets.explorer import explore as explore
    from xai_widgets.widgets.lime import LIMEWidget as LIMEWidget
    from xai_widgets.widgets.lrp import LRPWidget as LRPWidget
    from xai_widgets.widgets.saliency import SaliencyWidget as SaliencyWidget
    from xai_widgets.widgets.shap import SHAPWidget as SHAPWidget

__version__ = "0.1.0"

_HOMES = {
    "attribution": ("Attribution", "explain"),
    "baselines": ("Blur", "Constant", "GaussianNoise", "MaxDistance", "Mean", "Mix", "Samples", "UniformNoise"),
    "concepts": ("TCAVResult", "tcav"),
    "flow": ("RelevanceFlow", "relevance_flow"),
    "methods": (
        "AblationCAM",
        "ActivationMaximization",
        "BlurIG",
        "CAM",
        "Conductance",
        "Deconvnet",
        "DeepLift",
        "DeepSHAP",
        "EigenCAM",
        "ExpectedGradients",
        "GradCAM",
        "GradCAMPlusPlus",
        "GradientInput",
        "GradientSHAP",
        "GuidedBackprop",
        "GuidedGradCAM",
        "GuidedIG",
        "HiResCAM",
        "IntegratedGradients",
        "KernelSHAP",
        "LIME",
        "LRP",
        "LayerCAM",
        "Occlusion",
        "RISE",
        "PartitionSHAP",
        "Saliency",
        "ScoreCAM",
        "SmoothGrad",
        "TCAV",
        "XGradCAM",
        "XRAI",
    ),
    "metrics.comparison": ("Agreement", "agreement", "pointing_game"),
    "metrics.curves": ("Curve", "deletion", "insertion"),
    "metrics.faithfulness": ("completeness", "infidelity", "mu_fidelity", "sensitivity"),
    "metrics.sanity": ("Cascade", "randomization"),
    "targets": ("Class", "Margin", "Neuron", "Output", "Region"),
    "widgets.cam": ("CAMWidget",),
    "widgets.compare": ("CompareWidget",),
    "widgets.explorer": ("Explorer", "explore"),
    "widgets.lime": ("LIMEWidget",),
    "widgets.lrp": ("LRPWidget",),
    "widgets.saliency": ("SaliencyWidget",),
    "widgets.shap": ("SHAPWidget",),
}
_HOME = {name: home for home, names in _HOMES.items() for name in names}

__all__ = ["examples", *_HOME]


def __getattr__(name: str) -> Any:
    if name == "examples":
        return importlib.import_module("xai_widgets.examples")
    if name in _HOME:
        return getattr(importlib.import_module(f"xai_widgets.{_HOME[name]}"), name)
    raise AttributeError(f"module 'xai_widgets' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
