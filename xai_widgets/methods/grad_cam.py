"""Grad-CAM."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from xai_widgets.methods.activation_map import GradientMap


@dataclass(frozen=True, eq=False, repr=False)
class GradCAM(GradientMap):
    """A layer's channels, weighted by the spatial mean of the score's gradient there (Selvaraju et al., 2017).

    The map has the resolution of the layer; of a layer that is called several times there is a map for each call.
    """

    label = "Grad-CAM"

    def map_of(self, activations: np.ndarray, gradients: np.ndarray) -> np.ndarray:
        from xai_widgets.engine.cam import grad_cam

        return grad_cam(activations, gradients)
