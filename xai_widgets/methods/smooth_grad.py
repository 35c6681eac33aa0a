"""Gradients averaged over noisy copies of the input."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from xai_widgets.declare import param
from xai_widgets.methods.base import Frame, Inputs, Method, relative

if TYPE_CHECKING:
    from xai_widgets.engine.model import ModelView
    from xai_widgets.engine.score import Score


@dataclass(frozen=True, eq=False, repr=False)
class SmoothGrad(Method):
    """The mean of the signed gradients of noisy copies of the input (Smilkov et al., 2017).

    "square" is the mean of their squares (SmoothGrad-Squared, Hooker et al., 2019), "variance" their variance
    (VarGrad, Adebayo et al., 2018). Each draw of noise is used with both signs.
    """

    slopes: ClassVar[bool] = True

    samples: int = param(32, ge=2, soft_max=256, doc="Noisy copies, one pass of the model each (made even).")
    noise: float = param(
        0.15, gt=0, soft_max=1, step=0.01, doc="Standard deviation of the noise, as a fraction of the input's range."
    )
    reduce: str = param("mean", choices=("mean", "square", "variance"), doc="What is taken of the gradients.")
    seed: int = param(0, ge=0, kind="seed", doc="Another seed, another noise.")

    @property
    def reading(self) -> str:
        if self.reduce == "mean":
            return "The map shows where a small change of a noisy copy would raise (+) or lower (\u2212) {target}"
        return "The map shows how much the score of {target} reacts to small changes, without their sign"

    def frames(self, view: ModelView, score: Score, inputs: Inputs) -> Iterator[Frame]:
        from xai_widgets.engine.noise import noisy_sums

        structure = inputs.structure
        entered = view.enter(inputs.arrays, structure)
        scales = [
            np.asarray(self.noise * np.ptp(array, axis=tuple(range(1, array.ndim)), keepdims=True), array.dtype)
            for array in entered
        ]
        pairs = -(-self.samples // 2)
        firsts, seconds, clean = None, None, None
        for call in view.calls(entered, pairs, rows=2):
            noises = [
                _noise(array, range(call.start, call.stop), self.seed, place) for place, array in enumerate(entered)
            ]
            weights = np.ones(call.stop - call.start)
            if call.start == 0:  # the input itself goes along once, without weight, for its score
                noises = [np.append(noise, np.zeros_like(noise[:1]), axis=0) for noise in noises]
                weights = np.append(weights, 0)
            scores, first, second = noisy_sums(
                view, score, entered, scales, noises, weights, structure, square=self.reduce != "mean"
            )
            if call.start == 0:
                clean = scores[:, -1]
            firsts, seconds = _add(firsts, first), _add(seconds, second)
            done = call.stop
            values, error = self._reduced(firsts, seconds, done)
            yield Frame(
                values,
                progress=done / pairs,
                passes=2 * done,
                total=2 * pairs,
                error=error,
                score=clean,
                change=None if error is None else relative(error, values),
            )

    def _reduced(
        self, firsts: list[np.ndarray], seconds: list[np.ndarray], pairs: int
    ) -> tuple[list[np.ndarray], list[np.ndarray] | None]:
        means = [first / pairs for first in firsts]
        if self.reduce == "square":
            return means, None
        if self.reduce == "variance":
            return [
                np.maximum(mean - (second / pairs) ** 2, 0) for mean, second in zip(means, seconds, strict=True)
            ], None
        if pairs < 2:
            return means, None
        spread = [np.maximum(second / pairs - mean**2, 0) for mean, second in zip(means, seconds, strict=True)]
        return means, [np.sqrt(one / (pairs - 1)) for one in spread]


def _noise(array: np.ndarray, draws: range, seed: int, place: int) -> np.ndarray:
    """(k, ...) standard normal noise; a draw depends on its number alone, not on how draws are grouped.

    Philox counts: a draw is a place in its sequence, and nothing has to be seeded anew.
    """
    noise = np.empty((len(draws), *array.shape[1:]), np.float32)
    for row, draw in zip(noise, draws, strict=True):
        bits = np.random.Philox(key=[seed, place], counter=[0, 0, 0, draw])
        np.random.Generator(bits).standard_normal(dtype=np.float32, out=row)
    return noise.astype(array.dtype, copy=False)


def _add(total: list[np.ndarray] | None, part: list[np.ndarray]) -> list[np.ndarray]:
    part = [array.astype(np.float64) for array in part]
    return part if total is None else [one + other for one, other in zip(total, part, strict=True)]
