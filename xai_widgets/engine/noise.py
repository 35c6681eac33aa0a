"""Gradients averaged over noisy copies of the inputs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from xai_widgets.engine.compiled import specs
from xai_widgets.engine.gradients import CLASSES, differentiate
from xai_widgets.engine.model import ModelView
from xai_widgets.engine.outputs import Outputs, gathered, given_at
from xai_widgets.engine.score import Score


def noisy_sums(
    view: ModelView,
    score: Score,
    inputs: Sequence[np.ndarray],
    scales: Sequence[np.ndarray],
    noises: Sequence[np.ndarray],
    weights: np.ndarray,
    structure: Any,
    square: bool,
    besides: Sequence[np.ndarray] = (),
) -> tuple[np.ndarray, list[np.ndarray], list[np.ndarray], Outputs]:
    """Sums over draws of a statistic of the gradients at input + scale * noise and input - scale * noise.

    Each draw is used with both signs, which halves the draws and lowers the variance. The statistic of a pair is the
    mean of its two gradients, or of their squares.

    Args:
        view, score, structure: As in `gradient`.
        inputs: What the noise goes on, (n, ...) each.
        scales: Standard deviation of the noise for each sample, shaped to broadcast, for each input.
        noises: (k, ...) standard normal draws for each input, the same for all samples.
        weights: (k,) of the draws in the sums.
        square: Whether gradients are squared.
        besides: What the model gets, (n, ...) each, where `inputs` stand in for the output of the `wrt` layer.

    Returns:
        Scores (n, k) at input + scale * noise. For each array of the site, (n, ...): the weighted sum of the statistic;
        and that of its square where gradients are not squared, else of the mean gradient. And what the model gives at
        input + scale * noise of the last draw.
    """
    width = len(inputs)
    traced: list[Outputs] = []

    def run(*tensors: tf.Tensor) -> Any:
        *bound, weight, classes = tensors
        values, spans, draws = bound[:width], bound[width : 2 * width], bound[2 * width : 3 * width]
        whole = bound[3 * width :]
        count = tf.shape(draws[0])[0]
        points = []
        for value, span, draw in zip(values, spans, draws, strict=True):
            away = span[:, None] * draw[None]
            both = tf.concat([value[:, None] + away, value[:, None] - away], axis=1)
            points.append(tf.reshape(both, (-1, *value.shape[1:])))
        rows = [tf.repeat(tensor, 2 * count, axis=0) for tensor in (*whole, classes)]
        given, places = (rows[:-1], points) if besides else (points, None)
        gradients, _, scores, outputs = differentiate(view, score, given, structure, rows[-1], places)
        traced.append(outputs)
        first, second = [], []
        for one in gradients:
            pairs = tf.reshape(one, (-1, 2, count, *one.shape[1:]))
            means = tf.reduce_mean(pairs, axis=1)
            statistic = tf.reduce_mean(pairs**2, axis=1) if square else means
            first.append(tf.einsum("nk...,k->n...", statistic, weight))
            second.append(tf.einsum("nk...,k->n...", means if square else means**2, weight))
        last = (2 * tf.range(tf.shape(classes)[0]) + 1) * count - 1
        return tf.reshape(scores, (-1, 2, count))[:, 0], first, second, given_at(outputs, last)

    key = ("noisy", *score.key, repr(structure), square, len(besides))
    weights = weights.astype(inputs[0].dtype)
    signature = [*specs(inputs), *specs(scales), *specs(noises), *specs(besides), *specs([weights]), CLASSES]
    function, facts = view.compiled(key, run, signature, lambda: (traced[-1].structure, traced[-1].heads))
    fixed = map(tf.constant, (*inputs, *scales, *noises, *besides, weights))
    scores, first, second, columns = function(*fixed, tf.constant(score.classes, tf.int32))
    sums = [[one.numpy() for one in part] for part in (first, second)]
    return scores.numpy(), *sums, gathered(columns, *facts)
