"""LIME: a linear model of the score near the input."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, cast

import numpy as np

from xai_widgets.baselines import Baseline, Constant
from xai_widgets.declare import param
from xai_widgets.methods.base import Frame, Inputs, Method, unmoved
from xai_widgets.methods.masking import Masking
from xai_widgets.methods.players import SEGMENTATIONS, Played, Players, check_segments, frame_of, play

if TYPE_CHECKING:
    from xai_widgets.engine.model import ModelView
    from xai_widgets.engine.score import Score
    from xai_widgets.engine.surrogate import LocalGame


@dataclass(frozen=True, eq=False, repr=False)
class LIME(Method):
    """Weights of a ridge regression of the score on which segments are present (Ribeiro et al., 2016).

    Each segment is absent half of the time; masks near to the whole input weigh more, by exp(-d^2 / kernel_width^2)
    with the cosine distance d. The masks are the same for every width and ridge, which only fit anew. The intercept is
    free of the penalty. No mask comes twice; of few segments all come.
    """

    family: ClassVar[str] = "Perturbation"
    differentiates: ClassVar[bool] = False
    name = "lime"
    label = "LIME"

    samples: int = param(1000, ge=2, soft_max=8192, doc="Masks, one pass of the model each.")
    segments: Any = param(
        40,
        ge=1,
        soft_max=200,
        kind="segments",
        doc="About how many segments, or labels; of a table each feature is one.",
    )
    kernel_width: float = param(0.25, gt=0, soft_max=2, step=0.01, doc="How near to the whole input a mask must be.")
    alpha: float = param(1.0, ge=0, soft_max=100, step=0.1, doc="Strength of the ridge, which pulls weights to zero.")
    baseline: Baseline = param(Constant(0.0), doc="What absent segments are replaced by.")
    seed: int = param(0, ge=0, kind="seed", doc="Another seed, other masks.")
    segmentation: str = param("slic", choices=SEGMENTATIONS, doc="How a picture is cut into segments.")

    refits: ClassVar[frozenset[str]] = frozenset({"kernel_width", "alpha"})

    @property
    def reading(self) -> str:
        return (
            "The map shows how much a segment raises (+) or lowers (\u2212) {target} in a linear model near the input"
        )

    @property
    def unitless(self) -> bool:
        return False

    def check(self, view: ModelView, inputs: Inputs) -> None:
        super().check(view, inputs)
        check_segments(self.segments, view, inputs, "LIME")

    def frames(self, view: ModelView, score: Score, inputs: Inputs) -> Iterator[Frame]:
        from xai_widgets.engine.surrogate import LocalGame

        def game(number: int, count: int) -> LocalGame:
            return LocalGame(number, count, self.samples, self.kernel_width, self.alpha, self.seed)

        masking = Masking(view, score, self.baseline, inputs)
        players = Players(masking, inputs, self.segments, self.segmentation, "LIME")
        yield from _frames(masking, players, play(masking, players, game))


def _frames(masking: Masking, players: Players, plays: Iterator[Played]) -> Iterator[Frame]:
    for played in plays:
        game = cast("LocalGame", played.games[0])
        equations = game.equations if game.rounds and len(played.games) == 1 else None
        resume = partial(_resumed, masking, players, played)
        yield frame_of(played, masking, players, *_trust(played, masking.dtype), resume, equations)


def _resumed(masking: Masking, players: Players, played: Played, method: LIME) -> Iterator[Frame]:
    """The frames of what was played before, fitted as a method says, and of what is left to play."""
    games: list[Any] = [cast("LocalGame", game).refitted(method.kernel_width, method.alpha) for game in played.games]
    return _frames(masking, players, play(masking, players, None, replace(played, games=games)))


def _trust(played: Played, dtype: np.dtype[Any]) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """How well the linear model fits, in words, and where that is not well."""
    whole, absent = played.ends.scores.T.astype(dtype)
    explained = played.explained[~unmoved(played.values, whole, absent)]
    if not len(explained):
        return ("The score does not vary over the masks: a linear model has nothing to explain.",), ()
    lowest, highest = f"{explained.min():.2f}", f"{explained.max():.2f}"
    range_ = lowest if lowest == highest else f"{lowest} to {highest}"
    masks, effective = min(game.rounds for game in played.games), played.effective.min()
    facts: tuple[str, ...] = (
        f"R2 = {range_}: the linear model explains that much of how the score varies over the masks.",
    )
    most = max(values.shape[1] for values in played.values)
    if played.error is None and masks <= most:
        facts = (f"R2 = {range_} means nothing: {most} weights fit the scores of {masks} masks whatever they are.",)
    if effective < 0.99 * masks:
        near = f"Masks near the input weigh more: all {masks:,} together count like {effective:,.0f} equal ones."
        facts = (*facts, near)
    if explained.min() >= _POOR:
        return facts, ()
    return facts, ("The score is far from linear in the segments: read the weights with care.",)


_POOR = 0.5
