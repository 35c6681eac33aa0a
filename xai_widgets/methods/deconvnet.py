"""The deconvolutional network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from xai_widgets.methods.guided_backprop import RectifiedGradient

if TYPE_CHECKING:
    from xai_widgets.engine.rules import Rules


@dataclass(frozen=True, eq=False, repr=False)
class Deconvnet(RectifiedGradient):
    """The gradient, of which each ReLU lets only positive parts pass, active or not (Zeiler and Fergus, 2014)."""

    def rules(self) -> Rules:
        from xai_widgets.engine.relus import DECONVOLVED

        return DECONVOLVED
