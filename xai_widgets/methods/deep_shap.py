"""DeepSHAP of the shap package: DeepLIFT's multipliers, averaged over references."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from xai_widgets.baselines import Baseline, Constant
from xai_widgets.declare import param
from xai_widgets.methods.base import Frame, Inputs, Method
from xai_widgets.methods.masking import ENDLESS
from xai_widgets.methods.shap_package import INSTEAD, Explained, private
from xai_widgets.methods.site import Site

if TYPE_CHECKING:
    from xai_widgets.engine.model import ModelView
    from xai_widgets.engine.score import Score


@dataclass(frozen=True, eq=False, repr=False)
class DeepSHAP(Method):
    """DeepLIFT's rescale rule, averaged over references, by the DeepExplainer of shap (Lundberg and Lee, 2017).

    The references are those of the baseline; of one that draws without end, its first 8. shap has rules for few
    operations: of a model with another one (ReLU6, depthwise convolution, a loop) it is refused.
    """

    family: ClassVar[str] = "SHAP package"
    through_embedding: ClassVar[bool] = True
    missing: ClassVar[str] = "a rule of shap's lost it"
    name = "deep_shap"
    label = "DeepSHAP"

    baseline: Baseline = param(Constant(0.0), doc="What each input is compared with: what stands for absence.")

    def frames(self, view: ModelView, score: Score, inputs: Inputs) -> Iterator[Frame]:
        entered = view.enter(inputs.arrays, inputs.structure)
        site = Site(view, self.baseline, inputs, entered)
        explainer = _Explainer(view, score, site.end, entered, inputs.structure)
        count = self.baseline.count or ENDLESS
        each = max(1, view.chunk(site.end) // 2)
        totals = [np.zeros(array.shape) for array in site.end]
        absent = np.zeros(len(inputs))
        for start in range(0, count, each):
            draws = range(start, min(start + each, count))
            references = [np.stack(arrays, axis=1) for arrays in zip(*map(site.start, draws), strict=True)]
            for row in range(len(inputs)):
                values, scores = explainer(row, [array[row] for array in references])
                for total, part in zip(totals, values, strict=True):
                    total[row] += len(draws) * part
                absent[row] += scores.sum()
            yield Frame(
                [total / draws.stop for total in totals],
                progress=draws.stop / count,
                passes=2 * draws.stop,
                total=2 * count,
                baseline=site.shown,
                baseline_score=absent / draws.stop,
            )

    def claims(self) -> bool:
        return True


class _Explainer(Explained):
    """shap's explainer for TensorFlow, of whose own doing only that is replaced which would change it for everyone."""

    def __init__(self, *explained: Any) -> None:
        from xai_widgets.engine.shap_rules import stand_in

        super().__init__(*explained)
        self._references = list(self.site)
        self._scores = np.zeros(0)
        self._explainer = private("explainers._deep.deep_tf").TFDeep(stand_in(self.site), lambda _: self._references)
        self.known("DeepSHAP", self._explainer, "phi_symbolics", "run")
        self._explainer.phi_symbolics = [self._multipliers]
        self._explainer.run = lambda function, _, joint: function(joint)

    def __call__(self, row: int, references: list[np.ndarray]) -> tuple[list[np.ndarray], np.ndarray]:
        """Values (...) of one sample, averaged over references (k, ...), and the scores (k,) of these."""
        self._references = references
        # The sum is not checked here but shown as the residual.
        found = self._explainer.shap_values(self.sample(row), check_additivity=False)
        return [array[..., 0] for array in self.arrays(found)], self._scores

    def _multipliers(self, joint: list[np.ndarray]) -> list[np.ndarray]:
        """Of a sample as often as there are references, followed by them."""
        from xai_widgets.engine.shap_rules import multipliers

        count = len(joint[0])
        score, besides = self.repeated(count)
        found, scores = multipliers(self.view, score, joint, besides, self.structure, INSTEAD)
        self._scores = scores[count // 2 :]
        return found
