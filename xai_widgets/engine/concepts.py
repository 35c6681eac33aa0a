"""Directions of concepts in what a layer returns, and how a score changes along them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from xai_widgets.engine.gradients import gradient, layer_output
from xai_widgets.engine.model import ModelView
from xai_widgets.engine.score import Score


class Direction(NamedTuple):
    """A unit vector (features,) that points towards a concept, and the accuracy of its classifier on held-out data."""

    vector: np.ndarray
    accuracy: float


def activations(view: ModelView, inputs: Sequence[np.ndarray], structure: Any) -> np.ndarray:
    """What the `wrt` layer returns in all its calls, (n, features), for inputs as the compiled functions take them."""
    parts = [flat(layer_output(view, chunk, structure)) for _, chunk in _chunks(view, inputs, forward=True)]
    return np.concatenate(parts)


def direction(examples: np.ndarray, others: np.ndarray) -> Direction:
    """The direction from counterexamples to examples: the normal of a linear classifier (Kim et al., 2018).

    Args:
        examples, others: (2 k, features) each, in random order: the first halves train, the second ones test.
    """
    from sklearn.linear_model import RidgeClassifier

    half = len(examples) // 2
    # One scale for all features: the penalty then means the same for every layer, and the vector is not turned.
    scale = float(np.std([examples[:half], others[:half]])) or 1.0
    labels = np.repeat([1, 0], half)
    train, test = (np.concatenate([examples[part], others[part]]) / scale for part in (slice(half), slice(half, None)))
    classifier = RidgeClassifier().fit(train, labels)
    normal = np.ravel(classifier.coef_).astype(np.float64)
    length = np.linalg.norm(normal)
    vector = normal / length if length > 0 else np.zeros_like(normal)
    return Direction(vector.astype(examples.dtype), float(classifier.score(test, labels)))


def derivatives(
    view: ModelView, score: Score, inputs: Sequence[np.ndarray], structure: Any, directions: np.ndarray
) -> np.ndarray:
    """Derivatives (n, k) of the score along directions (k, features) in what the `wrt` layer returns."""
    parts = [
        flat(gradient(view, score.rows(rows), chunk, structure).gradients) @ directions.T
        for rows, chunk in _chunks(view, inputs, forward=False)
    ]
    return np.concatenate(parts)


def flat(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """(n, ...) each -> (n, features)."""
    return np.concatenate([array.reshape(len(array), -1) for array in arrays], axis=1)


def _chunks(view: ModelView, inputs: Sequence[np.ndarray], forward: bool) -> Iterator[tuple[slice, list[np.ndarray]]]:
    size = view.chunk(inputs, forward)
    for start in range(0, len(inputs[0]), size):
        rows = slice(start, start + size)
        yield rows, [array[rows] for array in inputs]
