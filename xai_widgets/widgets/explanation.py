"""A `shap.Explanation` in the place of a model and its samples, as a widget takes them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np

from xai_widgets.attribution import Attribution
from xai_widgets.given import outputs_of
from xai_widgets.methods import Frame, Inputs
from xai_widgets.task import Subject, Task, feature_names
from xai_widgets.widgets.taken import Taken
from xai_widgets.wire import value_range


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


class HandedSubject(Subject):
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


class Handed(Taken):
    """An explanation as a widget takes a model and its samples."""

    def __init__(self, explanation: Any, features: Sequence[str] | None) -> None:
        self.inputs, self.added_axis = None, False
        self.subject = HandedSubject(explanation)
        arrays = self.subject.inputs.arrays
        self.features = feature_names(features, None, arrays) or self.subject.attributed(None).features
        self.value_ranges = [value_range(np.nan_to_num(array)) for array in arrays]


class HandedTask(Task):
    """One sample of an explanation, which is its own answer."""

    def __init__(self, subject: HandedSubject, target: Any, rows: slice) -> None:
        everything = subject.attributed(target)
        self.attribution = rows_of(everything, np.arange(len(everything))[rows])
        self.subject, self.method = subject.rows(rows), everything.method
        self.frame = Frame([self.attribution.values], passes=0, total=0)

    @property
    def scores(self) -> np.ndarray:
        return self.attribution.score

    def outputs_name(self) -> list[str]:
        return ["the output"] if len(self.subject.names) == 0 and self.subject.outputs.heads[0].classes == 1 else []

    def conventions(self) -> tuple[str, ...]:
        return ()


def rows_of(a: Attribution, places: np.ndarray) -> Attribution:
    """Some of the samples of an attribution."""
    names = ("values", "inputs", "target", "score", "baseline_score", "residual", "change")
    some = {name: cast(np.ndarray, getattr(a, name))[places] for name in names}
    return replace(a, **some, targets=tuple(a.targets[place] for place in places))
