"""Gradients averaged along the straight path from a start to an end: points, weights, and a running mean."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from xai_widgets.engine.gradients import CLASSES, complete
from xai_widgets.engine.model import ModelView, specs
from xai_widgets.engine.score import Score, precise

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
    reverse = [int(f"{place:0{bits}b}"[::-1], 2) for place in range(1 << bits)]
    return np.array([place for place in reverse if place < count])


@dataclass(frozen=True)
class PathMean:
    """What is known after some points of a path.

    Attributes:
        mean: The weighted mean gradient over the points so far, for each array of the site (n, ...).
        change: (n,) estimate of how far the mean, times end - start, still is from its limit, as a fraction of its L1
            norm; NaN for one point. See `_change`.
        alphas, scores: The points visited, ascending (k,), and the scores there (n, k).
        progress: Fraction of the points visited.
    """

    mean: list[np.ndarray]
    change: np.ndarray
    alphas: np.ndarray
    scores: np.ndarray
    progress: float


def path_means(
    view: ModelView,
    score: Score,
    start: Sequence[np.ndarray],
    end: Sequence[np.ndarray],
    inputs: Sequence[np.ndarray],
    structure: Any,
    rule: str,
    steps: int,
    chunk: int,
) -> Iterator[PathMean]:
    """Walk the path in a spread-out order; every prefix of the points visited spans it.

    The running sums are all that is kept: memory does not grow with `steps`.

    Args:
        view: The model. Where its `wrt` layer is set, start and end are outputs of that layer.
        score: What is differentiated.
        start, end: Ends of the path, for each array of the site (n, ...).
        inputs: What the model gets besides, where a layer's output is replaced.
        structure: The structure that the inputs have together.
        rule: One of `RULES`.
        steps: Number of points.
        chunk: Rows of a call of the model, at most.
    """
    count, at_layer = len(end[0]), view.wrt is not None
    points, weights = quadrature(rule, steps)
    order = spread(len(points))
    function = _compiled_path(view, score, inputs, structure, end)
    fixed = [tf.constant(array) for array in (*(inputs if at_layer else ()), *start, *end)]
    classes = tf.constant(score.classes, tf.int32)

    per_call = max(1, chunk // count)
    sums = [np.zeros((2, *array.shape), np.float64) for array in end]
    mass = np.zeros(2)
    visited: list[np.ndarray] = []
    scores: list[np.ndarray] = []
    done = 0
    while done < len(order):
        # A small first call: a picture soon, then full chunks.
        now = order[done : done + (max(1, per_call // 4) if done == 0 else per_call)]
        halves = np.stack([weights[now] * (now % 2 == 0), weights[now] * (now % 2 == 1)], axis=1)
        at, *parts = function(
            *fixed, tf.constant(points[now], end[0].dtype), tf.constant(halves, end[0].dtype), classes
        )
        for total, part in zip(sums, parts, strict=True):
            total += np.moveaxis(part.numpy(), 1, 0)
        mass += halves.sum(axis=0)
        done += len(now)
        visited.append(now)
        scores.append(at.numpy())
        places = np.concatenate(visited)
        ascending = np.argsort(places)
        yield PathMean(
            mean=[(total.sum(axis=0) / mass.sum()).astype(array.dtype) for total, array in zip(sums, end, strict=True)],
            change=_change(sums, mass, start, end),
            alphas=points[places[ascending]],
            scores=np.concatenate(scores, axis=1)[:, ascending],
            progress=done / len(order),
        )


def _change(
    sums: Sequence[np.ndarray], mass: np.ndarray, start: Sequence[np.ndarray], end: Sequence[np.ndarray]
) -> np.ndarray:
    """A quarter of the L1 distance between the means over the even and over the odd points.

    A rule's error falls as 1 / points, so that of each half is twice the whole's; and the halves lie on opposite
    sides of it, one moved towards the start and one towards the end, which makes the distance four times the error.
    """
    count = len(end[0])
    if not mass.all():
        return np.full(count, np.nan)
    apart, size = np.zeros(count), np.zeros(count)
    for total, before, after in zip(sums, start, end, strict=True):
        axes = tuple(range(1, after.ndim))
        step = after - before
        apart += np.abs(step * (total[0] / mass[0] - total[1] / mass[1])).sum(axis=axes) / 4
        size += np.abs(step * total.sum(axis=0) / mass.sum()).sum(axis=axes)
    return np.divide(apart, size, out=np.zeros(count), where=size > 0)


def _compiled_path(
    view: ModelView, score: Score, inputs: Sequence[np.ndarray], structure: Any, site: Sequence[np.ndarray]
) -> Any:
    at_layer, width = view.wrt is not None, len(site)

    def run(*tensors: tf.Tensor) -> Any:
        *fixed, alphas, weights, classes = tensors
        starts, ends = fixed[-2 * width : -width], fixed[-width:]
        steps = tf.shape(alphas)[0]

        def repeated(tensor: tf.Tensor) -> tf.Tensor:
            return tf.repeat(tensor, steps, axis=0)

        points = [_between(before, after, alphas) for before, after in zip(starts, ends, strict=True)]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(points)
            if at_layer:
                replacements = iter(points)

                def see(output: Any) -> Any:
                    return tf.nest.map_structure(lambda tensor: tf.cast(next(replacements), tensor.dtype), output)

                with view.tap(see):
                    values = [repeated(tensor) for tensor in fixed[: -2 * width]]
                    scores = view.score(score, values, structure, repeated(classes))
            else:
                scores = view.score(score, points, structure, repeated(classes))
        gradients = complete(tape.gradient(scores, points), points, view)
        return precise(tf.reshape(scores, (-1, steps))), *(_weighted(one, weights) for one in gradients)

    key = ("path", *score.key, repr(structure), width)
    fixed_specs = [*(specs(inputs) if at_layer else ()), *specs(site), *specs(site)]
    dtype = tf.as_dtype(site[0].dtype)
    return view.compiled(
        key, run, [*fixed_specs, tf.TensorSpec([None], dtype), tf.TensorSpec([None, 2], dtype), CLASSES]
    )


def _between(start: tf.Tensor, end: tf.Tensor, alphas: tf.Tensor) -> tf.Tensor:
    """(n, ...) ends -> (n * k, ...) points, the points of a sample together."""
    along = tf.reshape(alphas, (1, -1, *([1] * (len(end.shape) - 1))))
    points = start[:, None] + along * (end - start)[:, None]
    return tf.reshape(points, (-1, *end.shape[1:]))


def _weighted(gradients: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """(n * k, ...) gradients and (k, 2) weights -> (n, 2, ...) weighted sums."""
    shape = gradients.shape[1:]
    rows = tf.reshape(gradients, (-1, tf.shape(weights)[0], shape.num_elements()))
    sums = tf.matmul(tf.cast(weights, rows.dtype), rows, transpose_a=True)
    return tf.reshape(sums, (-1, 2, *shape))
