"""Attributions against boxes around what is to be found, and against one another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from xai_widgets.attribution import Attribution
from xai_widgets.metrics.checks import whole
from xai_widgets.metrics.ranks import centred_ranks, flat_maps

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def pointing_game(attribution: Attribution, boxes: Sequence[Any], *, tolerance: int = 0) -> np.ndarray:
    """Whether the largest value of each map lies in a box around the object (Zhang et al., 2016).

    Args:
        attribution: Of one input with positions; its signed heat map at input size counts.
        boxes: For each sample one box or several, each (top, left, bottom, right) in pixels from the top left corner,
            bottom and right excluded, as slices have it; for series (start, stop), for volumes six numbers.
        tolerance: Pixels by which the point may miss a box; the authors take 15.

    Returns:
        (N,) bool. Of several largest values the one nearest to their mean counts; a map with the same value everywhere
        points nowhere.

    Raises:
        TypeError: An argument is of a wrong type.
        ValueError: There are several inputs or no positions, the number of samples differs, or a box is empty.
    """
    if not isinstance(attribution, Attribution):
        raise TypeError(f"attribution must be an Attribution, as explain() returns it, got {attribution!r}")
    whole("tolerance", tolerance, 0)
    maps = attribution.heatmap()
    if isinstance(maps, list) or np.ndim(attribution.inputs) < 3:
        raise ValueError("pointing_game needs one map of one input with positions")
    if len(boxes) != len(maps):
        raise ValueError(f"boxes must hold the boxes of each of the {len(maps)} samples, got {len(boxes)}")
    hits = []
    for one, given in zip(maps, boxes, strict=True):
        point, corners = _point(one), _corners(given, one.ndim)
        inside = (corners[:, 0] - tolerance <= point) & (point < corners[:, 1] + tolerance)
        hits.append(bool(np.ptp(one) > 0 and inside.all(axis=1).any()))
    return np.array(hits)


def _point(heat: np.ndarray) -> np.ndarray:
    """The place of the largest value; of several, the one nearest to their mean."""
    places = np.argwhere(heat == heat.max())
    return places[np.abs(places - places.mean(axis=0)).sum(axis=1).argmin()]


def _corners(boxes: Any, axes: int) -> np.ndarray:
    """(k, 2, axes) first and past-the-end corners."""
    array = np.asarray(boxes)
    if array.ndim == 1:
        array = array[None]
    if array.ndim != 2 or array.shape[1] != 2 * axes or array.dtype.kind not in "iuf":
        raise ValueError(f"boxes must have {2 * axes} numbers each, such as (top, left, bottom, right), got {boxes!r}")
    corners = array.reshape(-1, 2, axes)
    if not (corners[:, 0] < corners[:, 1]).all():
        raise ValueError(f"boxes must end after they start, got {boxes!r}")
    return corners


@dataclass(frozen=True, eq=False)
class Agreement:
    """How alike the maps of several methods rank the parts of the same inputs.

    Attributes:
        methods: (M,) the methods, as source.
        matrix: (M, M) mean rank correlation over the samples, -1 to 1; `numpy.asarray` gives it too.
        samples: (N, M, M) that of each sample.
    """

    methods: tuple[str, ...]
    matrix: np.ndarray
    samples: np.ndarray

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        return np.array(self.matrix, dtype)

    def __repr__(self) -> str:
        lines = [
            f"{np.array2string(row, precision=2)}  {name}" for row, name in zip(self.matrix, self.methods, strict=True)
        ]
        return "\n".join(["Agreement", *lines])

    def plot(self) -> Figure:
        """A matplotlib figure of the matrix, made without pyplot."""
        from xai_widgets.figures import agreement_figure

        return agreement_figure(self)


def agreement(attributions: Sequence[Attribution]) -> Agreement:
    """Spearman's rank correlation between the heat maps of several attributions of the same inputs.

    High agreement is no proof of being right; low agreement says that at most one of two maps can be (the disagreement
    problem, Krishna et al., 2022).

    Args:
        attributions: Two or more, of the same samples; maps of layers are compared at input size.

    Raises:
        TypeError: They are no attributions.
        ValueError: There are fewer than two, or they are of different inputs.
    """
    given = list(attributions)
    if not all(isinstance(one, Attribution) for one in given):
        raise TypeError(f"attributions must be Attributions, as explain() returns them, got {attributions!r}")
    if len(given) < 2:
        raise ValueError(f"attributions must be two or more, got {len(given)}")
    maps = [flat_maps(one) for one in given]
    if len({one.shape for one in maps}) > 1:
        raise ValueError(f"attributions must be of the same inputs, their maps have {[one.shape for one in maps]}")
    ranks = np.stack([centred_ranks(one) for one in maps], axis=1)
    samples = ranks @ ranks.transpose(0, 2, 1)
    return Agreement(tuple(repr(one.method) for one in given), samples.mean(axis=0), samples)
