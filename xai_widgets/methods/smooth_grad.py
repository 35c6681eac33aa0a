"""Gradients averaged over noisy copies of the input."""

from __future__ import annotations

import functools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from xai_widgets.declare import param
from xai_widgets.methods.base import Frame, GradientMethod, Inputs, Method, averaged, of_tokens, relative
from xai_widgets.methods.saliency import Saliency

if TYPE_CHECKING:
    from xai_widgets.engine.model import ModelView
    from xai_widgets.engine.score import Score


@dataclass(frozen=True, eq=False, repr=False)
class SmoothGrad(Method):
    """The mean of the signed gradients of noisy copies of the input (Smilkov et al., 2017).

    "square" is the mean of their squares (SmoothGrad-Squared, Hooker et al., 2019), "variance" their variance
    (VarGrad, Adebayo et al., 2018). Each draw of noise is used with both signs. Instead of the gradient it can be the
    map of any other gradient method.
    """

    through_embedding: ClassVar[bool] = True
    label = "SmoothGrad"

    samples: int = param(32, ge=2, soft_max=256, doc="Noisy copies (made even), one map each.")
    noise: float = param(
        0.15, gt=0, soft_max=1, step=0.01, doc="Standard deviation of the noise, as a fraction of the input's range."
    )
    reduce: str = param("mean", choices=("mean", "square", "variance"), doc="What is taken of the maps.")
    seed: int = param(0, ge=0, kind="seed", doc="Another seed, another noise.")
    of: GradientMethod = param(Saliency(), kind="method", doc="The method whose maps are averaged.")

    @property
    def reading(self) -> str:
        if self.reduce != "mean":
            return "The map shows how much the score of {target} reacts to small changes, without their sign"
        if self.of == Saliency():
            return "The map shows where a small change of a noisy copy would raise (+) or lower (\u2212) {target}"
        return f"{self.of.reading}, on average over noisy copies"

    @property
    def slopes(self) -> bool:
        return self.of.slopes

    @property
    def unitless(self) -> bool:
        return self.of.unitless or self.reduce != "mean"

    @property
    def zero(self) -> str:
        return "the maps of all noisy copies are the same" if self.reduce == "variance" else self.of.zero

    def check(self, view: ModelView, inputs: Inputs) -> None:
        super().check(view, inputs)
        if self.of != Saliency() and of_tokens(view):
            raise ValueError(
                f"SmoothGrad of {type(self.of).__name__} puts noise on the inputs, and token ids have no neighbours; "
                "SmoothGrad of Saliency puts it on their embedding"
            )

    def frames(self, view: ModelView, score: Score, inputs: Inputs) -> Iterator[Frame]:
        if self.of == Saliency():
            yield from self._of_gradients(view, score, inputs)
        else:
            yield from self._of_maps(view, score, inputs)

    def _of_gradients(self, view: ModelView, score: Score, inputs: Inputs) -> Iterator[Frame]:
        """Of the plain gradient: noise and sums are part of the compiled function."""
        from xai_widgets.engine.gradients import layer_output
        from xai_widgets.engine.noise import noisy_sums

        structure = inputs.structure
        entered = view.enter(inputs.arrays, structure)
        # Token ids have no neighbours: the noise goes on their embedding.
        tokens = of_tokens(view)
        noised = layer_output(view, entered, structure) if tokens else entered
        scales = self._scales(noised)
        pairs = -(-self.samples // 2)
        firsts, seconds, clean, outputs = None, None, None, None
        for call in view.calls(entered, pairs, rows=2):
            noises = self._noises(noised, call)
            weights = np.ones(call.stop - call.start)
            if call.start == 0:  # the input itself goes along once, without weight, for its score
                noises = [np.append(noise, np.zeros_like(noise[:1]), axis=0) for noise in noises]
                weights = np.append(weights, 0)
            scores, first, second, last = noisy_sums(
                view,
                score,
                noised,
                scales,
                noises,
                weights,
                structure,
                square=self.reduce != "mean",
                besides=entered if tokens else (),
            )
            if call.start == 0:
                clean, outputs = scores[:, -1], last
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
                outputs=outputs,
                change=None if error is None else relative(error, values),
            )

    def _of_maps(self, view: ModelView, score: Score, inputs: Inputs) -> Iterator[Frame]:
        """Of any method: noisy copies are further samples to it.

        While the maps of later copies are at work the mean of those before them stands.
        """
        count, pairs = len(inputs), -(-self.samples // 2)
        scales = self._scales(inputs.arrays)
        # A method of one pass takes many copies at once; a longer one starts with two, which are soon a map.
        calls = view.calls(inputs.arrays, pairs, rows=2) if self.of.single else _one_by_one(pairs)
        sums: list[list[np.ndarray]] | None = None
        for call in calls:
            here = call.stop - call.start
            noises = self._noises(inputs.arrays, call)
            copies = [
                _copies(array, scale[:, None] * noise)
                for array, scale, noise in zip(inputs.arrays, scales, noises, strict=True)
            ]
            for inner in self.of.frames(view, score.repeated(2 * here), Inputs(tuple(copies), inputs.structure)):
                if inner.progress >= 1 or call.start == 0:
                    part = _sums(inner, count, here, square=self.reduce != "mean")
                    so_far = part if sums is None else [_add(total, one) for total, one in zip(sums, part, strict=True)]
                    frame = self._frame(inner, so_far, call.stop, count)
                if inner.progress >= 1:
                    sums = so_far
                yield replace(
                    frame,
                    progress=(call.start + here * inner.progress) / pairs,
                    passes=2 * (call.start * inner.total + here * inner.passes),
                    total=2 * pairs * inner.total,
                )

    def _frame(self, inner: Frame, sums: list[list[np.ndarray]], pairs: int, count: int) -> Frame:
        firsts, seconds, errors = sums
        values, error = self._reduced(firsts, seconds, pairs)
        if error is not None and errors:
            # The copies share the draws of a method that samples itself: its own error does not average out.
            error = [np.hypot(between, own / pairs) for between, own in zip(error, errors, strict=True)]
        shown = inner.baseline and [array.reshape(count, -1, *array.shape[1:])[:, 0] for array in inner.baseline]
        return Frame(
            values,
            of_layer=inner.of_layer,
            error=error,
            change=None if error is None else relative(error, values),
            baseline=shown,
            facts=inner.facts,
            notes=inner.notes,
        )

    def _scales(self, arrays: Sequence[np.ndarray]) -> list[np.ndarray]:
        """Standard deviation of the noise for each sample, shaped to broadcast."""
        return [
            np.asarray(self.noise * np.ptp(array, axis=tuple(range(1, array.ndim)), keepdims=True), array.dtype)
            for array in arrays
        ]

    def _noises(self, arrays: Sequence[np.ndarray], draws: slice) -> list[np.ndarray]:
        return [
            _noise(array.shape[1:], array.dtype, draws.start, draws.stop, self.seed, place)
            for place, array in enumerate(arrays)
        ]

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
        return averaged(firsts, seconds, pairs)


def _one_by_one(count: int) -> list[slice]:
    return [slice(place, place + 1) for place in range(count)]


def _copies(array: np.ndarray, away: np.ndarray) -> np.ndarray:
    """(n * 2 * k, ...): each sample with k noises added, then with the same taken away."""
    both = np.concatenate([away, -away], axis=1)
    return (array[:, None] + both).reshape(-1, *array.shape[1:])


def _sums(inner: Frame, count: int, pairs: int, square: bool) -> list[list[np.ndarray]]:
    """As `noisy_sums`, of the maps of noisy copies; and the sums of their own standard errors, where they have some."""
    firsts, seconds, errors = [], [], []
    for array in inner.values:
        maps = array.reshape(count, 2, pairs, *array.shape[1:]).astype(np.float64)
        means = maps.mean(axis=1)
        firsts.append(((maps**2).mean(axis=1) if square else means).sum(axis=1))
        seconds.append((means if square else means**2).sum(axis=1))
    for array in inner.error or ():
        errors.append(array.reshape(count, 2, pairs, *array.shape[1:]).mean(axis=1).sum(axis=1))
    return [firsts, seconds, errors]


@functools.lru_cache(maxsize=2)  # a slider runs the same draw again and again
def _noise(shape: tuple[int, ...], dtype: np.dtype[Any], start: int, stop: int, seed: int, place: int) -> np.ndarray:
    """(k, *shape) standard normal noise; a draw depends on its number alone, not on how draws are grouped.

    Philox counts: a block of draws is a place in its sequence, and nothing has to be seeded anew. Small inputs have
    many draws in a block, since a generator costs more than their numbers.
    """
    each = max(1, _BLOCK // max(math.prod(shape), 1))
    first, last = start // each, -(-stop // each)
    noise = np.empty(((last - first) * each, *shape), np.float32)
    for block in range(first, last):
        bits = np.random.Philox(key=[seed, place], counter=[0, 0, 0, block])
        here = slice((block - first) * each, (block - first + 1) * each)
        np.random.Generator(bits).standard_normal(dtype=np.float32, out=noise[here])
    noise = noise[start - first * each :][: stop - start].astype(dtype, copy=False)
    noise.setflags(write=False)  # it is shared
    return noise


_BLOCK = 8192


def _add(total: list[np.ndarray] | None, part: list[np.ndarray]) -> list[np.ndarray]:
    part = [array.astype(np.float64) for array in part]
    return part if total is None else [one + other for one, other in zip(total, part, strict=True)]
