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
from xai_widgets.methods.shap_package import INSTEAD, quiet
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


class _Explainer:
    """shap's DeepExplainer, of whose own doing only that is replaced which would change TensorFlow for everyone.

    Args:
        view, score: What is explained.
        site: (n, ...) each, the inputs or what the `wrt` layer returns.
        entered: (n, ...) each, what the model gets.
        structure: The structure of the inputs.
    """

    def __init__(
        self, view: ModelView, score: Score, site: list[np.ndarray], entered: list[np.ndarray], structure: Any
    ) -> None:
        from xai_widgets.engine.shap_rules import stand_in

        self._view, self._score, self._site, self._entered, self._structure = view, score, site, entered, structure
        self._row, self._references = 0, list(site)
        self._scores = np.zeros(0)
        with quiet() as shap:
            self._explainer = shap.DeepExplainer(stand_in(site), lambda _: self._references)
        inner = self._explainer.explainer
        if not (hasattr(inner, "run") and len(getattr(inner, "phi_symbolics", ())) == 1):
            raise RuntimeError(f"DeepSHAP does not know the explainer of shap {shap.__version__}; {INSTEAD}")
        inner.phi_symbolics = [self._multipliers]
        inner.run = lambda function, _, joint: function(joint)

    def __call__(self, row: int, references: list[np.ndarray]) -> tuple[list[np.ndarray], np.ndarray]:
        """Values (...) of one sample, averaged over references (k, ...), and the scores (k,) of these."""
        self._row, self._references = row, references
        sample = [array[row : row + 1] for array in self._site]
        with quiet():
            # The sum is not checked here but shown as the residual.
            found = self._explainer.shap_values(sample if len(sample) > 1 else sample[0], check_additivity=False)
        values = found if isinstance(found, list) else [found]
        return [array[0, ..., 0] for array in values], self._scores

    def _multipliers(self, joint: list[np.ndarray]) -> list[np.ndarray]:
        """Of a sample as often as there are references, followed by them."""
        from xai_widgets.engine.shap_rules import multipliers

        row, count = slice(self._row, self._row + 1), len(joint[0])
        score = self._score.rows(row).repeated(count)
        besides = [np.repeat(array[row], count, axis=0) for array in self._entered]
        found, scores = multipliers(self._view, score, joint, besides, self._structure, INSTEAD)
        self._scores = scores[count // 2 :]
        return found
