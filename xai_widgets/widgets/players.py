"""What a page is told of players, the parts of an input that may be absent, and of the input without some of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from xai_widgets.methods import Frame
from xai_widgets.task import Task
from xai_widgets.trees import input_names
from xai_widgets.widgets import showing

_ROWS, _COLUMNS = ("upper", "", "lower"), ("left", "", "right")


def told(task: Task, frame: Frame, limits: Sequence[showing.Limits], features: Sequence[str]) -> list[dict[str, Any]]:
    """The players of each input as `{name, labels, texts}`; of a picture with the label map, `{shape, data}`."""
    inputs = task.subject.inputs
    names = input_names(inputs.structure)
    players = []
    for place, values in enumerate(frame.values):
        name = names[place] if len(names) == len(frame.values) else f"call {place}"
        if frame.segments is not None:
            players.append({"name": name, **_segments(frame.segments[place][0])})
            continue
        row = showing.behind(name, inputs.arrays[place][0], values[0], limits[place], features)
        players.append({key: row[key] for key in ("name", "labels", "texts")})
    return players


def _segments(labels: np.ndarray) -> dict[str, Any]:
    count = int(labels.max()) + 1
    if labels.ndim == 1:
        ends = [np.flatnonzero(labels == one)[[0, -1]] for one in range(count)]
        return {"labels": [f"positions {first} to {last}" for first, last in ends], "texts": [""] * count}
    names = [f"segment {one}" for one in range(count)]
    if labels.ndim != 2:
        return {"labels": names, "texts": [""] * count}
    data = labels.astype(np.uint8 if count <= 256 else "<u2").tobytes()
    return {"labels": names, "texts": _places(labels, count), "shape": list(labels.shape), "data": data}


def _places(labels: np.ndarray, count: int) -> list[str]:
    """Where in the picture the middle of each segment lies, in words."""
    flat, words = labels.ravel(), []
    sizes = np.maximum(np.bincount(flat, minlength=count), 1)
    thirds = [
        np.minimum(3 * np.bincount(flat, at.ravel(), count) / sizes / length, 2).astype(int)
        for at, length in zip(np.indices(labels.shape), labels.shape, strict=True)
    ]
    for row, column in zip(*thirds, strict=True):
        words.append(f"{_ROWS[row]} {_COLUMNS[column]}".strip() or "middle")
    return words


def without(task: Task, frame: Frame, off: Sequence[int]) -> dict[str, Any]:
    """What the model says of the input without some players: its score, and the class that it then predicts.

    The class is told where a person can see the input that the model gets: not of a layer's output, and not of several
    references, over which the score is a mean.
    """
    assert frame.surrogate is not None
    present = np.ones((1, 1, sum(values.shape[1] for values in frame.values)))
    present[..., list(off)] = 0
    answer: dict[str, Any] = {"score": float(frame.surrogate.look(present).scores[0, 0])}
    arrays = _composed(task, frame, off)
    best = {} if arrays is None else showing.predictions(task.subject.moved(arrays).outputs)
    return {**answer, "best": best}


def _composed(task: Task, frame: Frame, off: Sequence[int]) -> list[np.ndarray] | None:
    """The input with its baseline where players are absent."""
    arrays = task.subject.inputs.arrays
    baseline = getattr(task.method, "baseline", None)
    if frame.baseline is None or task.subject.view.wrt is not None or baseline is None or baseline.count != 1:
        return None
    composed, start = [], 0
    for place, (array, absent) in enumerate(zip(arrays, frame.baseline, strict=True)):
        width = frame.values[place].shape[1]
        labels = np.arange(width) if frame.segments is None else frame.segments[place][0]
        gone = np.isin(labels, np.asarray(off, int) - start)
        composed.append(np.where(gone.reshape(1, *gone.shape, *[1] * (array.ndim - 1 - gone.ndim)), absent, array))
        start += width
    return composed
