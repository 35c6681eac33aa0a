"""Grad-CAM++."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from xai_widgets.methods.activation_map import GradientMap


@dataclass(frozen=True, eq=False, repr=False)
class GradCAMPlusPlus(GradientMap):
    """A layer's channels, weighted by sums of positive gradients, as equation 19 weights them.

    Chattopadhay et al., 2018: sum(alpha * relu(g)) with alpha = g^2 / (2 g^2 + sum(A) g^3), sums over positions. The
    equation is that of the exponential of the score, whose higher derivatives are powers of the gradient.
    """

    label = "Grad-CAM++"
    unsigned: ClassVar[bool] = True

    def map_of(self, activations: np.ndarray, gradients: np.ndarray) -> np.ndarray:
        from xai_widgets.engine.cam import grad_cam_plus_plus

        return grad_cam_plus_plus(activations, gradients)
