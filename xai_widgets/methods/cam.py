"""The original class activation map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from xai_widgets.methods.activation_map import GradientMap
from xai_widgets.methods.base import Inputs

if TYPE_CHECKING:
    from xai_widgets.engine.gradients import Gradient
    from xai_widgets.engine.model import ModelView
    from xai_widgets.engine.score import Score


@dataclass(frozen=True, eq=False, repr=False)
class CAM(GradientMap):
    """A layer's channels, weighted by the head's weights for the class (Zhou et al., 2016).

    It is exact, and only defined, where the layer is averaged over its positions and then enters one Dense, or the
    logits themselves: the mean of the map and the bias add up to the score. Elsewhere it is refused.
    """

    label = "CAM"

    def map_of(self, activations: np.ndarray, gradients: np.ndarray) -> np.ndarray:
        from xai_widgets.engine.cam import cam

        return cam(activations, gradients)

    def check_layer(self, view: ModelView, score: Score, found: Gradient, inputs: Inputs) -> None:
        from xai_widgets.engine.cam import is_pooled

        if not is_pooled(view, score, found, view.enter(inputs.arrays, inputs.structure), inputs.structure):
            raise ValueError(
                f"CAM needs a layer that is averaged over all positions and then enters one Dense or the logits; from "
                f"layer {view.wrt!r} the {score.reader.name} is computed in another way. GradCAM works with any layer"
            )
