"""Contributions by multipliers: how much of the difference from a reference each value of the site makes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from xai_widgets.engine.compiled import specs
from xai_widgets.engine.gradients import CLASSES, differentiate
from xai_widgets.engine.model import ModelView
from xai_widgets.engine.outputs import Head, Outputs, TracedOutput, gathered, given_at
from xai_widgets.engine.rescale import RescaleRules
from xai_widgets.engine.rules import Overriding, Reach
from xai_widgets.engine.score import ClassReader, Score


class Contributions(NamedTuple):
    """What some references gave.

    Attributes:
        sums: (n, ...) for each array of the site: (x - x') times the multipliers, summed over the references.
        scores, reference_scores: (n,) at the site, and (n, k) at its references.
        outputs: What the model gives at the site.
        reach: Where the multipliers held.
    """

    sums: list[np.ndarray]
    scores: np.ndarray
    reference_scores: np.ndarray
    outputs: Outputs
    reach: Reach


def contributions(
    view: ModelView,
    score: Score,
    site: Sequence[np.ndarray],
    references: Sequence[np.ndarray],
    inputs: Sequence[np.ndarray],
    structure: Any,
) -> Contributions:
    """Contributions to the difference of the scores, by one pass of inputs followed by references.

    Args:
        view, score, structure: As in `gradient`.
        site: (n, ...) each: inputs, or what the calls of the `wrt` layer return.
        references: (n, k, ...) for each of them.
        inputs: (n, ...) each: what the model gets where a layer's output is replaced; not read without `wrt`.
    """
    besides = [] if view.wrt is None else list(inputs)
    traced: list[Outputs] = []
    multipliers = Overriding(RescaleRules(), ("", *view.layers))

    def run(*tensors: tf.Tensor) -> Any:
        *bound, classes = tensors
        around, ends, starts = bound[: len(besides)], bound[len(besides) : -len(site)], bound[-len(site) :]
        count = tf.shape(starts[0])[1]

        def twice(tensor: tf.Tensor) -> tf.Tensor:
            rows = tf.repeat(tensor, count, axis=0)
            return tf.concat([rows, rows], axis=0)

        pairs = [
            tf.concat([tf.repeat(end, count, axis=0), tf.reshape(start, (-1, *end.shape[1:]))], axis=0)
            for end, start in zip(ends, starts, strict=True)
        ]
        values = [twice(tensor) for tensor in around] or pairs
        slopes, _, scores, outputs = differentiate(
            view, _paired(score), values, structure, twice(classes), pairs, multipliers
        )
        traced.append(outputs)
        rows = tf.shape(classes)[0] * count
        sums = []
        for slope, pair in zip(slopes, pairs, strict=True):
            parts = slope[:rows] * (pair[:rows] - pair[rows:])
            sums.append(tf.reduce_sum(tf.reshape(parts, (-1, count, *pair.shape[1:])), axis=1))
        first = tf.range(tf.shape(classes)[0]) * count
        return sums, tf.gather(scores, first), tf.reshape(scores[rows:], (-1, count)), given_at(outputs, first)

    def fact() -> tuple[Any, tuple[Head, ...], Reach]:
        return traced[-1].structure, traced[-1].heads, multipliers.reach

    key = ("contributions", *score.key, repr(structure), len(site))
    start_specs = [tf.TensorSpec([None, None, *array.shape[1:]], array.dtype) for array in site]
    signature = [*specs(besides), *specs(site), *start_specs, CLASSES]
    function, (template, heads, reach) = view.compiled(key, run, signature, fact)
    fixed = map(tf.constant, (*besides, *site, *references))
    sums, scores, reference_scores, columns = function(*fixed, tf.constant(score.classes, tf.int32))
    outputs = gathered(columns, template, heads)
    return Contributions([one.numpy() for one in sums], scores.numpy(), reference_scores.numpy(), outputs, reach)


@dataclass(frozen=True)
class _PairReader(ClassReader):
    """Reads of each reference the class that is read of its input, also where that is the predicted one."""

    def chosen(self, outputs: Sequence[TracedOutput], classes: tf.Tensor) -> tf.Tensor:
        chosen = super().chosen(outputs, classes)
        first = chosen[: tf.shape(chosen)[0] // 2]
        return tf.concat([first, first], axis=0)


def _paired(score: Score) -> Score:
    return replace(score, reader=_PairReader(**vars(score.reader))) if isinstance(score.reader, ClassReader) else score
