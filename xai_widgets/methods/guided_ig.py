"""Gradients integrated along a path that avoids what the score is sensitive to for as long as it can."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from xai_widgets.baselines import Baseline, Constant
from xai_widgets.declare import param
from xai_widgets.methods.base import Frame, GradientMethod, Inputs
from xai_widgets.methods.site import Site

if TYPE_CHECKING:
    from xai_widgets.engine.model import ModelView
    from xai_widgets.engine.score import Score


@dataclass(frozen=True, eq=False, repr=False)
class GuidedIG(GradientMethod):
    """The gradient integrated along a path that changes first what it is smallest at (Kapishnikov et al., 2021).

    So the path keeps away from steep places that have nothing to do with the input. It sums to the score minus the
    score of the baseline. Coarser paths are walked before the one that is asked for, at a third of its cost.
    """

    name = "guided_ig"
    label = "Guided IG"

    steps: int = param(32, ge=1, soft_max=256, doc="Steps of the path, one pass of the model each.")
    fraction: float = param(
        0.25,
        ge=0,
        soft_max=1,
        step=0.01,
        doc="The share of the values that move together, those of smallest gradient first.",
    )
    max_dist: float = param(
        0.02, ge=0, soft_max=1, step=0.01, doc="How far the path may stray from the straight line, as a part of it."
    )
    baseline: Baseline = param(Constant(0.0), doc="Where the path starts: what stands for absence.")

    def frames(self, view: ModelView, score: Score, inputs: Inputs) -> Iterator[Frame]:
        from xai_widgets.engine.gradients import gradient_at
        from xai_widgets.engine.guided import guided_means

        entered = view.enter(inputs.arrays, inputs.structure)
        site = Site(view, self.baseline, inputs, entered)
        starts = [site.start(draw) for draw in range(self.baseline.count or 1)]

        def slopes(places: list[np.ndarray]) -> tuple[list[np.ndarray], np.ndarray]:
            return gradient_at(view, score, places, entered, inputs.structure)

        for state in guided_means(slopes, starts, site.end, self.steps, self.fraction, self.max_dist):
            yield Frame(
                state.values,
                progress=state.progress,
                passes=state.passes,
                total=state.total,
                change=state.change,
                baseline=site.shown,
                baseline_score=state.start_score,
                score=state.end_score,
                path=state.path,
            )

    def claims(self) -> bool:
        return True
