"""Guided Grad-CAM."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from xai_widgets.methods.activation_map import ActivationMap
from xai_widgets.methods.base import Frame, Inputs
from xai_widgets.methods.guided_backprop import told

if TYPE_CHECKING:
    from xai_widgets.engine.model import ModelView
    from xai_widgets.engine.score import Score


@dataclass(frozen=True, eq=False, repr=False)
class GuidedGradCAM(ActivationMap):
    """Guided backprop, kept where Grad-CAM is: sharp by the one, of the class by the other (Selvaraju et al., 2017).

    The values have the shape of the input: the guided gradient times the map of the layer, brought to the input's size
    linearly. What the layer reads nothing of is zero.
    """

    single: ClassVar[bool] = True
    through_embedding: ClassVar[bool] = True
    per_channel: ClassVar[bool] = True
    label = "Guided Grad-CAM"

    @property
    def reading(self) -> str:
        return "The map shows what the network passes on of the input, where the layer speaks for {target}"

    def frames(self, view: ModelView, score: Score, inputs: Inputs) -> Iterator[Frame]:
        from xai_widgets.engine.cam import grad_cam, look
        from xai_widgets.engine.gradients import gradient
        from xai_widgets.engine.relus import GUIDED

        entered, structure = view.enter(inputs.arrays, inputs.structure), inputs.structure
        layer, unclear = self.at_layer(view, score, inputs)
        found = gradient(layer, score, entered, structure)
        self.check_positions(layer, found.site)
        maps, notes = self.shown(
            [grad_cam(values, slopes) for values, slopes in zip(found.site, found.gradients, strict=True)]
        )
        guided = gradient(view, score, entered, structure, GUIDED)
        assert guided.reach is not None
        _, plain = told(guided.reach)
        reads = look(layer, score, entered, structure).reads if len(entered) > 1 else ((0,),) * len(maps)
        yield Frame(
            self._laid_over(maps, reads, guided.gradients, layer),
            passes=2,
            total=2,
            outputs=found.outputs,
            score=found.scores,
            facts=(f"It is guided by the map of layer {layer.wrt!r}, {' x '.join(map(str, maps[0].shape[1:]))}.",),
            notes=(*notes, *unclear, *plain),
        )

    def _laid_over(
        self,
        maps: Sequence[np.ndarray],
        reads: Sequence[Sequence[int]],
        slopes: Sequence[np.ndarray],
        layer: ModelView,
    ) -> list[np.ndarray]:
        """The guided gradient of each input times the maps of what reads it, for each call of the layer."""
        from xai_widgets.engine.cam import enlarged

        values = [np.zeros_like(one) for one in slopes]
        # A map lies over an input with as many axes of positions, and channels or (a grey picture) none.
        pairs = [(one, place) for one, places in zip(maps, reads, strict=True) for place in places]
        fitting = [(one, place) for one, place in pairs if slopes[place].ndim - one.ndim in (0, 1)]
        if not fitting:
            raise ValueError(
                f"GuidedGradCAM.layer {layer.wrt!r} reads no input with as many axes of positions as its map, "
                f"{maps[0].ndim - 1}: GradCAM works without"
            )
        for one, place in fitting:
            large = enlarged(one, slopes[place].shape[1 : one.ndim])
            values[place] += slopes[place] * (large if slopes[place].ndim == one.ndim else large[..., None])
        return values
