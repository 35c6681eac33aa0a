"""The plain gradient."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from xai_widgets.declare import param
from xai_widgets.methods.base import Frame, GradientMethod, Inputs

if TYPE_CHECKING:
    from xai_widgets.engine.model import ModelView
    from xai_widgets.engine.score import Score


@dataclass(frozen=True, eq=False, repr=False)
class Saliency(GradientMethod):
    """The signed gradient of the score: where a small change of the input would move it (Simonyan et al., 2013)."""

    single: ClassVar[bool] = True

    normalize: str = param(
        "none",
        choices=("none", "sum", "l1", "l2"),
        doc="Divide each sample's gradient by its signed sum, its L1 norm or its L2 norm.",
    )

    @property
    def reading(self) -> str:
        if self.normalize == "sum":
            return "The map shows each value's share in the sum of the gradient of {target}: its signs are relative"
        return "The map shows where a small change would raise (+) or lower (\u2212) the score of {target}"

    @property
    def slopes(self) -> bool:
        return True

    @property
    def unitless(self) -> bool:
        return self.normalize != "none"

    @property
    def zero(self) -> str:
        return "the gradient adds up to zero" if self.normalize == "sum" else super().zero

    def frames(self, view: ModelView, score: Score, inputs: Inputs) -> Iterator[Frame]:
        from xai_widgets.engine.gradients import gradient

        found = gradient(view, score, view.enter(inputs.arrays, inputs.structure), inputs.structure)
        yield Frame(normalized(found.gradients, self.normalize), outputs=found.outputs, score=found.scores)


def normalized(gradients: list[np.ndarray], by: str) -> list[np.ndarray]:
    """Each sample's gradients over their sum, L1 or L2 norm; zeros where that is zero."""
    if by == "none":
        return gradients
    flat = np.concatenate([array.reshape(len(array), -1) for array in gradients], axis=1)
    size = {"sum": lambda: flat.sum(1), "l1": lambda: np.abs(flat).sum(1), "l2": lambda: np.linalg.norm(flat, axis=1)}[
        by
    ]()
    factor = np.divide(1, size, out=np.zeros_like(size), where=size != 0)
    return [array * factor.reshape(-1, *[1] * (array.ndim - 1)) for array in gradients]
