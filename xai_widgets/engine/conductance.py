"""How much of a score flows through the units of a layer, along a path of the inputs."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from xai_widgets.engine.compiled import specs
from xai_widgets.engine.gradients import CLASSES, complete
from xai_widgets.engine.model import ModelView
from xai_widgets.engine.outputs import precise
from xai_widgets.engine.path import Walked, along, weighted
from xai_widgets.engine.score import Score


class ConductanceWalk:
    """Evaluates points between a start and an end in the space of the inputs, for the `wrt` layer of the view.

    What a point adds to the value of a unit is the score's gradient at the unit, times the rate at which the unit
    changes along the path. Summed over units that is the score's own rate, where all ways pass through the layer once.

    Args:
        view, score, structure: As in `Walk`.
        inputs: (n, ...) each.
        end: What the layer returns there, an array (n, ...) for each of its calls.
        entry: Where the paths run: the view without a layer for the inputs, or at the embedding that token ids enter.
        ends: Ends of the paths there, (n, ...) each.
    """

    def __init__(
        self,
        view: ModelView,
        score: Score,
        inputs: Sequence[np.ndarray],
        end: Sequence[np.ndarray],
        structure: Any,
        entry: ModelView,
        ends: Sequence[np.ndarray],
    ) -> None:
        self.end = end
        besides = list(inputs) if entry.wrt is not None else []
        self._function = _compiled(view, score, besides, structure, entry, ends)
        self._bound = [tf.constant(array) for array in (*besides, *ends)]
        self._classes = tf.constant(score.classes, tf.int32)

    def __call__(self, starts: Sequence[np.ndarray], alphas: np.ndarray, weights: np.ndarray) -> Walked:
        """Scores (n, k) and, for each call of the layer, weighted sums (n, w, ...); no squares. See `Walk`."""
        fixed = [tf.constant(array, self.end[0].dtype) for array in (*starts, alphas, weights)]
        scores, sums = self._function(*self._bound, *fixed, self._classes)
        return Walked(scores.numpy(), [one.numpy() for one in sums])


def _compiled(
    view: ModelView,
    score: Score,
    besides: Sequence[np.ndarray],
    structure: Any,
    entry: ModelView,
    site: Sequence[np.ndarray],
) -> Any:
    width = len(site)

    def run(*tensors: tf.Tensor) -> Any:
        *bound, alphas, weights, classes = tensors
        inputs, ends, starts = bound[: len(besides)], bound[len(besides) : -width], bound[-width:]
        steps = tf.shape(alphas)[0]
        points, ways = along(starts, ends, alphas)
        values = [tf.repeat(one, steps, axis=0) for one in inputs] or points
        units: list[tf.Tensor] = []

        def see(output: Any) -> Any:
            units.extend(tf.nest.flatten(output))
            return output

        def enter(output: Any) -> Any:
            remaining = iter(points)
            return tf.nest.map_structure(lambda tensor: tf.cast(next(remaining), tensor.dtype), output)

        with tf.GradientTape(watch_accessed_variables=False) as outer:
            with tf.GradientTape(watch_accessed_variables=False, persistent=True) as tape:
                tape.watch(points)
                with entry.tap(enter) if inputs else contextlib.nullcontext(), view.tap(see):
                    scores = view.score(score, values, structure, classes)
            # The rate of the units is the derivative of a gradient by the vector that it was pulled back from. Unlike
            # forward differentiation, TensorFlow can do that for every operation, loops included.
            pull = [tf.zeros_like(unit) for unit in units]
            outer.watch(pull)
            pulled = tape.gradient(units, points, output_gradients=pull)
        slopes = complete(tape.gradient(scores, units), units, view, scores)
        reached = [(one, way) for one, way in zip(pulled, ways, strict=True) if one is not None]
        if not reached:
            where = f"the output of layer {entry.wrt!r}" if inputs else "the inputs"
            raise ValueError(f"layer {view.wrt!r} does not depend on {where} by any differentiable way")
        rates = outer.gradient(
            [one for one, _ in reached],
            pull,
            output_gradients=[tf.repeat(way[:, 0], steps, axis=0) for _, way in reached],
        )
        terms = [
            slope * (tf.zeros_like(slope) if rate is None else precise(rate))
            for slope, rate in zip(slopes, rates, strict=True)
        ]
        sums = [weighted(tf.reshape(term, (-1, steps, *term.shape[1:])), weights) for term in terms]
        return precise(tf.reshape(scores, (-1, steps))), sums

    dtype = tf.as_dtype(site[0].dtype)
    start_specs = [tf.TensorSpec([None, 1, *array.shape[1:]], dtype) for array in site]
    path_specs = [tf.TensorSpec([None], dtype), tf.TensorSpec([None, None], dtype), CLASSES]
    key = ("conductance", *score.key, repr(structure), entry.wrt)
    function, _ = view.compiled(key, run, [*specs(besides), *specs(site), *start_specs, *path_specs])
    return function
