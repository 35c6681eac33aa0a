"""Painted: a region of a picture under the brush, and what the model says without it."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import traitlets

from xai_widgets.baselines import Baseline, Constant
from xai_widgets.declare import parts
from xai_widgets.layout import has_channels, positions
from xai_widgets.methods import Method
from xai_widgets.methods.masking import ENDLESS
from xai_widgets.task import Subject, Task
from xai_widgets.widgets.shared import STATE, Shared
from xai_widgets.widgets.traits import Checked, whole
from xai_widgets.wire import finite

# Seconds without a stroke after which a hand is taken to be still.
_REST = 0.1


class Painted(Shared):
    """A region that a person paints: the page knows what maps claim for it, the model says what its removal does.

    Attributes:
        region: What is painted: {"input": place, "runs": [start, length, ...]} over the positions of the picture, in
            reading order; it may be set to a bool array (H, W), or to None. Another sample takes it away.
    """

    region = Checked({}, lambda self, value: self._check_region(value)).tag(sync=True)

    _effect = traitlets.Dict().tag(sync=True)

    _subject: Subject
    _task: Task
    _job: int
    _pictures: Sequence[Any]
    _target_label: str
    _effect_of: Any = None
    _columns = 1

    def _check_region(self, value: Any) -> dict[str, Any]:
        if value is None:
            return {}
        if isinstance(value, np.ndarray) and value.dtype == bool and value.ndim == 2:
            value = {"runs": runs_of(value), "shape": value.shape}
        if not isinstance(value, Mapping) or (value and not isinstance(value.get("runs"), list | tuple)):
            raise TypeError(
                "region must be a bool array (H, W), a dict {'input': place, 'runs': [start, length, ...]} or None, "
                f"got {type(value).__name__}"
            )
        if not value or not value["runs"]:
            return {}
        place = whole("region['input']", value.get("input", 0), 0)
        runs = [whole("region['runs']", one, 0) for one in value["runs"]]
        arrays = self._subject.inputs.arrays
        known = place < max(len(arrays), len(self._pictures))
        shape = positions(arrays[input_of(place, len(arrays))].shape) if known else ()
        if len(shape) < 2:
            raise ValueError(f"region must lie on a picture; input {place} is none")
        if value.get("shape", shape[-2:]) != shape[-2:]:
            raise ValueError(f"region must have the shape {shape[-2:]} of the picture, got {value['shape']}")
        mask_of(runs, shape)
        return {"input": place, "runs": runs}

    @traitlets.observe("index")
    def _wipe(self, _: Any) -> None:
        self.region = {}

    @traitlets.observe("region")
    def _ask_effect(self, _: Any = None) -> None:
        if self.region:
            self._aside("region", self._take_away)
        elif self._effect:
            self._effect = {}

    @traitlets.observe("frame")
    def _ask_with_the_map(self, change: Any) -> None:
        """The first map of a job: maybe of another score, or from another baseline."""
        if self.region and change.new.get("job") != change.old.get("job"):
            asked = self._target_label, absence(self._task.method)
            if asked != self._effect_of:
                self._effect, self._effect_of = {}, asked
            self._ask_effect()

    def _removals(self) -> Iterator[tuple[int, Task, Baseline]]:
        """What stands for the region when it is gone: a column of the view, what is asked there, and a baseline."""
        yield 0, self._task, absence(self._task.method)

    def _effect_in(self, task: Task) -> dict[str, Any]:
        """What the score of a task is without the region, for a page that asks no kernel."""
        away = absence(task.method)
        seen = told_of(away, score_now(task), at_once(without_region(task, self.region, away)))
        return {**self.region, "score_name": task.score.reader.name, "seen": [seen]}

    def _take_away(self) -> Iterator[float | None]:
        """What the score is without the region, by column; null where it is on its way."""
        region, job = self.region, self._job
        seen: dict[int, dict[str, Any]] = {}

        def told(column: int, task: Task, away: Baseline, score: float, without: float) -> bool:
            """Tell the page, unless something else is asked by now."""
            seen[column] = told_of(away, score, without)
            with STATE:
                if self._owner is None or region != self.region or job != self._job:
                    return False
                columns = [seen.get(at) for at in range(self._columns)]
                self._effect = {**region, "score_name": task.score.reader.name, "seen": columns}
            return True

        for column, task, away in self._removals() if region else ():
            without = yield from without_region(task, region, away)
            known = float(task.scores[0])
            if not told(column, task, away, known, without):
                return
            # A hand that goes on asks anew before the other columns have their turn, and the page shows the answer.
            yield _REST if len(seen) == 1 else None
            # The weights may have changed since the map was made.
            score = score_now(task)
            if not np.isclose(score, known, rtol=1e-4) and not told(column, task, away, score, without):
                return
            yield None


def told_of(away: Baseline, score: float, without: float) -> dict[str, Any]:
    """What the page is told of a region that is replaced by a baseline."""
    return finite({"baseline": type(away).label, "score": score, "without": without})


def at_once(steps: Generator[None, None, float]) -> float:
    """What steps come to, without a pause between them."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return float(end.value)


def absence(method: Method) -> Baseline:
    """What takes the place of a removed region: the baseline of a method, 0 where it has none."""
    return next((one for one in parts(method) if isinstance(one, Baseline)), Constant(0.0))


def input_of(place: int, inputs: int) -> int:
    """The input that a picture shows: where a layer has several calls, those after the last input are all of that."""
    return min(place, inputs - 1)


def runs_of(mask: np.ndarray) -> list[int]:
    """Start and length of each run of True of a mask, in reading order."""
    edges = np.flatnonzero(np.diff(mask.ravel().astype(np.int8), prepend=0, append=0)).reshape(-1, 2)
    return np.stack([edges[:, 0], np.diff(edges)[:, 0]], axis=1).ravel().tolist()


def mask_of(runs: Sequence[int], shape: tuple[int, ...]) -> np.ndarray:
    """Runs as start and length, one after the other, as a mask of positions; those of a volume go all its depth.

    Raises:
        ValueError: They are no such runs, are not in order, or reach beyond the picture.
    """
    plane = shape[-2:]
    size, end = int(np.prod(plane)), 0
    mask = np.zeros(size, bool)
    if len(runs) % 2:
        raise ValueError("region must have runs of two numbers each, a start and a length")
    for start, length in zip(runs[::2], runs[1::2], strict=True):
        if not (start >= 0 and length > 0 and start + length <= size):
            raise ValueError(f"region must lie within the {size} positions of the picture, got {start}, {length}")
        if start < end:
            raise ValueError(f"region must have runs one after the other, got one from {start} and one up to {end}")
        end = start + length
        mask[start:end] = True
    return np.broadcast_to(mask.reshape(plane), shape)


def score_now(task: Task) -> float:
    """The score of the sample, by a pass of its own: maybe not that of the map."""
    subject = task.subject
    arrays, structure, view = subject.inputs.arrays, subject.inputs.structure, subject.view
    return float(view.scores(task.score.told(subject.outputs, ()), view.enter(arrays, structure), structure)[0])


def without_region(task: Task, region: Mapping[str, Any], baseline: Baseline) -> Generator[None, None, float]:
    """The score where a region of one input is replaced by a baseline.

    Of a baseline of several references (of random ones 8) it is the mean over them. Two of them are a step: a newer
    region never waits for more than such a pass.
    """
    subject = task.subject
    arrays, structure, view = subject.inputs.arrays, subject.inputs.structure, subject.view
    place = input_of(region["input"], len(arrays))
    array = arrays[place]
    mask = mask_of(region["runs"], positions(array.shape))
    gone = mask[..., None] if has_channels(array.shape) else mask
    told = task.score.told(subject.outputs, ())
    draws = baseline.count or ENDLESS
    scores: list[float] = []
    for first in range(0, draws, 2):
        if first:
            yield
        rows = range(first, min(first + 2, draws))
        given = [np.repeat(one, len(rows), axis=0) for one in arrays]
        mixed = [np.where(gone, baseline.reference(array, row), array) for row in rows]
        given[place] = np.concatenate(mixed).astype(array.dtype)
        scores += view.scores(told.repeated(len(rows)), view.enter(given, structure), structure).tolist()
    return float(np.mean(scores))
