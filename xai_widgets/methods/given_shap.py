"""What stands for the method of an attribution that shap computed elsewhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from xai_widgets.declare import param
from xai_widgets.methods.base import Frame, Inputs, Method

if TYPE_CHECKING:
    from xai_widgets.engine.model import ModelView
    from xai_widgets.engine.score import Score


@dataclass(frozen=True, eq=False, repr=False)
class GivenSHAP(Method):
    """Values that came in a `shap.Explanation`: by which method, it does not tell, so it cannot be run again."""

    family: ClassVar[str] = "SHAP package"
    name = "given_shap"
    label = "Given by shap"

    channels: bool = param(True, doc="Whether the values have a channel axis of their own.")

    @property
    def per_channel(self) -> bool:  # type: ignore[override]
        return self.channels

    def claims(self) -> bool:
        return True

    def check(self, view: ModelView, inputs: Inputs) -> None:
        raise ValueError("GivenSHAP came in a shap.Explanation and cannot be run: choose PartitionSHAP, DeepSHAP, ...")

    def frames(self, view: ModelView, score: Score, inputs: Inputs) -> Iterator[Frame]:
        self.check(view, inputs)
        yield from ()
