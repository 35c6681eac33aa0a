"""Gradients averaged on the way from a baseline to the input."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from xai_widgets.baselines import Baseline, Constant
from xai_widgets.declare import param
from xai_widgets.methods.base import Frame, Inputs, Method

if TYPE_CHECKING:
    from xai_widgets.engine.model import ModelView
    from xai_widgets.engine.score import Score


@dataclass(frozen=True, eq=False, repr=False)
class IntegratedGradients(Method):
    """(x - x') times the gradient, averaged on the straight path from a baseline x' (Sundararajan et al., 2017)."""

    steps: int = param(32, ge=1, soft_max=256, doc="Points on the path, one pass of the model each.")
    baseline: Baseline = param(Constant(0.0), doc="Where the path starts: what stands for absence.")
    rule: str = param(
        "midpoint",
        choices=("midpoint", "left", "right", "trapezoid", "gauss_legendre"),
        doc="Where the points lie and how they are weighted.",
    )

    def frames(self, view: ModelView, score: Score, inputs: Inputs) -> Iterator[Frame]:
        from xai_widgets.engine.gradients import layer_output
        from xai_widgets.engine.path import path_means

        structure = inputs.structure
        entered = view.enter(inputs.arrays, structure)
        reference = view.enter([self.baseline.reference(array) for array in inputs.arrays], structure)
        baseline_score = view.scores(score, reference, structure)
        start, end = reference, entered
        if view.wrt is not None:
            start, end = (layer_output(view, arrays, structure) for arrays in (reference, entered))
        notes = same_as_input(start, end)
        for state in path_means(
            view, score, start, end, entered, structure, self.rule, self.steps, view.chunk(entered)
        ):
            yield Frame(
                [(after - before) * mean for before, after, mean in zip(start, end, state.mean, strict=True)],
                progress=state.progress,
                passes=len(state.alphas),
                total=self.steps,
                change=state.change,
                baseline_score=baseline_score,
                path=(state.alphas, state.scores),
                notes=notes,
            )

    def claims(self, inputs: Inputs) -> bool:
        return True


def same_as_input(start: list[np.ndarray], end: list[np.ndarray]) -> tuple[str, ...]:
    """A note where a baseline is the input itself, so that nothing can be attributed."""
    if all(np.array_equal(before, after) for before, after in zip(start, end, strict=True)):
        return ("The baseline equals the input, so the map is zero everywhere.",)
    return ()
