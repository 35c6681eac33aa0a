"""SHAPWidget: Shapley values of a sample, and of a table how those of all samples lie."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

import traitlets

from xai_widgets.attribution import Attribution
from xai_widgets.methods import (
    DeepLift,
    DeepSHAP,
    ExpectedGradients,
    Frame,
    GradientSHAP,
    KernelSHAP,
    Method,
    PartitionSHAP,
    as_method,
)
from xai_widgets.task import Subject, Task
from xai_widgets.widgets.base import Explainer, asset
from xai_widgets.widgets.saliency import SaliencyWidget
from xai_widgets.widgets.swarm import Swarm, evenly, is_table, row_of
from xai_widgets.widgets.taken import Taken
from xai_widgets.widgets.traits import Checked, choice, whole
from xai_widgets.worker import WORKER

CHARTS = ("waterfall", "force", "beeswarm", "bars", "all")
ORDERS = ("magnitude", "name", "as given")
MOST_SWARMS = 8


class SHAPWidget(Explainer):
    """How the score of one sample comes about, feature by feature; of a table, beside all its samples.

        xai.SHAPWidget(model, inputs)       # live
        xai.SHAPWidget(explanation)         # a shap.Explanation of any model: nothing is computed

    Of a table with several samples, features that are absent are replaced by those of some samples (at most 32).

    Attributes:
        chart: What is drawn of a table: "waterfall", "force", "beeswarm", "bars" or "all".
        order: In which order features stand: by "magnitude", by "name" or "as given".
        top: How many features are shown, those with the largest values; the others are joined.
    """

    _esm = asset("shap.js")
    _css = asset("shap.css")
    METHODS: tuple[type[Method], ...] = (KernelSHAP, ExpectedGradients, DeepLift, PartitionSHAP, DeepSHAP, GradientSHAP)
    ASKED: ClassVar[frozenset[str]] = frozenset({"chart", "order", "top"})

    chart = choice(CHARTS).tag(sync=True)
    order = choice(ORDERS).tag(sync=True)
    top = Checked(9, lambda _, value: whole("top", value, 1)).tag(sync=True)

    _row = traitlets.Dict().tag(sync=True)
    _swarm = traitlets.Dict().tag(sync=True)

    def __new__(cls, *arguments: Any, **options: Any) -> SHAPWidget:
        """One of a `shap.Explanation` has no model to ask."""
        from xai_widgets.widgets.handed import HandedSHAP, is_explanation

        first = arguments[0] if arguments else options.get("model")
        kind = HandedSHAP if cls is SHAPWidget and is_explanation(first) else cls
        return super().__new__(kind, *arguments, **options)

    def __init__(self, *arguments: Any, **options: Any) -> None:
        # Before super(): the worker may ask for them at once.
        self._swarms: dict[Any, Swarm] = {}
        super().__init__(*arguments, **options)

    def _take(self, given: Taken) -> None:
        super()._take(given)
        self._swarms.clear()
        self._tabular = is_table(given.subject)
        # A map over a picture is what SaliencyWidget's page draws.
        page = SHAPWidget if self._tabular else SaliencyWidget
        self._esm, self._css = page._esm, page._css
        # Of token ids, those of another sample stand for nothing.
        layers = given.subject.view.layers.values()
        self._menu.based = self._tabular and not any(type(layer).__name__ == "Embedding" for layer in layers)

    def _default(self, parameters: dict[str, Any]) -> Method:
        if not self._menu.based or self._menu.background is None:
            return super()._default(parameters)
        return as_method(self.METHODS[0], {"baseline": self._menu.background, **parameters})

    def _told(self, task: Task) -> dict[str, Any]:
        count = len(self._subject.inputs) if self._tabular else 0
        return {**super()._told(task), "_row": {}, "_swarm": {"total": count} if self._tabular else {}}

    def _more(self, task: Task, frame: Frame, attribution: Attribution) -> dict[str, Any]:
        if not self._tabular:
            return {}
        return {"_row": row_of(attribution, task.subject.inputs.first, len(self._subject.inputs))}

    # The samples beside the one that is shown

    def _restart(self, change: Any = None) -> None:
        if "swarm" in self._asides:
            WORKER.cancel(self._asides["swarm"])  # what is under the hand comes first
        super()._restart(change)

    def _settle(self, job: int, answer: Attribution | BaseException) -> None:
        super()._settle(job, answer)
        if job == self._job and isinstance(answer, Attribution) and self._tabular and len(self._subject.inputs) > 1:
            self._aside("swarm", lambda: self._beside(answer))

    def _beside(self, shown: Attribution) -> Iterator[None]:
        """Explain the other samples as the shown one: by its method, and for its class where none was asked for."""
        taken, method, target = self._taken, shown.method, self.target
        if target is None and shown.target[0] >= 0:
            target = int(shown.target[0])
        key = method, target
        places = evenly(len(taken.subject.inputs), shown.values.shape[-1])
        subject = taken.subject.refreshed().moved([array[places] for array in taken.subject.inputs.arrays])
        swarm = self._swarms.pop(key, None)
        if swarm is None:
            swarm = Swarm(places, subject.inputs.arrays[0], len(taken.subject.inputs), type(method).label)
        self._swarms[key] = swarm  # the last ones are kept
        for old in list(self._swarms)[:-MOST_SWARMS]:
            del self._swarms[old]

        def task(of: Subject) -> Task:
            return Task(of, method, target=target, probability=self._probability)

        yield from swarm.grow(subject, task, self._tell)
        self._tell(swarm)

    def _tell(self, swarm: Swarm) -> None:
        if self._owner is not None:
            self._swarm = swarm.told()
