"""Gradients integrated along ever weaker blurs of the input."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from xai_widgets.declare import param
from xai_widgets.layout import positions
from xai_widgets.methods.base import Frame, GradientMethod, Inputs

if TYPE_CHECKING:
    from xai_widgets.engine.model import ModelView
    from xai_widgets.engine.score import Score


@dataclass(frozen=True, eq=False, repr=False)
class BlurIG(GradientMethod):
    """The gradient integrated along the path from the blurred input to the sharp one (Xu et al., 2020).

    Nothing foreign is put in on the way, no black and no noise: the map shows the scale at which the score finds what
    it looks for. It sums to the score minus the score of the blurred input.
    """

    through_embedding: ClassVar[bool] = False
    name = "blur_ig"
    label = "Blur IG"

    steps: int = param(32, ge=1, soft_max=256, doc="Points on the path, one pass of the model each.")
    sigma: float = param(
        20.0, gt=0, soft_max=50, step=0.5, unit="px", doc="Standard deviation of the blur where the path starts."
    )
    schedule: str = param(
        "square",
        choices=("square", "linear", "sqrt"),
        doc="How the blur falls along the path: fast and then in ever smaller steps (square), evenly, or the reverse.",
    )

    @classmethod
    def fits(cls, shape: tuple[int, ...]) -> bool:
        return bool(positions(shape))

    def check(self, view: ModelView, inputs: Inputs) -> None:
        super().check(view, inputs)
        for array in inputs.arrays:
            if not self.fits(array.shape):
                raise ValueError(
                    f"BlurIG needs pictures, volumes or series with a channel axis, got inputs of shape {array.shape}; "
                    "for tables use IntegratedGradients"
                )

    def frames(self, view: ModelView, score: Score, inputs: Inputs) -> Iterator[Frame]:
        from xai_widgets.engine.blur import BlurWalk
        from xai_widgets.engine.path import path_means

        walk = BlurWalk(view, score, inputs.arrays, inputs.structure, self.sigma, self.steps, self.schedule)
        calls, blurry = partial(view.calls, inputs.arrays), walk.picture(0)
        for state in path_means(walk, [walk.at(0)], "midpoint", self.steps, calls):
            yield Frame(
                state.values,
                progress=state.progress,
                passes=state.passes,
                total=self.steps,
                change=state.change,
                baseline=blurry,
                baseline_score=state.start_score,
                path=(state.alphas, state.scores),
            )

    def claims(self) -> bool:
        return True
