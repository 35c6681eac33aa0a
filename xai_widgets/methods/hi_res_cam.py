"""HiResCAM."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xai_widgets.methods.activation_map import GradientMap


@dataclass(frozen=True, eq=False, repr=False)
class HiResCAM(GradientMap):
    """Each activation of a layer, weighted by its own gradient, summed over channels (Draelos and Carin, 2020).

    Where a linear head follows the layer, the map and the biases add up to the score.
    """

    label = "HiResCAM"

    def map_of(self, activations: np.ndarray, gradients: np.ndarray) -> np.ndarray:
        from xai_widgets.engine.cam import hi_res_cam

        return hi_res_cam(activations, gradients)
