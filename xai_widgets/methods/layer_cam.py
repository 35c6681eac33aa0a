"""LayerCAM."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from xai_widgets.methods.activation_map import GradientMap


@dataclass(frozen=True, eq=False, repr=False)
class LayerCAM(GradientMap):
    """Each activation of a layer, weighted by its own positive gradient, summed over channels (Jiang et al., 2021).

    It stays sharp in early layers, where the mean gradient of Grad-CAM says little.
    """

    label = "LayerCAM"
    unsigned: ClassVar[bool] = True

    def map_of(self, activations: np.ndarray, gradients: np.ndarray) -> np.ndarray:
        from xai_widgets.engine.cam import layer_cam

        return layer_cam(activations, gradients)
