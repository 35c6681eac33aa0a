"""Score-CAM."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from xai_widgets.baselines import Baseline, Constant
from xai_widgets.declare import param
from xai_widgets.engine.checkpoint import checkpoint
from xai_widgets.methods.activation_map import ChannelMap, Trials
from xai_widgets.methods.base import Inputs
from xai_widgets.methods.site import Site

if TYPE_CHECKING:
    from xai_widgets.engine.cam import Look
    from xai_widgets.engine.model import ModelView
    from xai_widgets.engine.score import Score


@dataclass(frozen=True, eq=False, repr=False)
class ScoreCAM(ChannelMap):
    """A layer's channels, weighted by what the score gains when the input is seen through them (Wang et al., 2020).

    Each channel, brought to the size of the input and to the range 0 to 1, blends from the baseline to the input; the
    weights are one softmax over the channels of the score's increases. A constant channel shows nothing of the input.
    The layer that it finds by itself comes after an activation function, if there is one: a channel is a mask, and what
    is negative masks nothing.
    """

    label = "Score-CAM"
    unsigned: ClassVar[bool] = True
    active: ClassVar[bool] = True

    baseline: Baseline = param(Constant(0.0), doc="What is seen where a channel is not active.")

    def trials(self, view: ModelView, layer: ModelView, score: Score, inputs: Inputs, seen: Look) -> Trials:
        return _Masks(self.baseline, view, layer, score, inputs, seen)


class _Masks(Trials):
    """Inputs seen through channels."""

    def __init__(
        self, baseline: Baseline, view: ModelView, layer: ModelView, score: Score, inputs: Inputs, seen: Look
    ) -> None:
        from xai_widgets.engine.replaced import is_flat

        self._view, self._score, self._structure = view, score, inputs.structure
        self.sizes = self._entered = view.enter(inputs.arrays, inputs.structure)
        self._masked = [
            [place for place in read if _fits(self._entered[place], activations)]
            for read, activations in zip(seen.reads, seen.activations, strict=True)
        ]
        if not all(self._masked):
            raise ValueError(
                f"ScoreCAM masks the input, but layer {layer.wrt!r} reads no input with as many axes of positions "
                f"as the map, {seen.activations[0].ndim - 2}: GradCAM works without"
            )
        site = Site(view, baseline, inputs, self._entered)
        self._starts = [site.start(draw) for draw in range(baseline.count or 1)]
        self.passes = len(self._starts)
        self.baseline = site.shown
        self._absent: dict[int, np.ndarray] = {}
        self._flat = list(map(is_flat, seen.activations))
        self._channels = [
            np.moveaxis(one * ~flat.reshape(len(one), *[1] * (one.ndim - 2), -1), -1, 1)
            for one, flat in zip(seen.activations, self._flat, strict=True)
        ]

    def needless(self, call: int) -> np.ndarray:
        return self._flat[call]

    def priority(self, activations: np.ndarray) -> np.ndarray:
        from xai_widgets.engine.path import spread

        # Some channels from all over stand for all; the most active ones do not, as their softmax is not that of all.
        rank = np.argsort(spread(activations.shape[-1]))
        return np.broadcast_to(-rank, (len(activations), len(rank)))

    def scores(self, call: int, channels: np.ndarray) -> np.ndarray:
        chosen = self._channels[call][np.arange(len(channels))[:, None], channels]
        if call in self._absent:
            return self._seen_through(call, chosen)
        # What is seen through nothing goes along once: the baseline's score.
        scores = self._seen_through(call, np.append(chosen, np.zeros_like(chosen[:, :1]), axis=1))
        self._absent[call] = scores[:, -1]
        if len(self._channels) == 1:
            self.baseline_score = scores[:, -1].astype(self._entered[0].dtype)
        return scores[:, :-1]

    def absent(self, call: int) -> np.ndarray:
        return self._absent[call]

    def _seen_through(self, call: int, masks: np.ndarray) -> np.ndarray:
        """Scores (n, c), averaged over the baselines."""
        from xai_widgets.engine.replaced import scores_masked

        masked = self._masked[call]
        scores = []
        for start in self._starts:
            checkpoint()
            scores.append(scores_masked(self._view, self._score, self._entered, start, masks, masked, self._structure))
        return np.asarray(np.mean(scores, axis=0, dtype=np.float64))

    def weights(self, scores: np.ndarray) -> np.ndarray:
        # The increase over the baseline is the score less a constant, which a softmax does not see.
        tried = np.where(np.isnan(scores), -np.inf, scores)
        powers = np.exp(tried - tried.max(axis=1, keepdims=True))
        return np.asarray(powers / powers.sum(axis=1, keepdims=True))


def _fits(array: np.ndarray, activations: np.ndarray) -> bool:
    """Whether an input has the axes of positions of a layer, with channels or (a grey picture) without."""
    return array.ndim in (activations.ndim, activations.ndim - 1)
