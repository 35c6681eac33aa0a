"""A SHAPWidget of values that shap computed: there is no model to ask."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

from xai_widgets.attribution import Attribution
from xai_widgets.methods import Frame, GivenSHAP, Method
from xai_widgets.task import Task
from xai_widgets.widgets.explanation import Handed, HandedSubject, HandedTask, rows_of
from xai_widgets.widgets.shap import SHAPWidget
from xai_widgets.widgets.swarm import Swarm, evenly
from xai_widgets.widgets.taken import Taken

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
        *more: Any,
        target: Any = None,
        index: int = 0,
        features: Sequence[str] | None = None,
        **others: Any,
    ) -> None:
        if more or others:
            given = ", ".join([*(type(one).__name__ for one in more), *others])
            raise TypeError(f"a shap.Explanation is shown as it is, got {given} besides: that would change nothing")
        super().__init__(explanation, None, target=target, index=index, features=features)

    @property
    def _handed(self) -> HandedSubject:
        return cast(HandedSubject, self._subject)

    def _told(self, task: Task) -> dict[str, Any]:
        told = super()._told(task)
        for method in told["_schema"]["methods"]:
            method["fields"] = []  # nothing that could be set
        return {**told, "_title": "SHAP values of a shap.Explanation"}

    def _taken_from(self, model: Any, inputs: Any) -> Taken:
        return Handed(model, self._features)

    def _task_of(self, method: Method, target: Any, index: int) -> Task:
        return HandedTask(self._handed, target, slice(index, index + 1))

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

    def _recording(self, at: Any, *, other_samples: bool) -> Any:
        raise ValueError("there is nothing to record: a shap.Explanation is in the page as it is")

    def code(self) -> str:
        """Python source that makes the same attribution, for the names `xai` and `explanation`."""
        rows = slice(self.index, self.index + 1)
        chosen = "" if self.target is None else f", target={self.target!r}"
        return f"xai.Attribution.from_shap(explanation[{rows.start}:{rows.stop}]{chosen})"

    def _run(self, job: int, method: Method, target: Any, index: int) -> Iterator[None]:
        try:
            task = HandedTask(self._handed, target, slice(index, index + 1))
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

    def _take_away(self) -> Iterator[None]:
        """Nothing is seen: there is no model to ask."""
        self._effect = {**self.region, "score_name": "", "seen": []}
        yield

    def _beside(self, shown: Attribution) -> Iterator[None]:
        """All samples at once, of the output that is shown."""
        a = self._handed.attributed(self.target if shown.target[0] < 0 else int(shown.target[0]))
        places = evenly(len(a), a.values.shape[-1])
        self._tell(Swarm.of(rows_of(a, places), places, len(a)))
        yield
