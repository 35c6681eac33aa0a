"""Gradients averaged on the way from a baseline to the input."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from xai_widgets.baselines import Baseline, Constant
from xai_widgets.declare import param
from xai_widgets.methods.base import Frame, GradientMethod, Inputs
from xai_widgets.methods.site import Site

if TYPE_CHECKING:
    from xai_widgets.engine.model import ModelView
    from xai_widgets.engine.score import Score


@dataclass(frozen=True, eq=False, repr=False)
class IntegratedGradients(GradientMethod):
    """(x - x') times the gradient, averaged on the straight path from a baseline x' (Sundararajan et al., 2017)."""

    steps: int = param(32, ge=1, soft_max=256, doc="Points on the path, one pass of the model each.")
    baseline: Baseline = param(Constant(0.0), doc="Where the path starts: what stands for absence.")
    rule: str = param(
        "midpoint",
        choices=("midpoint", "left", "right", "trapezoid", "gauss_legendre"),
        doc="Where the points lie and how they are weighted.",
    )

    def frames(self, view: ModelView, score: Score, inputs: Inputs) -> Iterator[Frame]:
        from xai_widgets.engine.path import Walk, path_means

        structure = inputs.structure
        entered = view.enter(inputs.arrays, structure)
        site = Site(view, self.baseline, inputs, entered)
        starts = [site.start(draw) for draw in range(self.baseline.count or 1)]
        walk = Walk(view, score, site.end, entered, structure)
        calls = partial(view.calls, entered)
        states = path_means(walk, starts, self.rule, self.steps, calls, end_too=not score.asked)
        for state in states:
            yield Frame(
                state.values,
                progress=state.progress,
                passes=state.passes,
                total=round(state.passes / state.progress),
                change=state.change,
                baseline=site.shown,
                baseline_score=state.start_score,
                score=state.end_score,
                outputs=state.end_outputs,
                path=(state.alphas, state.scores),
            )

    def claims(self) -> bool:
        return True
