"""Ablation-CAM."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from xai_widgets.methods.activation_map import ChannelMap, Trials, size
from xai_widgets.methods.base import Inputs

if TYPE_CHECKING:
    from xai_widgets.engine.cam import Look
    from xai_widgets.engine.model import ModelView
    from xai_widgets.engine.score import Score


@dataclass(frozen=True, eq=False, repr=False)
class AblationCAM(ChannelMap):
    """A layer's channels, weighted by what the score loses when they are set to zero (Ramaswamy and Desai, 2020).

    The weight is (y - y_k) / |y|: over the size of the score, so that a channel which speaks for the class has a
    positive weight where the score is negative too. Only what follows the layer is run for each channel.
    """

    label = "Ablation-CAM"

    def trials(self, view: ModelView, layer: ModelView, score: Score, inputs: Inputs, seen: Look) -> Trials:
        return _Ablations(layer, score, inputs, seen)


class _Ablations(Trials):
    """The layer without channels."""

    def __init__(self, layer: ModelView, score: Score, inputs: Inputs, seen: Look) -> None:
        from xai_widgets.engine.replaced import WithoutChannels

        entered = layer.enter(inputs.arrays, inputs.structure)
        self._without = WithoutChannels(layer, score, entered, seen.activations, inputs.structure)
        self._whole = seen.scores.astype(np.float64)
        self.sizes = seen.activations

    def needless(self, call: int) -> np.ndarray:
        activations = self.sizes[call]
        # Much of what a ReLU passes on is zero in whole channels: taking nothing away changes nothing.
        return np.logical_not(activations.any(axis=tuple(range(1, activations.ndim - 1))))

    def priority(self, activations: np.ndarray) -> np.ndarray:
        return size(activations)

    def scores(self, call: int, channels: np.ndarray) -> np.ndarray:
        kept = [np.ones((*channels.shape, one.shape[-1]), one.dtype) for one in self.sizes]
        np.put_along_axis(kept[call], channels[..., None], 0, axis=2)
        return self._without(kept)

    def absent(self, call: int) -> np.ndarray:
        return self._whole

    def weights(self, scores: np.ndarray) -> np.ndarray:
        whole = self._whole[:, None]
        size = np.abs(whole)
        return np.nan_to_num((whole - scores) / np.where(size > 0, size, 1))
