"""The input times the gradient."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from xai_widgets.methods.base import Frame, GradientMethod, Inputs

if TYPE_CHECKING:
    from xai_widgets.engine.model import ModelView
    from xai_widgets.engine.score import Score


@dataclass(frozen=True, eq=False, repr=False)
class GradientInput(GradientMethod):
    """The input times the gradient of the score: a first-order guess of what setting it to zero would take away.

    Shrikumar et al., 2016. On a ReLU network without biases it equals integrated gradients from zero.
    """

    single: ClassVar[bool] = True

    @property
    def unitless(self) -> bool:
        return False

    @property
    def zero(self) -> str:
        return f"the input is zero, or {super().zero}"

    def frames(self, view: ModelView, score: Score, inputs: Inputs) -> Iterator[Frame]:
        from xai_widgets.engine.gradients import gradient

        found = gradient(view, score, view.enter(inputs.arrays, inputs.structure), inputs.structure)
        values = [value * slope for value, slope in zip(found.site, found.gradients, strict=True)]
        yield Frame(values, outputs=found.outputs, score=found.scores)
