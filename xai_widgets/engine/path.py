"""Gradients averaged along the straight path from a start to an end: points, weights, and a running mean."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import tensorflow as tf

from xai_widgets.engine.compiled import specs
from xai_widgets.engine.gradients import CLASSES, differentiate
from xai_widgets.engine.model import ModelView
from xai_widgets.engine.outputs import Head, Outputs, gathered, given_at
from xai_widgets.engine.score import Score

RULES = ("midpoint", "left", "right", "trapezoid", "gauss_legendre")


def quadrature(rule: str, steps: int) -> tuple[np.ndarray, np.ndarray]:
    """Points in [0, 1], ascending, and weights that sum to 1.

    Args:
        rule: One of `RULES`.
        steps: Number of points, at least 1; a trapezoid has at least 2.
    """
    if rule == "gauss_legendre":
        points, weights = np.polynomial.legendre.leggauss(steps)
        return (points + 1) / 2, weights / 2
    if rule == "trapezoid":
        points = np.linspace(0, 1, max(steps, 2))
        weights = np.ones_like(points)
        weights[[0, -1]] = 0.5
        return points, weights / weights.sum()
    offset = {"left": 0.0, "midpoint": 0.5, "right": 1.0}[rule]
    return (np.arange(steps) + offset) / steps, np.full(steps, 1 / steps)


def spread(count: int) -> np.ndarray:
    """An order of 0..count-1 of which every prefix spans the range (van der Corput)."""
    bits = max(count - 1, 1).bit_length()
    places = np.arange(1 << bits)
    reverse = np.zeros_like(places)
    for bit in range(bits):
        reverse = reverse << 1 | places >> bit & 1
    return reverse[reverse < count]


@dataclass(frozen=True)
class PathMean:
    """What is known after some points of a path.

    Attributes:
        values: (end - start) times the weighted mean gradient over the points so far, for each array of the site.
        change: (n,) estimate of how far the values still are from their limit, as a fraction of their L1 norm; NaN
            for one point. See `_change`.
        alphas, scores: The points visited, ascending (k,), and the scores there (n, k), averaged over the starts.
        start_score: (n,) the score at the starts, averaged over those evaluated so far.
        end_score, end_outputs: (n,) the score at the end, and all that the model gives there; None where not asked for.
        passes: Points so far, over all starts.
        progress: Fraction of the points visited.
    """

    values: list[np.ndarray]
    change: np.ndarray
    alphas: np.ndarray
    scores: np.ndarray
    start_score: np.ndarray
    end_score: np.ndarray | None
    end_outputs: Outputs | None
    passes: int
    progress: float


class Walked(NamedTuple):
    """What points of a path gave.

    Attributes:
        scores: (n, k).
        sums: Weighted sums (n, w, ...) of what each point adds to the values, times the number of points.
        squares: The same of the squares, where they are asked for.
        last: What the model gives at the last point, where it is kept.
    """

    scores: np.ndarray
    sums: list[np.ndarray]
    squares: Sequence[np.ndarray] = ()
    last: Outputs | None = None


class Walker(Protocol):
    """Evaluates points of a path. `end` has the shapes and types of the values: arrays (n, ...)."""

    end: Sequence[np.ndarray]

    def __call__(self, starts: Sequence[np.ndarray], alphas: np.ndarray, weights: np.ndarray) -> Walked:
        """Evaluate points. See `Walk`."""


def path_means(
    walk: Walker,
    starts: Sequence[Sequence[np.ndarray]],
    rule: str,
    steps: int,
    calls: Callable[[int], list[slice]],
    end_too: bool = False,
) -> Iterator[PathMean]:
    """Walk the paths from one or more starts in a spread-out order; every prefix of the points spans the path.

    The running sums are all that is kept: memory does not grow with `steps`.

    Args:
        walk: What is evaluated, and where the paths end.
        starts: One or more starts, each with an array (n, ...) for each array of the site.
        rule: One of `RULES`.
        steps: Number of points from each start.
        calls: How a number of points is spread over calls of the model, see `ModelView.calls`.
        end_too: Whether the end is evaluated as well.
    """
    end = walk.end
    count = len(end[0])
    points, weights = quadrature(rule, steps)
    order = spread(len(points))

    sums = [np.zeros((2, *array.shape), np.float64) for array in end]
    mass = np.zeros(2)
    visited: list[np.ndarray] = []
    scores: list[np.ndarray] = []
    start_score = np.zeros(count)
    end_score, end_outputs = None, None
    passes = 0
    for call in calls(len(order)):
        now = order[call]
        halves = np.stack([weights[now] * (now % 2 == 0), weights[now] * (now % 2 == 1)], axis=1)
        visited.append(now)
        scores.append(np.zeros((count, len(now))))
        for number, start in enumerate(starts, start=1):
            along = [array[:, None] for array in start]
            if call.start == 0:
                at, parts, ends, outputs = _with_ends(walk, along, points[now], halves, end_too and number == 1)
                start_score += (ends[:, 0] - start_score) / number
                if end_too and number == 1:
                    end_score, end_outputs = ends[:, 1], outputs
            else:
                at, parts, _, _ = walk(along, points[now], halves)
            for total, part in zip(sums, parts, strict=True):
                total += np.moveaxis(part, 1, 0)
            mass += halves.sum(axis=0)
            passes += len(now)
            scores[-1] += (at - scores[-1]) / number
            places = np.concatenate(visited)
            ascending = np.argsort(places)
            yield PathMean(
                values=[
                    (total.sum(axis=0) / mass.sum()).astype(array.dtype) for total, array in zip(sums, end, strict=True)
                ],
                change=_change(sums, mass),
                alphas=points[places[ascending]],
                scores=np.concatenate(scores, axis=1)[:, ascending],
                start_score=start_score.astype(end[0].dtype),
                end_score=end_score,
                end_outputs=end_outputs,
                passes=passes,
                progress=passes / (len(order) * len(starts)),
            )


def _with_ends(
    walk: Walker, start: Sequence[np.ndarray], alphas: np.ndarray, weights: np.ndarray, both: bool
) -> tuple[np.ndarray, Sequence[np.ndarray], np.ndarray, Outputs | None]:
    """What `walk` gives for some points; and the scores at the start, or at both ends of the path, (n, 1 or 2).

    The ends go along without weight, for their scores alone; with many samples in a call of their own, which would else
    be twice as large as any other.
    """
    ends = np.array([0.0, 1.0] if both else [0.0])
    nothing = np.zeros((len(ends), weights.shape[1]))
    if len(start[0]) > 1:
        at, _, _, last = walk(start, ends, nothing)
        scores, sums, _, _ = walk(start, alphas, weights)
        return scores, sums, at, last
    scores, sums, _, last = walk(start, np.append(alphas, ends), np.append(weights, nothing, axis=0))
    return scores[:, : len(alphas)], sums, scores[:, len(alphas) :], last


def _change(sums: Sequence[np.ndarray], mass: np.ndarray) -> np.ndarray:
    """A quarter of the L1 distance between the values over the even and over the odd points.

    A rule's error falls as 1 / points, so that of each half is twice the whole's; and the halves lie on opposite
    sides of it, one moved towards the start and one towards the end, which makes the distance four times the error.
    """
    count = sums[0].shape[1]
    if not mass.all():
        return np.full(count, np.nan)
    apart, size = np.zeros(count), np.zeros(count)
    for total in sums:
        axes = tuple(range(1, total.ndim - 1))
        apart += np.abs(total[0] / mass[0] - total[1] / mass[1]).sum(axis=axes) / 4
        size += np.abs(total.sum(axis=0) / mass.sum()).sum(axis=axes)
    return np.divide(apart, size, out=np.zeros(count), where=size > 0)


class Walk:
    """Evaluates points between starts and an end: a compiled function with what stays the same bound to it.

    Args:
        view: The model. Where its `wrt` layer is set, starts and end are outputs of that layer.
        score: What is differentiated.
        structure: The structure that the inputs have together.
        end: End of the paths, for each array of the site (n, ...).
        inputs: What the model gets besides, where a layer's output is replaced.
        squares: Whether the sums of squares are wanted too.
    """

    def __init__(
        self,
        view: ModelView,
        score: Score,
        end: Sequence[np.ndarray],
        inputs: Sequence[np.ndarray],
        structure: Any,
        squares: bool = False,
    ) -> None:
        besides = list(inputs) if view.wrt is not None else []
        self._function, self._template, self._heads = _compiled_walk(view, score, besides, structure, end, squares)
        self._bound = [tf.constant(array) for array in (*besides, *end)]
        self._classes = tf.constant(score.classes, tf.int32)
        self.end = end
        self._view, self._score, self._structure = view, score, structure

    def scores_at(self, starts: Sequence[np.ndarray]) -> np.ndarray:
        """Scores (n, k) with the site at starts, (n, k, ...) for each of its arrays."""
        count = starts[0].shape[1]
        if self._view.wrt is not None:
            return self(starts, np.zeros(count), np.zeros((count, 1))).scores
        rows = [array.reshape(-1, *array.shape[2:]) for array in starts]
        return self._view.scores(self._score.repeated(count), rows, self._structure).reshape(-1, count)

    def __call__(self, starts: Sequence[np.ndarray], alphas: np.ndarray, weights: np.ndarray) -> Walked:
        """(end - start) * gradient at start + alpha * (end - start), summed with weights.

        Args:
            starts: For each array of the site (n, k, ...), or (n, 1, ...) where all points share a start.
            alphas: (k,) places between start, 0, and end, 1.
            weights: (k, w).
        """
        fixed = [tf.constant(array, self.end[0].dtype) for array in (*starts, alphas, weights)]
        scores, sums, squares, columns = self._function(*self._bound, *fixed, self._classes)
        last = gathered(columns, self._template, self._heads)
        return Walked(scores.numpy(), [one.numpy() for one in sums], [one.numpy() for one in squares], last)


def _compiled_walk(
    view: ModelView,
    score: Score,
    besides: Sequence[np.ndarray],
    structure: Any,
    site: Sequence[np.ndarray],
    squares: bool,
) -> tuple[Any, Any, tuple[Head, ...]]:
    width = len(site)
    traced: list[Outputs] = []

    def run(*tensors: tf.Tensor) -> Any:
        *bound, alphas, weights, classes = tensors
        inputs, ends, starts = bound[: len(besides)], bound[len(besides) : -width], bound[-width:]
        steps = tf.shape(alphas)[0]

        def repeated(tensor: tf.Tensor) -> tf.Tensor:
            return tf.repeat(tensor, steps, axis=0)

        points, ways = along(starts, ends, alphas)
        values = [repeated(tensor) for tensor in inputs] or points
        gradients, _, scores, outputs = differentiate(view, score, values, structure, repeated(classes), points)
        traced.append(outputs)
        terms = [way * tf.reshape(one, (-1, steps, *one.shape[1:])) for way, one in zip(ways, gradients, strict=True)]
        sums = [weighted(term, weights) for term in terms]
        second = [weighted(term**2, weights) for term in terms] if squares else []
        last = tf.range(1, tf.shape(classes)[0] + 1) * steps - 1
        return tf.reshape(scores, (-1, steps)), sums, second, given_at(outputs, last)

    dtype = tf.as_dtype(site[0].dtype)
    start_specs = [tf.TensorSpec([None, None, *array.shape[1:]], dtype) for array in site]
    path_specs = [tf.TensorSpec([None], dtype), tf.TensorSpec([None, None], dtype), CLASSES]
    key = ("path", *score.key, repr(structure), width, squares)
    signature = [*specs(besides), *specs(site), *start_specs, *path_specs]
    function, (template, heads) = view.compiled(key, run, signature, lambda: (traced[-1].structure, traced[-1].heads))
    return function, template, heads


def along(
    starts: Sequence[tf.Tensor], ends: Sequence[tf.Tensor], alphas: tf.Tensor
) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
    """Points (n * k, ...) between starts (n, k or 1, ...) and ends (n, ...), a sample's together; and the ways."""
    points, ways = [], []
    for start, end in zip(starts, ends, strict=True):
        ways.append(end[:, None] - start)
        places = tf.reshape(alphas, (1, -1, *([1] * (len(end.shape) - 1))))
        points.append(tf.reshape(start + places * ways[-1], (-1, *end.shape[1:])))
    return points, ways


def weighted(terms: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """(n, k, ...) terms and (k, w) weights -> (n, w, ...) weighted sums."""
    shape = terms.shape[2:]
    rows = tf.reshape(terms, (-1, tf.shape(weights)[0], shape.num_elements()))
    sums = tf.matmul(tf.cast(weights, rows.dtype), rows, transpose_a=True)
    return tf.reshape(sums, (-1, tf.shape(weights)[1], *shape))
