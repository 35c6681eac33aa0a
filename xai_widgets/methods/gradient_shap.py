"""GradientSHAP of the shap package: expected gradients."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from xai_widgets.baselines import Baseline, GaussianNoise
from xai_widgets.declare import param
from xai_widgets.methods.base import Frame, Inputs, Method, averaged, relative
from xai_widgets.methods.shap_package import Explained, drawing, private
from xai_widgets.methods.site import Site

if TYPE_CHECKING:
    from xai_widgets.engine.model import ModelView
    from xai_widgets.engine.score import Score

# Between the seeds of two portions of draws: seeds that a person chooses lie nearer to each other.
_APART = 1_000_003


@dataclass(frozen=True, eq=False, repr=False)
class GradientSHAP(Method):
    """(x - x') times the gradient at random places between, by the GradientExplainer of shap (Erion et al., 2021).

    shap chooses among the references of the baseline, new ones for each portion of draws where there are more.
    """

    family: ClassVar[str] = "SHAP package"
    through_embedding: ClassVar[bool] = True
    name = "gradient_shap"
    label = "GradientSHAP"

    samples: int = param(200, ge=2, soft_max=1024, doc="Draws of a reference and a place, one pass of the model each.")
    baseline: Baseline = param(GaussianNoise(), doc="Where the references come from: what stands for absence.")
    seed: int = param(0, ge=0, kind="seed", doc="Another seed, other draws.")

    def frames(self, view: ModelView, score: Score, inputs: Inputs) -> Iterator[Frame]:
        from xai_widgets.engine.path import Walk

        entered = view.enter(inputs.arrays, inputs.structure)
        site = Site(view, self.baseline, inputs, entered)
        walk = Walk(view, score, site.end, entered, inputs.structure)
        explainer = _Explainer(view, score, site.end, entered, inputs.structure)
        each = view.chunk(site.end)
        pools = _pools(self.baseline.count, each, np.random.default_rng(self.seed))
        first, second = ([np.zeros(array.shape) for array in site.end] for _ in range(2))
        absent, compared = np.zeros(len(inputs)), 0
        for start in range(0, self.samples, each):
            done = min(start + each, self.samples)
            pool = [site.start(int(draw)) for draw in next(pools)]
            references = [np.stack(arrays, axis=1) for arrays in zip(*pool, strict=True)]
            absent += walk.scores_at(references).sum(axis=1)
            compared += len(pool)
            seed = (self.seed + start // each * _APART) % 2**32
            for row in range(len(inputs)):
                means, squares = explainer(row, [array[row] for array in references], done - start, seed)
                for total, part in zip((*first, *second), (*means, *squares), strict=True):
                    total[row] += (done - start) * part
            values, error = averaged(first, second, done)
            yield Frame(
                values,
                progress=done / self.samples,
                passes=done,
                total=self.samples,
                error=error,
                change=None if error is None else relative(error, values),
                baseline=site.shown,
                baseline_score=absent / compared,
            )

    def claims(self) -> bool:
        return True


def _pools(count: int | None, most: int, random: np.random.Generator) -> Iterator[np.ndarray]:
    """Which references each portion of draws chooses among: all of them, or so many of many."""
    if count is not None and count <= most:
        while True:
            yield np.arange(count)
    if count is None:
        while True:
            yield random.integers(2**31, size=most)
    waiting = np.zeros(0, int)
    while True:
        while len(waiting) < most:
            waiting = np.concatenate([waiting, random.permutation(count)])
        yield waiting[:most]
        waiting = waiting[most:]


class _Explainer(Explained):
    """shap's GradientExplainer with gradients of the score of any model."""

    def __init__(self, *explained: Any) -> None:
        from xai_widgets.engine.shap_rules import stand_in

        super().__init__(*explained)
        made = private("explainers._gradient").GradientExplainer(stand_in(self.site), list(self.site))
        self._explainer = made.explainer
        self.known("GradientSHAP", self._explainer, "gradients", "data")
        self._explainer.gradients = [self._gradients]
        self._explainer.batch_size = self.view.chunk(self.site)

    def __call__(
        self, row: int, references: list[np.ndarray], samples: int, seed: int
    ) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """Means (...) of some draws of one sample, and means of their squares."""
        self._explainer.data = references
        with drawing():  # shap itself sets the seed
            found, variances = self._explainer.shap_values(
                self.sample(row), nsamples=samples, rseed=seed, return_variances=True
            )
        means = [array[..., 0] for array in self.arrays(found)]
        # What shap calls variances has one output only: those of one draw over the root of their number.
        (spread,) = variances
        squares = [array * np.sqrt(samples) for array in self.arrays(spread)]
        return means, [mean**2 + square for mean, square in zip(means, squares, strict=True)]

    def _gradients(self, places: list[Any]) -> list[np.ndarray]:
        from xai_widgets.engine.gradients import gradient_at

        score, besides = self.repeated(len(places[0]))
        return gradient_at(self.view, score, [one.numpy() for one in places], besides, self.structure)[0]
