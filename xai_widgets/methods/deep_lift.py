"""DeepLIFT."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from xai_widgets.baselines import Baseline, Constant
from xai_widgets.declare import param
from xai_widgets.methods.base import Frame, GradientMethod, Inputs
from xai_widgets.methods.masking import ENDLESS
from xai_widgets.methods.site import Site

if TYPE_CHECKING:
    from xai_widgets.engine.model import ModelView
    from xai_widgets.engine.rules import Reach
    from xai_widgets.engine.score import Score


@dataclass(frozen=True, eq=False, repr=False)
class DeepLift(GradientMethod):
    """(x - x') times multipliers: what each activation changes from the baseline x', per change of what enters it.

    The rescale rule of Shrikumar et al., 2017, in one forward and backward pass of input and baseline together. Of a
    product (gates, attention, SiLU, GELU) both factors get half of what they do together. The values add up to the
    difference of the scores: of a model in half precision to some thousandth, as its scores have no more digits. They
    are averaged over the baselines; of one that draws without end, over its first 8.
    """

    single: ClassVar[bool] = True
    missing: ClassVar[str] = "operations without a rule, across samples or with a stopped gradient keep it back"
    label = "DeepLIFT"

    baseline: Baseline = param(Constant(0.0), doc="What stands for absence: activations are compared with its own.")

    @property
    def zero(self) -> str:
        return "what differs from the baseline moves no unit that the score depends on"

    def frames(self, view: ModelView, score: Score, inputs: Inputs) -> Iterator[Frame]:
        from xai_widgets.engine.deep_lift import contributions

        entered = view.enter(inputs.arrays, inputs.structure)
        site = Site(view, self.baseline, inputs, entered)
        total = self.baseline.count or ENDLESS
        sums = [np.zeros(array.shape, np.float64) for array in site.end]
        baseline_score = np.zeros(len(inputs))
        for call in view.calls(entered, total, rows=2):
            starts = [site.start(draw) for draw in range(call.start, call.stop)]
            references = [np.stack(arrays, axis=1) for arrays in zip(*starts, strict=True)]
            found = contributions(view, score, site.end, references, entered, inputs.structure)
            for so_far, part in zip(sums, found.sums, strict=True):
                so_far += part
            baseline_score += found.reference_scores.sum(axis=1)
            yield Frame(
                [so_far / call.stop for so_far in sums],
                progress=call.stop / total,
                passes=2 * call.stop,
                total=2 * total,
                baseline=site.shown,
                baseline_score=baseline_score / call.stop,
                outputs=found.outputs,
                score=found.scores,
                notes=tuple(_kept_back(found.reach)),
            )

    def claims(self) -> bool:
        return True


def _kept_back(reach: Reach) -> Iterator[str]:
    from xai_widgets.engine.rules import listed

    if reach.missed:
        yield f"No multiplier is known for {listed(reach.missed)}: there the plain gradient is used."
    if reach.mixed:
        yield (
            f"The model moves samples within the batch ({listed(reach.mixed)}): what is not linear behind that may be "
            "compared with the baseline of another sample, and then the values do not add up."
        )
