"""XGrad-CAM."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from xai_widgets.methods.activation_map import GradientMap


@dataclass(frozen=True, eq=False, repr=False)
class XGradCAM(GradientMap):
    """A layer's channels, weighted by the mean of their gradients, taken where the channel is active (Fu et al., 2020).

    The weight is sum(A g) / sum(A): the map adds up to what activation times gradient adds up to. It is made for
    activations without a sign, after a ReLU; zero where a channel sums to zero.
    """

    label = "XGrad-CAM"
    unsigned: ClassVar[bool] = True

    def map_of(self, activations: np.ndarray, gradients: np.ndarray) -> np.ndarray:
        from xai_widgets.engine.cam import x_grad_cam

        return x_grad_cam(activations, gradients)
