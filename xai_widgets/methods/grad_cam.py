"""Grad-CAM."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from xai_widgets.declare import param
from xai_widgets.layout import positions
from xai_widgets.methods.base import Frame, Inputs, Method

if TYPE_CHECKING:
    from xai_widgets.engine.model import ModelView
    from xai_widgets.engine.score import Score


@dataclass(frozen=True, eq=False, repr=False)
class GradCAM(Method):
    """A layer's channels, weighted by the spatial mean of the score's gradient there (Selvaraju et al., 2017).

    The map has the resolution of the layer; of a layer that is called several times there is a map for each call.
    """

    name = "grad_cam"
    label = "Grad-CAM"
    per_channel: ClassVar[bool] = False
    single: ClassVar[bool] = True

    layer: str | None = param(
        None, kind="layer", doc="The layer; by default the last one that still has more than one position."
    )
    relu: bool = param(True, doc="Keep only what speaks for the class.")

    @classmethod
    def fits(cls, shape: tuple[int, ...]) -> bool:
        return bool(positions(shape))

    @property
    def reading(self) -> str:
        return "The map shows which places of the layer speak for {target}"

    def frames(self, view: ModelView, score: Score, inputs: Inputs) -> Iterator[Frame]:
        from xai_widgets.engine.cam import grad_cam, spatial_layers
        from xai_widgets.engine.gradients import gradient

        if view.wrt is not None:
            raise ValueError("GradCAM looks at the layer in its parameter: give layer=, not wrt=")
        entered = view.enter(inputs.arrays, inputs.structure)
        if self.layer is None:
            layers = spatial_layers(view, entered, inputs.structure)
            if not layers:
                raise ValueError(f"the model {view.name!r} has no layer with more than one position: GradCAM needs one")
            layer = layers[-1]
        else:
            layer = view.path_of(self.layer, "GradCAM.layer")
        found = gradient(view.at(layer), score, entered, inputs.structure)
        if any(array.ndim < 3 for array in found.site):
            raise ValueError(f"GradCAM.layer {layer!r} has no positions: its output has shape {found.site[0].shape}")
        maps = [grad_cam(values, slopes) for values, slopes in zip(found.site, found.gradients, strict=True)]
        kept = [np.maximum(one, 0) for one in maps] if self.relu else maps
        notes = [f"The map is that of layer {layer!r}, {' x '.join(map(str, kept[0].shape[1:]))}."]
        if not any(one.any() for one in kept):
            notes.append("The map is zero everywhere: no channel speaks for the class on balance; try relu=False.")
        yield Frame(kept, of_layer=True, outputs=found.outputs, score=found.scores, notes=tuple(notes))
