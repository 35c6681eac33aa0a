"""Layer-wise relevance propagation."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from xai_widgets.composites import COMPOSITES, read_rule, write_rule
from xai_widgets.declare import Words, param
from xai_widgets.methods.base import Flow, Frame, GradientMethod, Inputs
from xai_widgets.methods.limits import limits

if TYPE_CHECKING:
    from xai_widgets.engine.model import ModelView
    from xai_widgets.engine.relevance import Plan, Relevance
    from xai_widgets.engine.score import Score


_CANCELLING = 50  # of what is read as a map the sizes add up to a few times the score


@dataclass(frozen=True, eq=False, repr=False)
class LRP(GradientMethod):
    """The score, shared out backwards: each layer hands its relevance on to what it was made of (Bach et al., 2015).

    A composite says which rule which layer gets, as in zennit: "epsilon" to dense layers and, by the composite's name,
    z+ ("plus"), gamma or alpha-beta to convolutions; "flat" or z-box ("box") to the first layer. "deep_taylor" is z+
    throughout and z-box first (Montavon et al., 2017). A batch norm is folded into the convolution or dense layer
    before it; where there is none, relevance passes it as it is, as it does activations. Products with a gate
    (attention, LSTM, GRU, SiLU, GELU, layer normalisation) take the gate for a constant (Ali et al., 2022).

    The walk starts from the score. Every denominator z becomes z + epsilon where z >= 0 and z - epsilon elsewhere; that
    of other rules than epsilon has 1e-6. What biases and stabilisers take up is the residual.
    """

    label = "LRP"
    single: ClassVar[bool] = True
    shared: ClassVar[str] = "the score"
    missing: ClassVar[str] = "biases took it up, or the rules do not keep it"

    composite: str = param("epsilon_plus", choices=tuple(COMPOSITES), doc="Which rule which kind of layer gets.")
    epsilon: float = param(1e-6, gt=0, soft_max=1, doc="Stabiliser of the epsilon rule: more of it, less noise.")
    gamma: float = param(0.25, gt=0, soft_max=2, doc="How much the gamma rule favours what agrees with the output.")
    rules: Words = param(Words(), kind="words", doc="Rules of single layers, such as {'conv1': 'gamma(0.5)'}.")
    low: Any = param(
        None, kind="limit", doc="Smallest raw value, for z-box; by default 0 for pictures, or the sample's own."
    )
    high: Any = param(
        None, kind="limit", doc="Largest raw value, for z-box; by default 1 or 255 for pictures, or its own."
    )

    @property
    def zero(self) -> str:
        return "no relevance comes as far as the input: biases take it up, or no unit on its way is active"

    def __post_init__(self) -> None:
        super().__post_init__()
        for layer, rule in self.rules.items():
            try:
                read_rule(rule)
            except ValueError as error:
                raise ValueError(f"LRP.rules of layer {layer!r}: {error}") from None

    def check(self, view: ModelView, inputs: Inputs) -> None:
        super().check(view, inputs)
        if self.plan(view).boxed:
            self._box(inputs)

    def plan(self, view: ModelView) -> Plan:
        """What the walk has to know, with the layers by their paths."""
        from xai_widgets.engine.relevance import Plan

        rules = {view.path_of(layer, "LRP.rules"): read_rule(rule) for layer, rule in self.rules.items()}
        return Plan(COMPOSITES[self.composite], tuple(sorted(rules.items())), self.epsilon, self.gamma)

    def propagated(self, view: ModelView, score: Score, inputs: Inputs, keep: tuple[str, ...] = ()) -> Relevance:
        """Relevance at the site, and at the layers of the paths in `keep`."""
        from xai_widgets.engine.relevance import relevance

        plan, structure = self.plan(view), inputs.structure
        entered = view.enter(inputs.arrays, structure)
        box = None
        if plan.boxed:
            low, high = self._box(inputs)
            box = view.enter(low, structure), view.enter(high, structure)
        return relevance(view, score, entered, structure, plan, box, keep)

    def frames(self, view: ModelView, score: Score, inputs: Inputs) -> Iterator[Frame]:
        found = self.propagated(view, score, inputs, view.watched)
        rules = {path: write_rule(rule) for path, rule in found.default_rules.items() if path}
        yield Frame(
            found.values,
            outputs=found.outputs,
            score=found.scores,
            baseline_score=np.zeros_like(found.scores),
            facts=tuple(self._facts(found, inputs)),
            notes=(*self._unused(found), *notes(found)),
            flow=Flow(found.flow, rules) if view.watched else None,
        )

    def claims(self) -> bool:
        return True

    def _box(self, inputs: Inputs) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """The smallest and the largest raw values, like the inputs; of each sample, whatever its company."""
        lows, highs = zip(*(limits("LRP", array, self.low, self.high) for array in inputs.arrays), strict=True)
        return list(lows), list(highs)

    def _facts(self, found: Relevance, inputs: Inputs) -> Iterator[str]:
        if found.boxed:
            ranges = {(float(low.min()), float(high.max())) for low, high in zip(*self._box(inputs), strict=True)}
            told = " and ".join(f"{low:.4g} to {high:.4g}" for low, high in sorted(ranges))
            yield f"The z-box rule takes the inputs to lie in the range {told}."

    def _unused(self, found: Relevance) -> Iterator[str]:
        if not found.boxed and (self.low is not None or self.high is not None):
            yield "LRP.low and LRP.high do nothing here: only the z-box rule reads them, and no first layer has it."


def notes(found: Relevance) -> Iterator[str]:
    """Where relevance misleads, in plain words."""
    sizes = sum(np.abs(array).reshape(len(array), -1).sum(axis=1, dtype=np.float64) for array in found.values)
    if (sizes > _CANCELLING * np.abs(found.scores)).any():
        yield (
            f"Parts of the map cancel: their sizes add up to more than {_CANCELLING} times the score, so that a small "
            "change of the input, or of epsilon, may change the whole map. A larger epsilon, or rules that favour "
            "positive parts (gamma, z_plus), steady it."
        )
    if found.unread:
        yield f"Only the plain gradient times the input went through {', '.join(found.unread)}: no rule reaches inside."
    if found.flat_table:
        yield (
            "The flat rule gives every feature that enters the first dense layer the same relevance: "
            "composite='epsilon_plus' tells them apart."
        )
