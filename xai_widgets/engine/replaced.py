"""What the score is, and how it slopes, when inputs are masked or a layer's output is replaced.

Where the `wrt` layer's output is replaced, what comes before the layer is not run: nothing asks for it, unless the
score also depends on it on a way around the layer.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from xai_widgets.engine.compiled import specs
from xai_widgets.engine.gradients import CLASSES, complete, no_gradient
from xai_widgets.engine.model import ModelView
from xai_widgets.engine.outputs import precise, reaches
from xai_widgets.engine.score import Score


def slopes_at(
    view: ModelView, score: Score, inputs: Sequence[np.ndarray], site: Sequence[np.ndarray], structure: Any
) -> list[np.ndarray]:
    """Gradients of the score at other outputs of the `wrt` layer.

    Args:
        inputs: (n, ...) each, for what does not pass through the layer.
        site: The outputs, (n, ...) for each call of the layer.
    """

    def run(*tensors: tf.Tensor) -> Any:
        *bound, classes = tensors
        values, replacements = bound[: len(inputs)], bound[len(inputs) :]
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(replacements)
            scores = _replaced(view, score, values, replacements, structure, classes)
        return complete(tape.gradient(scores, replacements), replacements, view, scores)

    key = ("slopes at", *score.key, repr(structure), len(site))
    function, _ = view.compiled(key, run, [*specs(inputs), *specs(site), CLASSES])
    slopes = function(*map(tf.constant, (*inputs, *site)), tf.constant(score.classes, tf.int32))
    return [one.numpy() for one in slopes]


def scores_at(
    view: ModelView, score: Score, inputs: Sequence[np.ndarray], site: Sequence[np.ndarray], structure: Any
) -> np.ndarray:
    """Scores (n,) at other outputs of the `wrt` layer; arguments as in `slopes_at`, a row of the score for each."""

    def run(*tensors: tf.Tensor) -> Any:
        *bound, classes = tensors
        return precise(_replaced(view, score, bound[: len(inputs)], bound[len(inputs) :], structure, classes))

    key = ("scores at", *score.key, repr(structure), len(site))
    function, _ = view.compiled(key, run, [*specs(inputs), *specs(site), CLASSES])
    size = view.chunk(inputs, forward=True)
    found = []
    for start in range(0, len(inputs[0]), size):
        rows = slice(start, start + size)
        tensors = (tf.constant(array[rows]) for array in (*inputs, *site))
        found.append(function(*tensors, tf.constant(score.classes[rows], tf.int32)).numpy())
    return np.concatenate(found)


class WithoutChannels:
    """Scores with channels of the `wrt` layer set to zero: a compiled function with what stays the same bound to it.

    Args:
        inputs: (n, ...) each, for what does not pass through the layer.
        site: The layer's outputs, (n, ..., channels) for each of its calls.
    """

    def __init__(
        self, view: ModelView, score: Score, inputs: Sequence[np.ndarray], site: Sequence[np.ndarray], structure: Any
    ) -> None:
        def run(*tensors: tf.Tensor) -> Any:
            *bound, classes = tensors
            values, rest = bound[: len(inputs)], bound[len(inputs) :]
            activations, factors = rest[: len(site)], rest[len(site) :]
            count = tf.shape(factors[0])[1]
            pairs = zip(activations, factors, strict=True)
            ablated = [_rows(one[:, None] * _spread(factor, one)) for one, factor in pairs]
            rows = [tf.repeat(one, count, axis=0) for one in values]
            scores = _replaced(view, score, rows, ablated, structure, classes)
            return tf.reshape(precise(scores), (-1, count))

        factors = [tf.TensorSpec([None, None, one.shape[-1]], one.dtype) for one in site]
        key = ("scores without", *score.key, repr(structure), len(site))
        self._function, _ = view.compiled(key, run, [*specs(inputs), *specs(site), *factors, CLASSES])
        self._bound = list(map(tf.constant, (*inputs, *site)))
        self._classes = tf.constant(score.classes, tf.int32)

    def __call__(self, kept: Sequence[np.ndarray]) -> np.ndarray:
        """Scores (n, c).

        Args:
            kept: (n, c, channels) for each call: 1 where a channel stays, 0 where it is taken out; of the site's type.
        """
        return np.asarray(self._function(*self._bound, *map(tf.constant, kept), self._classes).numpy())


def scores_masked(
    view: ModelView,
    score: Score,
    inputs: Sequence[np.ndarray],
    starts: Sequence[np.ndarray],
    channels: np.ndarray,
    masked: Sequence[int],
    structure: Any,
) -> np.ndarray:
    """Scores (n, c) of inputs that are seen through channels: start + mask * (input - start).

    The mask is the channel, brought to the size of the input (linearly, half-pixel centres, as `tf.image.resize` does
    it) and then to the range 0 to 1; zero everywhere where the channel is.

    Args:
        inputs, starts: (n, ...) each.
        channels: (n, c, ...), with as many axes of positions as the masked inputs. Interpolation would make a picture
            of the rounding of a constant one: see `is_flat`.
        masked: The places of the inputs that are masked; the others stay as they are.
    """
    axes = channels.ndim - 2

    def run(*tensors: tf.Tensor) -> Any:
        *bound, chosen, classes = tensors
        count = tf.shape(chosen)[1]
        rows = []
        for place, (end, start) in enumerate(zip(bound[: len(inputs)], bound[len(inputs) :], strict=True)):
            if place not in masked:
                rows.append(tf.repeat(end, count, axis=0))
                continue
            mask = _unit(_resized(chosen, end.shape[1 : 1 + axes]))
            if end.shape.rank == axes + 2:
                mask = mask[..., None]
            rows.append(_rows(start[:, None] + mask * (end - start)[:, None]))
        scores = view.score(score, rows, structure, classes)
        return tf.reshape(precise(scores), (-1, count))

    channels = channels.astype(inputs[0].dtype, copy=False)
    signature = [*specs(inputs), *specs(starts), tf.TensorSpec([None, None, *channels.shape[2:]], channels.dtype)]
    key = ("scores masked", *score.key, repr(structure), tuple(masked))
    function, _ = view.compiled(key, run, [*signature, CLASSES])
    return function(*map(tf.constant, (*inputs, *starts, channels)), tf.constant(score.classes, tf.int32)).numpy()


def is_flat(activations: np.ndarray) -> np.ndarray:
    """Whether each channel of (n, ..., channels) is the same at all positions, (n, channels), up to rounding."""
    axes = tuple(range(1, activations.ndim - 1))
    low, high = activations.min(axis=axes), activations.max(axis=axes)
    return high - low <= 4 * np.finfo(activations.dtype).eps * np.maximum(-low, high)


def interpolation(small: int, large: int) -> np.ndarray:
    """(large, small) matrix that brings `small` values to `large` ones linearly, with half-pixel centres."""
    places = np.clip((np.arange(large) + 0.5) * small / large - 0.5, 0, small - 1)
    return np.maximum(1 - np.abs(places[:, None] - np.arange(small)), 0)


def _replaced(
    view: ModelView,
    score: Score,
    inputs: Sequence[tf.Tensor],
    replacements: Sequence[tf.Tensor],
    structure: Any,
    classes: tf.Tensor,
) -> tf.Tensor:
    """The scores with the `wrt` layer's outputs replaced, while tracing."""
    remaining = iter(replacements)

    def see(output: Any) -> Any:
        return tf.nest.map_structure(lambda tensor: tf.cast(next(remaining), tensor.dtype), output)

    with view.tap(see):
        scores = view.score(score, inputs, structure, classes)
    if not reaches(replacements, [scores]):
        raise ValueError(no_gradient(view, reached=False))
    return scores


def _rows(tensor: tf.Tensor) -> tf.Tensor:
    """(n, c, ...) -> (n * c, ...)."""
    return tf.reshape(tensor, (-1, *tensor.shape[2:]))


def _spread(factor: tf.Tensor, activations: tf.Tensor) -> tf.Tensor:
    """(n, c, channels) -> (n, c, 1, ..., channels), to multiply (n, 1, ..., channels) with."""
    ones = [1] * (activations.shape.rank - 2)
    return tf.reshape(factor, (tf.shape(factor)[0], tf.shape(factor)[1], *ones, factor.shape[-1]))


def _resized(channels: tf.Tensor, sizes: Sequence[int]) -> tf.Tensor:
    """(n, c, ...) channels with positions of other sizes."""
    for size in sizes:
        # The first axis of positions is replaced and goes last; when all have, their order is the old one.
        matrix = tf.constant(interpolation(channels.shape[2], size), channels.dtype)
        channels = tf.tensordot(channels, matrix, axes=[[2], [1]])
    return channels


def _unit(masks: tf.Tensor) -> tf.Tensor:
    """(n, c, ...) masks, each brought to the range 0 to 1; zero where it is constant."""
    axes = list(range(2, masks.shape.rank))
    low, high = (reduce(masks, axes, keepdims=True) for reduce in (tf.reduce_min, tf.reduce_max))
    return tf.math.divide_no_nan(masks - low, high - low)
