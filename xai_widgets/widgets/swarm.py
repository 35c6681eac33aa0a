"""The values of many samples, which a view shows beside those of one: computed by and by, kept while they hold."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from xai_widgets.attribution import Attribution
from xai_widgets.methods import GivenSHAP
from xai_widgets.task import Subject, Task
from xai_widgets.wire import finite

if TYPE_CHECKING:
    from xai_widgets.engine.outputs import Outputs

MOST_SAMPLES = 256
MOST_NUMBERS = 1 << 16
TOGETHER = 16
PUBLISHED_EVERY = 0.25


def evenly(samples: int, width: int) -> np.ndarray:
    """The places of the samples that are looked at: all, or as many as suit a page, evenly chosen."""
    most = int(np.clip(MOST_NUMBERS // max(width, 1), 16, MOST_SAMPLES))
    return np.linspace(0, samples - 1, min(samples, most)).astype(int)


def is_table(subject: Subject) -> bool:
    """Whether a row of features, each with a value of its own, is all that is explained."""
    (array, *others), view = subject.inputs.arrays, subject.view
    return not others and array.ndim == 2 and view.wrt is None


class Swarm:
    """Attributions of some samples of a table by one method, for one target.

    Attributes:
        places: Which of all samples they are.
        data: Their inputs (n, d).
        values: Their attributions (n, d); `done` of them are known.
        base, score: (n,) where their values start and what the model gives.
        target, target_name: What is explained of each; -1 where that is no class.
    """

    def __init__(self, places: np.ndarray, data: np.ndarray, total: int, method: str) -> None:
        self.places, self.data, self.total, self.method = places, data, total, method
        self.values = np.zeros(data.shape, np.float32)
        self.base, self.score = (np.zeros(len(data), np.float32) for _ in range(2))
        self.done, self.target, self.target_name = 0, -1, ""
        self._known: Outputs | None = None

    def add(self, a: Attribution) -> None:
        """The next samples."""
        now = slice(self.done, self.done + len(a))
        self.values[now], self.base[now], self.score[now] = a.values, a.baseline_score, a.score
        self.target, self.target_name = int(a.target[0]), a.targets[0]
        self.done = now.stop

    @classmethod
    def of(cls, a: Attribution, places: np.ndarray, total: int) -> Swarm:
        """What is known already: an attribution of the samples at some places."""
        label = "shap" if isinstance(a.method, GivenSHAP) else type(a.method).label
        swarm = cls(places, a.inputs, total, label)
        swarm.add(a)
        return swarm

    def told(self) -> dict[str, Any]:
        """What a page is told: numbers as float32, sample by sample, of those that are known."""
        arrays = {"values": self.values, "data": self.data, "base": self.base, "score": self.score}
        return finite(
            {
                "samples": self.places[: self.done].tolist(),
                "count": len(self.places),
                "total": self.total,
                "method": self.method,
                "target": None if self.target < 0 else self.target,
                "target_name": self.target_name,
                **{name: array[: self.done].astype("<f4").tobytes() for name, array in arrays.items()},
            }
        )

    def grow(self, subject: Subject, make: Callable[[Subject], Task], tell: Callable[[Swarm], None]) -> Iterator[None]:
        """Explain those that are missing, some at a time.

        What is there is dropped where the model no longer gives what it gave then.

        Args:
            subject: All of the swarm's samples, with the model as it is now.
            make: The task of some of them.
            tell: Called now and then.
        """
        if self._known is None or not subject.still_gives(self._known):
            self.done = 0
        self._known = subject.outputs
        yield
        told = 0.0
        while self.done < len(self.places):
            task = make(subject.rows(slice(self.done, self.done + TOGETHER)))
            for _, attribution in task.frames():  # noqa: B007
                yield
            self.add(attribution)
            if time.perf_counter() - told > PUBLISHED_EVERY or self.done == len(self.places):
                tell(self)
                told = time.perf_counter()
            yield


def row_of(a: Attribution, sample: int, total: int) -> dict[str, Any]:
    """The values of one sample of a table, as those of many travel, with their standard errors."""
    error = None if a.error is None else a.error[0].astype("<f4").tobytes()
    return {**Swarm.of(a, np.array([sample]), total).told(), "error": error}
