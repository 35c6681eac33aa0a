"""LRPWidget: the score, shared out backwards, layer by layer."""

from __future__ import annotations

from typing import Any, ClassVar

import traitlets

from xai_widgets.attribution import Attribution
from xai_widgets.composites import RULE_NAMES
from xai_widgets.methods import LRP, Deconvnet, DeepLift, Frame, GuidedBackprop, Method
from xai_widgets.task import Subject, Task
from xai_widgets.widgets import stops
from xai_widgets.widgets.base import Explainer, asset
from xai_widgets.widgets.traits import Checked, whole


class LRPWidget(Explainer):
    """A live view of relevance: a rule for each layer, and a slider that follows relevance back through the network.

    Attributes:
        depth: Where relevance is looked at, counted from the inputs, which are 0; each layer further is one more.
            Changing it in the browser asks the kernel for nothing.
    """

    _esm = asset("lrp.js")
    _css = asset("lrp.css")
    METHODS = (LRP, DeepLift, GuidedBackprop, Deconvnet)
    ASKED: ClassVar[frozenset[str]] = frozenset({"depth"})

    depth = Checked(0, lambda _, value: whole("depth", value, 0)).tag(sync=True)

    _flow = traitlets.Dict().tag(sync=True)
    _layer_rules: traitlets.List[Any] = traitlets.List().tag(sync=True)
    _rule_names: traitlets.List[str] = traitlets.List([one for one in RULE_NAMES if "(" not in one]).tag(sync=True)

    def _told(self, task: Task) -> dict[str, Any]:
        return {**super()._told(task), "_flow": {}, "_layer_rules": []}

    def _at(self, index: int) -> Subject:
        """The subject by a view that tells of every layer: the map and the flow then come from one pass."""
        subject = super()._at(index)
        watching = subject.seen_by(subject.view.watching(tuple(subject.view.layers)))
        return watching if subject.asked is None else watching.expecting(subject.asked)

    def _kind(self, method: Method, target: Any) -> tuple[Any, ...]:
        """The rules of the layers are traced with the model."""
        rules = (method.composite, method.rules) if isinstance(method, LRP) else ()
        return (*super()._kind(method, target), *rules)

    def _more(self, task: Task, frame: Frame, attribution: Attribution) -> dict[str, Any]:
        return {
            "_flow": stops.told(frame, task.subject.inputs.arrays),
            "_layer_rules": stops.layer_rules(frame.flow),
        }
