"""Regions of a picture, ranked by their integrated gradients."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

import numpy as np

from xai_widgets.declare import param
from xai_widgets.layout import has_channels, positions
from xai_widgets.methods.base import Frame, Inputs, Method

if TYPE_CHECKING:
    from xai_widgets.engine.model import ModelView
    from xai_widgets.engine.score import Score


@dataclass(frozen=True, eq=False, repr=False)
class XRAI(Method):
    """Segments of a picture at several scales, ranked by the integrated gradients in them (Kapishnikov et al., 2019).

    Gradients are integrated from the picture's darkest and from its lightest value. Each position gets the mean
    attribution of the region with which it was taken, so the map still sums to the difference of the scores.
    """

    name = "xrai"
    label = "XRAI"

    steps: int = param(32, ge=1, soft_max=256, doc="Points on the path from each of the two baselines.")
    min_area: float = param(
        0.001, ge=0, soft_max=0.05, step=0.001, doc="The smallest part of the picture that counts as a region."
    )
    margin: float = param(
        0.02, ge=0, soft_max=0.1, step=0.01, doc="By how much segments grow, as a part of the picture's shorter side."
    )

    @property
    def reading(self) -> str:
        return "The map shows which regions speak for (+) and against (\u2212) {target}"

    @classmethod
    def fits(cls, shape: tuple[int, ...]) -> bool:
        return len(positions(shape)) in (1, 2)

    def check(self, view: ModelView, inputs: Inputs) -> None:
        super().check(view, inputs)
        if view.wrt is not None:
            raise ValueError("XRAI looks for regions of the input: it cannot be with respect to a layer (wrt=)")
        for array in inputs.arrays:
            if not self.fits(array.shape):
                raise ValueError(
                    f"XRAI needs pictures or series with a channel axis, got inputs of shape {array.shape}; "
                    "use IntegratedGradients"
                )

    def frames(self, view: ModelView, score: Score, inputs: Inputs) -> Iterator[Frame]:
        from xai_widgets.engine.path import Walk, path_means
        from xai_widgets.engine.regions import RankedRegions

        entered = view.enter(inputs.arrays, inputs.structure)
        references = [list(arrays) for arrays in zip(*map(_extremes, inputs.arrays), strict=True)]
        starts = [view.enter(arrays, inputs.structure) for arrays in references]
        pictures = [
            RankedRegions(_as_picture(sample), self.margin, self.min_area)
            for array in inputs.arrays
            for sample in array
        ]
        walk = Walk(view, score, entered, entered, inputs.structure)
        for state in path_means(walk, starts, "midpoint", self.steps, partial(view.calls, entered)):
            attribution = [one for values in state.values for one in _per_position(values)]
            behind = max(pictures, key=lambda picture: len(picture.waiting))
            if behind.waiting:
                behind.refine(attribution[pictures.index(behind)])
            frame = Frame(
                _shaped([picture.show(one) for picture, one in zip(pictures, attribution, strict=True)], inputs),
                progress=_PATH * state.progress,
                passes=state.passes,
                total=2 * self.steps,
                change=state.change,
                baseline=references[0],
                baseline_score=state.start_score,
            )
            yield frame
        for number, (picture, one) in enumerate(zip(pictures, attribution, strict=True), start=1):
            while picture.waiting:
                picture.refine(one)
                yield frame
            picture.rank(one)
            values = _shaped([each.show(its) for each, its in zip(pictures, attribution, strict=True)], inputs)
            yield replace(frame, values=values, progress=_PATH + (1 - _PATH) * number / len(pictures))

    def claims(self) -> bool:
        return True


_PATH = 0.8  # what the path is of all the work, about


def _extremes(inputs: np.ndarray) -> list[np.ndarray]:
    """Each sample's darkest and lightest value, everywhere."""
    axes = tuple(range(1, inputs.ndim))
    ends = inputs.min(axis=axes, keepdims=True), inputs.max(axis=axes, keepdims=True)
    return [np.broadcast_to(end, inputs.shape).copy() for end in ends]


def _as_picture(sample: np.ndarray) -> np.ndarray:
    """(H, W, C) of a picture with or without a channel axis; a series is a picture of one column."""
    if not has_channels((1, *sample.shape)):
        return sample[..., None]
    return sample[:, None] if sample.ndim == 2 else sample


def _per_position(values: np.ndarray) -> np.ndarray:
    """(n, H, W), or (n, T, 1) of series: the sum over channels."""
    summed = values.sum(axis=-1) if has_channels(values.shape) else values
    return summed[..., None] if summed.ndim == 2 else summed


def _shaped(maps: Sequence[np.ndarray], inputs: Inputs) -> list[np.ndarray]:
    """(n, H, W, 1) for each input, or (n, T, 1), from the maps of all samples of all inputs."""
    count = len(inputs)
    grouped = [np.stack(maps[first : first + count]) for first in range(0, len(maps), count)]
    return [one.reshape(count, *positions(array.shape), 1) for one, array in zip(grouped, inputs.arrays, strict=True)]
