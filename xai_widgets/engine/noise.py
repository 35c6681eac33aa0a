"""Gradients averaged over noisy copies of the inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from xai_widgets.engine.gradients import CLASSES, differentiate
from xai_widgets.engine.model import ModelView, specs
from xai_widgets.engine.score import Score

REDUCTIONS = ("mean", "square", "variance")


def noisy_sums(
    view: ModelView,
    score: Score,
    inputs: Sequence[np.ndarray],
    scales: Sequence[np.ndarray],
    noises: Sequence[np.ndarray],
    structure: Any,
    square: bool,
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Sums over draws of a statistic of the gradients at input + scale * noise and input - scale * noise.

    Each draw is used with both signs, which halves the draws and lowers the variance. The statistic of a pair is the
    mean of its two gradients, or of their squares.

    Args:
        view, score, structure: As in `gradient`.
        inputs: (n, ...) each.
        scales: Standard deviation of the noise for each sample, shaped to broadcast, for each input.
        noises: (k, ...) standard normal draws for each input, the same for all samples.
        square: Whether gradients are squared.

    Returns:
        For each array of the site, (n, ...): the sum of the statistic; and the sum of its square where gradients are
        not squared, else of the mean gradient.
    """
    width = len(inputs)

    def run(*tensors: tf.Tensor) -> Any:
        *bound, classes = tensors
        values, spans, draws = bound[:width], bound[width : 2 * width], bound[2 * width :]
        count = tf.shape(draws[0])[0]
        points = []
        for value, span, draw in zip(values, spans, draws, strict=True):
            away = span[:, None] * draw[None]
            both = tf.concat([value[:, None] + away, value[:, None] - away], axis=1)
            points.append(tf.reshape(both, (-1, *value.shape[1:])))
        gradients, _, _, _ = differentiate(view, score, points, structure, tf.repeat(classes, 2 * count, axis=0))
        first, second = [], []
        for one in gradients:
            pairs = tf.reshape(one, (-1, 2, count, *one.shape[1:]))
            means = tf.reduce_mean(pairs, axis=1)
            statistic = tf.reduce_mean(pairs**2, axis=1) if square else means
            first.append(tf.reduce_sum(statistic, axis=1))
            second.append(tf.reduce_sum(means if square else means**2, axis=1))
        return first, second

    key = ("noisy", *score.key, repr(structure), square)
    signature = [*specs(inputs), *specs(scales), *specs(noises), CLASSES]
    function, _ = view.compiled(key, run, signature)
    first, second = function(*map(tf.constant, (*inputs, *scales, *noises)), tf.constant(score.classes, tf.int32))
    return [one.numpy() for one in first], [one.numpy() for one in second]
