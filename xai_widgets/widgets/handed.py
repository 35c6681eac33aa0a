"""A SHAPWidget of values that shap computed: there is no model to ask."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from xai_widgets.attribution import Attribution
from xai_widgets.given import outputs_of
from xai_widgets.methods import Frame, GivenSHAP, Inputs, Method
from xai_widgets.task import Subject, Task
from xai_widgets.widgets.shap import SHAPWidget
from xai_widgets.widgets.swarm import Swarm, evenly
from xai_widgets.widgets.taken import Taken, feature_names
from xai_widgets.wire import value_range

NOTHING_TO_COMPUTE = "Given in a shap.Explanation \u00b7 nothing to compute"


def is_explanation(value: Any) -> bool:
    """Whether something is a `shap.Explanation`, without importing shap."""
    return all(hasattr(value, name) for name in ("values", "base_values", "data"))


class HandedSHAP(SHAPWidget):
    """What `SHAPWidget(explanation)` makes.

    Args:
        explanation: As in `Attribution.from_shap`.
        target: Which of its outputs is shown: a number or a name; the first where none is named.
        index: Which sample is shown first.
        features: Names of the columns of a table, where the explanation has none.
    """

    METHODS = (GivenSHAP,)

    def __init__(
        self,
        explanation: Any,
        *,
        target: Any = None,
        index: int = 0,
        features: Sequence[str] | None = None,
        **others: Any,
    ) -> None:
        if others:
            raise TypeError(f"a shap.Explanation is shown as it is: {', '.join(others)} would change nothing")
        super().__init__(explanation, None, target=target, index=index, features=features)

    @property
    def _handed(self) -> _HandedSubject:
        return cast(_HandedSubject, self._subject)

    def _told(self, task: Task) -> dict[str, Any]:
        told = super()._told(task)
        for method in told["_schema"]["methods"]:
            method["fields"] = []  # nothing that could be set
        return {**told, "_title": "SHAP values of a shap.Explanation"}

    def _taken_from(self, model: Any, inputs: Any) -> Taken:
        return _Handed(model, self._features)

    def _task_of(self, method: Method, target: Any, index: int) -> Task:
        return _HandedTask(self._handed, target, slice(index, index + 1))

    def _default(self, parameters: dict[str, Any]) -> Method:
        return self._handed.attributed(None).method

    def _check_method(self, value: Any) -> Method:
        if not isinstance(value, GivenSHAP):
            raise ValueError("a shap.Explanation was computed elsewhere: no method can be chosen")
        return value

    def _check_target(self, value: Any) -> Any:
        if callable(value):
            raise TypeError("target must be an output's number or name: there is no model to ask")
        attribution = self._handed.attributed(value)
        self._target_label = attribution.targets[0]
        return value if value is None else int(attribution.target[0])

    def _renew(self, model: Any, inputs: Any) -> None:
        raise AttributeError("a shap.Explanation was computed elsewhere: make another widget of another one")

    def _recording(self, at: Any) -> Any:
        raise ValueError("there is nothing to record: a shap.Explanation is in the page as it is")

    def code(self) -> str:
        """Python source that makes the same attribution, for the names `xai` and `explanation`."""
        rows = slice(self.index, self.index + 1)
        chosen = "" if self.target is None else f", target={self.target!r}"
        return f"xai.Attribution.from_shap(explanation[{rows.start}:{rows.stop}]{chosen})"

    def _run(self, job: int, method: Method, target: Any, index: int) -> Iterator[None]:
        try:
            task = _HandedTask(self._handed, target, slice(index, index + 1))
            self._task = task
            self._publish(job, task, task.frame, task.attribution, 0.0)
        except Exception as error:
            self._fail(job, error)
        yield

    def _shown(self, task: Task, frame: Frame, attribution: Attribution, seconds: float) -> dict[str, Any]:
        drawn = super()._shown(task, frame, attribution, seconds)
        drawn["frame"]["card"] |= {"passes": None, "total": None, "seconds": None}
        return drawn

    def _settle(self, job: int, answer: Attribution | BaseException) -> None:
        if job == self._job and isinstance(answer, Attribution):
            self.status = NOTHING_TO_COMPUTE
        super()._settle(job, answer)

    def _beside(self, shown: Attribution) -> Iterator[None]:
        """All samples at once, of the output that is shown."""
        a = self._handed.attributed(self.target if shown.target[0] < 0 else int(shown.target[0]))
        places = evenly(len(a), a.values.shape[-1])
        self._tell(Swarm.of(_rows(a, places), places, len(a)))
        yield


class _View:
    """An explanation in the place of a model."""

    name = "a shap.Explanation"
    wrt = build = None

    def __init__(self) -> None:
        self.layers: dict[str, Any] = {}

    def refreshed(self) -> _View:
        return self


class _Outputs:
    """The explained outputs of some samples in the place of what a model gives, its one head included."""

    activation = None
    positions = ()

    def __init__(self, scores: np.ndarray) -> None:
        self.flat, self.heads, self.classes = (scores,), (self,), scores.shape[1]

    def precise(self, flat: np.ndarray, probability: bool) -> Any:
        return SimpleNamespace(numpy=lambda: flat)


class _HandedSubject(Subject):
    """All samples of an explanation, or some of them."""

    def __init__(self, explanation: Any) -> None:
        self.model = explanation
        self._scores, names = outputs_of(explanation)
        self.names, self.preprocess, self.notes = tuple(names), None, ()
        self.view = cast(Any, _View())
        self._cached: tuple[Any, Attribution] | None = None
        inputs = self.attributed(None).inputs
        self.inputs = Inputs((inputs,), inputs)
        self.outputs = cast(Any, _Outputs(self._scores))

    def attributed(self, target: Any) -> Attribution:
        """All samples, for one output; by default the largest of each sample."""
        if self._cached is None or self._cached[0] != target:
            several = target is None and self._scores.shape[1] > 1
            chosen = self._scores.argmax(axis=1) if several else target
            self._cached = target, Attribution.from_shap(self.model, target=chosen)
        return self._cached[1]

    def rows(self, rows: slice) -> Subject:
        some = self._changed(inputs=self.inputs.rows(rows))
        some.outputs = cast(Any, _Outputs(self._scores[rows]))
        return some


class _Handed(Taken):
    """An explanation as a widget takes a model and its samples."""

    def __init__(self, explanation: Any, features: Sequence[str] | None) -> None:
        self.inputs, self.added_axis = None, False
        self.subject = _HandedSubject(explanation)
        arrays = self.subject.inputs.arrays
        self.features = feature_names(features, arrays) or self.subject.attributed(None).features
        self.value_ranges = [value_range(np.nan_to_num(array)) for array in arrays]


class _HandedTask(Task):
    """One sample of an explanation, which is its own answer."""

    def __init__(self, subject: _HandedSubject, target: Any, rows: slice) -> None:
        everything = subject.attributed(target)
        self.attribution = _rows(everything, np.arange(len(everything))[rows])
        self.subject, self.method = subject.rows(rows), everything.method
        self.frame = Frame([self.attribution.values], passes=0, total=0)

    @property
    def scores(self) -> np.ndarray:
        return self.attribution.score

    def outputs_name(self) -> list[str]:
        return ["the output"] if len(self.subject.names) == 0 and self.subject.outputs.heads[0].classes == 1 else []

    def conventions(self) -> tuple[str, ...]:
        return ()


def _rows(a: Attribution, places: np.ndarray) -> Attribution:
    names = ("values", "inputs", "target", "score", "baseline_score", "residual", "change")
    some = {name: cast(np.ndarray, getattr(a, name))[places] for name in names}
    return replace(a, **some, targets=tuple(a.targets[place] for place in places))
