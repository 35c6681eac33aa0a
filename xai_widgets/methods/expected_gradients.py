"""Integrated gradients, averaged over random baselines and random points of their paths."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from xai_widgets.baselines import Baseline, GaussianNoise
from xai_widgets.declare import param
from xai_widgets.methods.base import Frame, GradientMethod, Inputs, averaged, relative
from xai_widgets.methods.site import Site

if TYPE_CHECKING:
    from xai_widgets.engine.model import ModelView
    from xai_widgets.engine.score import Score


@dataclass(frozen=True, eq=False, repr=False)
class ExpectedGradients(GradientMethod):
    """(x - x') times the gradient at a random place between, averaged over draws of the baseline x'.

    Erion et al., 2021; known as GradientSHAP too. The places are spread evenly and shifted at random.
    """

    samples: int = param(64, ge=2, soft_max=512, doc="Draws of a baseline and a place, one pass of the model each.")
    baseline: Baseline = param(GaussianNoise(), doc="Where the draws come from: what stands for absence.")
    seed: int = param(0, ge=0, kind="seed", doc="Another seed, other draws.")

    def frames(self, view: ModelView, score: Score, inputs: Inputs) -> Iterator[Frame]:
        from xai_widgets.engine.path import Walk, spread

        count = len(inputs)
        entered = view.enter(inputs.arrays, inputs.structure)
        site = Site(view, self.baseline, inputs, entered)
        random = np.random.default_rng(self.seed)
        # A lattice with a random shift: every place is as likely as any other, and together they leave no gaps.
        alphas = (spread(self.samples) / self.samples + random.random()) % 1
        draws = _draws(self.baseline.count, self.samples, random)
        walk = Walk(view, score, site.end, entered, inputs.structure, squares=True)
        first = [np.zeros(array.shape) for array in site.end]
        second = [np.zeros(array.shape) for array in site.end]
        baseline_score = np.zeros(count)
        for now in view.calls(entered, self.samples):
            references = [site.start(int(draw)) for draw in draws[now]]
            starts = [np.stack(arrays, axis=1) for arrays in zip(*references, strict=True)]
            _, sums, squares, _ = walk(starts, alphas[now], np.ones((len(references), 1)))
            baseline_score += walk.scores_at(starts).sum(axis=1)
            for total, part in zip((*first, *second), (*sums, *squares), strict=True):
                total += part[:, 0]
            done = now.stop
            values, error = averaged(first, second, done)
            yield Frame(
                values,
                progress=done / self.samples,
                passes=done,
                total=self.samples,
                error=error,
                change=None if error is None else relative(error, values),
                baseline=site.shown,
                baseline_score=baseline_score / done,
            )

    def claims(self) -> bool:
        return True


def _draws(count: int | None, samples: int, random: np.random.Generator) -> np.ndarray:
    """Which reference each draw takes: new ones where they do not end, else all of them equally often."""
    if count is None:
        return random.integers(2**31, size=samples)
    rounds = [random.permutation(count) for _ in range(-(-samples // count))]
    return np.concatenate(rounds)[:samples]
