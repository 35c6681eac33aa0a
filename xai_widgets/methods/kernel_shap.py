"""KernelSHAP: Shapley values by least squares over coalitions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from xai_widgets.baselines import Baseline, Constant
from xai_widgets.declare import param
from xai_widgets.methods.base import Frame, Inputs, Method
from xai_widgets.methods.masking import Masking
from xai_widgets.methods.players import SEGMENTATIONS, Players, check_segments, frame_of, play

if TYPE_CHECKING:
    from xai_widgets.engine.model import ModelView
    from xai_widgets.engine.score import Score


@dataclass(frozen=True, eq=False, repr=False)
class KernelSHAP(Method):
    """Shapley values of segments, by weighted least squares over coalitions (Lundberg and Lee, 2017).

    Each coalition comes with its complement and none comes twice; sizes of which there are few come in full. The values
    add up to the difference exactly, and are exact with 2**segments - 2 samples.
    """

    family: ClassVar[str] = "Perturbation"
    differentiates: ClassVar[bool] = False
    name = "kernel_shap"
    label = "KernelSHAP"

    samples: int = param(512, ge=2, soft_max=8192, doc="Coalitions, one pass of the model each (made even).")
    segments: Any = param(
        40,
        ge=1,
        soft_max=200,
        kind="segments",
        doc="About how many segments, or labels; of a table each feature is one.",
    )
    baseline: Baseline = param(Constant(0.0), doc="What absent segments are replaced by.")
    seed: int = param(0, ge=0, kind="seed", doc="Another seed, other coalitions.")
    segmentation: str = param("slic", choices=SEGMENTATIONS, doc="How a picture is cut into segments.")

    def check(self, view: ModelView, inputs: Inputs) -> None:
        super().check(view, inputs)
        check_segments(self.segments, view, inputs, "KernelSHAP")

    def frames(self, view: ModelView, score: Score, inputs: Inputs) -> Iterator[Frame]:
        from xai_widgets.engine.surrogate import ShapleyGame

        def game(number: int, count: int) -> ShapleyGame:
            return ShapleyGame(number, count, self.samples, self.seed)

        masking = Masking(view, score, self.baseline, inputs)
        players = Players(masking, inputs, self.segments, self.segmentation, "KernelSHAP")
        for played in play(masking, players, game):
            yield frame_of(played, masking, players)

    def claims(self) -> bool:
        return True
