"""Guided backprop, and what it shares with the deconvnet."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from xai_widgets.methods.base import Frame, GradientMethod, Inputs

if TYPE_CHECKING:
    from xai_widgets.engine.model import ModelView
    from xai_widgets.engine.rules import Reach, Rules
    from xai_widgets.engine.score import Score

HARDLY_OF_THE_CLASS = (
    "Such a map hardly depends on the class or on what the later layers have learnt: it shows the edges that the "
    "network passes on (Adebayo et al., 2018; Nie et al., 2018)."
)


class RectifiedGradient(GradientMethod):
    """The gradient with another derivative of the rectifiers: ReLU, ReLU6 and LeakyReLU, layers or inline."""

    single: ClassVar[bool] = True

    @property
    def slopes(self) -> bool:
        return True

    @property
    def reading(self) -> str:
        return "The map shows what the network passes on of the input, for {target}"

    def rules(self) -> Rules:
        """The other derivative."""
        raise NotImplementedError

    def frames(self, view: ModelView, score: Score, inputs: Inputs) -> Iterator[Frame]:
        from xai_widgets.engine.gradients import gradient

        entered = view.enter(inputs.arrays, inputs.structure)
        found = gradient(view, score, entered, inputs.structure, self.rules())
        assert found.reach is not None
        facts, notes = told(found.reach)
        yield Frame(found.gradients, outputs=found.outputs, score=found.scores, facts=facts, notes=notes)


def told(reach: Reach) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Facts and notes, from where the rules held."""
    from xai_widgets.engine.rules import listed

    where = f": {listed(reach.missed)}" if reach.missed else ""
    if not reach.replaced:
        return (), (f"No ReLU was found between the input and the score, so the map is the plain gradient{where}.",)
    notes = (f"Only ReLUs are treated; what else is not linear keeps its plain gradient{where}.",) if where else ()
    return (HARDLY_OF_THE_CLASS,), notes


@dataclass(frozen=True, eq=False, repr=False)
class GuidedBackprop(RectifiedGradient):
    """The gradient, of which each ReLU lets only positive parts pass, and only where it is active.

    Springenberg et al., 2014. The picture is sharp because the network is nearly inverted, whatever the class.
    """

    label = "Guided backprop"

    def rules(self) -> Rules:
        from xai_widgets.engine.relus import GUIDED

        return GUIDED
