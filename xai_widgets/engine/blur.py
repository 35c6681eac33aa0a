"""A path from a blurred picture to the picture itself, along ever weaker Gaussian blurs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from xai_widgets.engine.gradients import gradient_at, layer_output
from xai_widgets.engine.model import ModelView
from xai_widgets.engine.path import Walked
from xai_widgets.engine.score import Score
from xai_widgets.gaussian import blurred

# Sigma falls as this power of what is left of the way. The integral is the same by all of them; but most of a picture
# is lost to the first pixel of blur, and a path that takes that in one step has to guess. 64 steps are off by 1.0 of
# the map's L1 norm by "sqrt", which lets the variance fall evenly, by 0.19 by "linear" and by 0.10 by "square" (an
# ImageNet network at 224 x 224, sigma 20).
SCHEDULES = {"square": 2.0, "linear": 1.0, "sqrt": 0.5}


class BlurWalk:
    """Evaluates points on the way from the blurred inputs, at 0, to the inputs, at 1.

    The way is walked in as many short straight lines as there are steps, from one blur to a weaker one: their ends
    meet, so nothing of the difference between start and end is lost, however few there are.

    Args:
        view, score, structure: As in `Walk`; with a `wrt` layer the lines are between its outputs.
        inputs: Raw inputs (n, ...).
        sigma: Standard deviation of the blur at 0, in pixels.
        steps: How many lines there are.
        schedule: One of `SCHEDULES`: how the standard deviation of the blur falls along the path.
    """

    def __init__(
        self,
        view: ModelView,
        score: Score,
        inputs: Sequence[np.ndarray],
        structure: Any,
        sigma: float,
        steps: int,
        schedule: str,
    ) -> None:
        self._view, self._score, self._structure = view, score, structure
        self._inputs, self._sigma, self._steps = inputs, sigma, steps
        self._power = SCHEDULES[schedule]
        self._besides = view.enter(inputs, structure)
        self.end: Sequence[np.ndarray] = self.at(1)

    def picture(self, alpha: float) -> list[np.ndarray]:
        """The raw inputs at a place of the path."""
        return [blurred(array, self._sigma * (1 - alpha) ** self._power) for array in self._inputs]

    def at(self, alpha: float) -> list[np.ndarray]:
        """What the site is at a place of the path."""
        entered = self._view.enter(self.picture(alpha), self._structure)
        return entered if self._view.wrt is None else layer_output(self._view, entered, self._structure)

    def __call__(self, starts: Sequence[np.ndarray], alphas: np.ndarray, weights: np.ndarray) -> Walked:
        """Scores (n, k) in the middle of the lines around some places, and their weighted sums. See `Walk`.

        At both ends of the path the line has no length, and the score is that of the end.
        """
        half = np.minimum(0.5 / self._steps, np.minimum(alphas, 1 - alphas))
        before, after = (
            [np.stack(arrays, axis=1) for arrays in zip(*map(self.at, places), strict=True)]
            for places in (alphas - half, alphas + half)
        )
        count = len(alphas)
        places = [_rows((first + second) / 2) for first, second in zip(before, after, strict=True)]
        besides = [np.repeat(array, count, axis=0) for array in self._besides] if self._view.wrt is not None else []
        gradients, scores = gradient_at(self._view, self._score.repeated(count), places, besides, self._structure)
        sums = [
            np.moveaxis(
                np.tensordot((second - first) * slope.reshape(first.shape), self._steps * weights, (1, 0)), -1, 1
            )
            for first, second, slope in zip(before, after, gradients, strict=True)
        ]
        return Walked(scores.reshape(-1, count), sums)


def _rows(array: np.ndarray) -> np.ndarray:
    return array.reshape(-1, *array.shape[2:])
