"""Eigen-CAM."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from xai_widgets.methods.activation_map import ActivationMap
from xai_widgets.methods.base import Frame, Inputs

if TYPE_CHECKING:
    from xai_widgets.engine.model import ModelView
    from xai_widgets.engine.score import Score


@dataclass(frozen=True, eq=False, repr=False)
class EigenCAM(ActivationMap):
    """A layer's strongest pattern, whatever the class: its first principal component (Muhammad and Yeasin, 2020).

    The activations, (positions, channels) and not centred, are projected on their first right-singular vector, with
    the sign that goes along with the mean activation.
    """

    label = "Eigen-CAM"
    single: ClassVar[bool] = True
    class_free: ClassVar[bool] = True

    @property
    def reading(self) -> str:
        return "The map shows where the layer's strongest pattern is, whatever the class"

    def map_of(self, activations: np.ndarray, gradients: np.ndarray) -> np.ndarray:
        """As `GradientMap.map_of`: the gradients are not looked at."""
        from xai_widgets.engine.cam import eigen_cam

        return eigen_cam(activations)

    def frames(self, view: ModelView, score: Score, inputs: Inputs) -> Iterator[Frame]:
        from xai_widgets.engine.cam import look

        view, unclear = self.at_layer(view, score, inputs)
        seen = look(view, score, view.enter(inputs.arrays, inputs.structure), inputs.structure)
        self.check_positions(view, seen.activations)
        kept, notes = self.shown([self.map_of(one, one) for one in seen.activations])
        notes = (*notes, *unclear, "Eigen-CAM does not look at the class: the map is the same for every target.")
        facts = (self.fact(view, seen.activations),)
        yield Frame(kept, of_layer=True, outputs=seen.outputs, score=seen.scores, facts=facts, notes=notes)
