"""Climb a score by changing its input."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from xai_widgets.engine.canvas import Canvas, ink_of, is_picture, roughness, seen, within
from xai_widgets.engine.compiled import specs
from xai_widgets.engine.gradients import CLASSES, complete
from xai_widgets.engine.model import ModelView
from xai_widgets.engine.score import Score

# Adam (Kingma and Ba, 2015), with the paper's constants.
_MEMORY, _LONG_MEMORY, _LEAST = 0.9, 0.999, 1e-8


class Ascent:
    """Inputs that are being made, and the steps that raise their score.

    A step follows the slope of the score by the ink, divided by its root mean square over a sample so that the scale of
    the score does not matter, and less what the regularisers pull. All is done in one compiled function: the state goes
    in and comes out of it as arrays.

    Args:
        view, score, structure: As in `gradient`; the site is the inputs.
        low, high: (n, ...) each: the range of each input, as the compiled functions take it.
        canvases: What each input is drawn on.
        variables: (n, ...) each: where the ascent starts.
        moving: Whether each step looks at the pictures from elsewhere.

    Attributes:
        steps: How many steps were made.
    """

    def __init__(
        self,
        view: ModelView,
        score: Score,
        structure: Any,
        low: Sequence[np.ndarray],
        high: Sequence[np.ndarray],
        canvases: Sequence[Canvas],
        variables: Sequence[np.ndarray],
        moving: bool,
    ) -> None:
        self._view, self._canvases = view, canvases
        self._range = [tf.constant(array) for array in (*low, *high)]
        self._classes = tf.constant(score.classes, tf.int32)
        self._step = _compiled_step(view, score, structure, low, canvases, variables, moving)
        self._paint = _compiled_paint(view, low, canvases, variables)
        start = [tf.constant(array) for array in variables]
        nothing = [tf.zeros_like(array) for array in start]
        self._state = [*start, *nothing, *nothing]
        self.steps = 0

    def step(self, rate: float, l2: float, smooth: float, look: Sequence[float]) -> tuple[np.ndarray, np.ndarray]:
        """One step.

        Args:
            rate: How far the variables move.
            l2, smooth: Pulls to the middle of the range, and to the neighbours, relative to the slope of the score.
            look: Where the pictures are looked at from, see `seen`.

        Returns:
            (n,) scores before the step, as looked at, and (n,) root mean squares of the slopes.
        """
        self.steps += 1
        settings = tf.constant([rate, l2, smooth, self.steps], tf.float64)
        looked = tf.constant(look, tf.float32)
        self._state, scores, sizes = self._step(*self._state, *self._range, settings, looked, self._classes)
        return scores.numpy(), sizes.numpy()

    def made(self) -> list[np.ndarray]:
        """The inputs as they are now, (n, ...) each."""
        return [tensor.numpy() for tensor in self._paint(*self._state[: len(self._canvases)], *self._range)]


def start_of(
    canvas: Canvas, low: np.ndarray, high: np.ndarray, seed: int, place: int, values: np.ndarray | None
) -> np.ndarray:
    """Variables (n, ...) to start from: faint noise, drawn for the input at a place among several, or given values."""
    if values is None:
        return canvas.noise(seed, place, len(low), low.dtype)
    return canvas.variables_of(ink_of(values, low, high))


def _compiled_step(
    view: ModelView,
    score: Score,
    structure: Any,
    like: Sequence[np.ndarray],
    canvases: Sequence[Canvas],
    variables: Sequence[np.ndarray],
    moving: bool,
) -> Any:
    count = len(canvases)

    def run(*tensors: tf.Tensor) -> Any:
        *arrays, settings, look, classes = tensors
        places, means, squares, low, high = (arrays[start : start + count] for start in range(0, 5 * count, count))
        with tf.GradientTape(watch_accessed_variables=False) as drawing:
            drawing.watch(places)
            inks = [canvas.ink(one) for canvas, one in zip(canvases, places, strict=True)]
        with tf.GradientTape(watch_accessed_variables=False) as climbing:
            climbing.watch(inks)
            values = [within(*one) for one in zip(inks, low, high, strict=True)]
            if moving:
                values = [
                    seen(one, look) if is_picture(canvas.shape) else one
                    for canvas, one in zip(canvases, values, strict=True)
                ]
            scores = view.score(score, values, structure, classes)
        found = climbing.gradient(scores, inks)
        if all(one is None for one in found):
            raise ValueError(
                f"ActivationMaximization climbs the slope of the score, but that of model {view.name!r} depends on its "
                "input by no differentiable way (token ids, say, have no neighbours)"
            )
        slopes = complete(found, inks, view, scores)
        sizes = _sizes(slopes)
        rate, l2, smooth, step = tf.unstack(tf.cast(settings, slopes[0].dtype))
        pulls = [
            tf.math.divide_no_nan(slope, _per_sample(sizes, slope)) - l2 * ink - smooth * roughness(ink)
            for slope, ink in zip(slopes, inks, strict=True)
        ]
        ways = drawing.gradient(inks, places, output_gradients=pulls)
        moved = [_adam(*one, rate, step) for one in zip(places, means, squares, ways, strict=True)]
        return [one for column in zip(*moved, strict=True) for one in column], scores, sizes

    key = ("ascent", *score.key, repr(structure), tuple(canvases), moving)
    signature = [
        *specs([*variables, *variables, *variables, *like, *like]),
        tf.TensorSpec([4], tf.float64),
        tf.TensorSpec([4], tf.float32),
        CLASSES,
    ]
    return view.compiled(key, run, signature)[0]


def _compiled_paint(
    view: ModelView, like: Sequence[np.ndarray], canvases: Sequence[Canvas], variables: Sequence[np.ndarray]
) -> Any:
    count = len(canvases)

    def run(*tensors: tf.Tensor) -> Any:
        places, low, high = (tensors[start : start + count] for start in range(0, 3 * count, count))
        inks = [canvas.ink(one) for canvas, one in zip(canvases, places, strict=True)]
        return [within(*one) for one in zip(inks, low, high, strict=True)]

    return view.compiled(("paint", tuple(canvases)), run, specs([*variables, *like, *like]))[0]


def _sizes(slopes: Sequence[tf.Tensor]) -> tf.Tensor:
    """(n,) root mean square of the slopes of each sample, over all its inputs."""
    squares = [tf.reduce_sum(slope**2, axis=range(1, slope.shape.rank)) for slope in slopes]
    return tf.sqrt(tf.add_n(squares) / sum(slope.shape[1:].num_elements() for slope in slopes))


def _per_sample(sizes: tf.Tensor, like: tf.Tensor) -> tf.Tensor:
    return tf.reshape(sizes, (-1, *[1] * (like.shape.rank - 1)))


def _adam(
    place: tf.Tensor, mean: tf.Tensor, square: tf.Tensor, way: tf.Tensor, rate: tf.Tensor, step: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor, tf.Tensor]:
    """The place after a step upwards, and the running means of the slope and its square."""
    mean = _MEMORY * mean + (1 - _MEMORY) * way
    square = _LONG_MEMORY * square + (1 - _LONG_MEMORY) * way**2
    steady = tf.sqrt(square / (1 - _LONG_MEMORY**step)) + _LEAST
    return place + rate * mean / (1 - _MEMORY**step) / steady, mean, square
