"""How much of a score flows through the units of a layer, along a path of the inputs."""

from __future__ import annotations

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
        inputs: Ends of the paths, (n, ...) each.
        end: What the layer returns there, an array (n, ...) for each of its calls.
    """

    def __init__(
        self, view: ModelView, score: Score, inputs: Sequence[np.ndarray], end: Sequence[np.ndarray], structure: Any
    ) -> None:
        self.end = end
        self._function = _compiled(view, score, inputs, structure)
        self._bound = [tf.constant(array) for array in inputs]
        self._classes = tf.constant(score.classes, tf.int32)

    def __call__(self, starts: Sequence[np.ndarray], alphas: np.ndarray, weights: np.ndarray) -> Walked:
        """Scores (n, k) and, for each call of the layer, weighted sums (n, w, ...); no squares. See `Walk`."""
        fixed = [tf.constant(array, self.end[0].dtype) for array in (*starts, alphas, weights)]
        scores, sums = self._function(*self._bound, *fixed, self._classes)
        return Walked(scores.numpy(), [one.numpy() for one in sums])


def _compiled(view: ModelView, score: Score, inputs: Sequence[np.ndarray], structure: Any) -> Any:
    def run(*tensors: tf.Tensor) -> Any:
        *bound, alphas, weights, classes = tensors
        ends, starts = bound[: len(inputs)], bound[len(inputs) :]
        steps = tf.shape(alphas)[0]
        points, ways = along(starts, ends, alphas)
        units: list[tf.Tensor] = []

        def see(output: Any) -> Any:
            units.extend(tf.nest.flatten(output))
            return output

        with tf.GradientTape(watch_accessed_variables=False) as outer:
            with tf.GradientTape(watch_accessed_variables=False, persistent=True) as tape:
                tape.watch(points)
                with view.tap(see):
                    scores = view.score(score, points, structure, classes)
            # The rate of the units is the derivative of a gradient by the vector that it was pulled back from. Unlike
            # forward differentiation, TensorFlow can do that for every operation, loops included.
            pull = [tf.zeros_like(unit) for unit in units]
            outer.watch(pull)
            pulled = tape.gradient(units, points, output_gradients=pull)
        slopes = complete(tape.gradient(scores, units), units, view)
        reached = [(one, way) for one, way in zip(pulled, ways, strict=True) if one is not None]
        if not reached:
            raise ValueError(f"layer {view.wrt!r} does not depend on the inputs by any differentiable way")
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

    dtype = tf.as_dtype(inputs[0].dtype)
    start_specs = [tf.TensorSpec([None, 1, *array.shape[1:]], dtype) for array in inputs]
    path_specs = [tf.TensorSpec([None], dtype), tf.TensorSpec([None, None], dtype), CLASSES]
    key = ("conductance", *score.key, repr(structure))
    function, _ = view.compiled(key, run, [*specs(inputs), *start_specs, *path_specs])
    return function
