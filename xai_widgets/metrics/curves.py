"""What happens to the score as parts of the input go or come in the order of their attribution."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from xai_widgets.attribution import Attribution
from xai_widgets.metrics.case import Case
from xai_widgets.metrics.checks import whole
from xai_widgets.metrics.parts import Parts

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True, eq=False)
class Curve:
    """Scores while parts of the input are removed or inserted, the most important first.

    Attributes:
        kind: "insertion" or "deletion".
        fractions: (k,) the parts removed or inserted so far, from 0 to 1.
        scores: (N, k) the score there.
        area: (N,) area under the curve, in the unit of the score: the mean score on the way.
        score_name: What the score is.
    """

    kind: str
    fractions: np.ndarray
    scores: np.ndarray
    area: np.ndarray
    score_name: str = "score"

    def __repr__(self) -> str:
        areas = np.array2string(self.area, precision=3, threshold=8, separator=", ")
        return f"Curve({self.kind}, {len(self.fractions)} points, area {areas}, {self.score_name})"

    def plot(self) -> Figure:
        """A matplotlib figure with a line for each sample and their mean, made without pyplot."""
        from xai_widgets.figures import curve_figure

        return curve_figure(self)


def deletion(
    model: Any,
    inputs: Any,
    attribution: Attribution,
    *,
    baseline: Any = None,
    steps: int = 32,
    preprocess: Callable[[Any], Any] | None = None,
    target: Any = None,
    seed: int = 0,
) -> Curve:
    """The score as parts of the input are replaced by the baseline, the most important first (Petsiuk et al., 2018).

    A faithful map makes it fall at once: the smaller the area, the better. Parts are the segments of the attribution,
    or the positions of its heat map; those with equal values go in random order.

    Args:
        model, inputs, preprocess: As in `explain`, the same as the attribution was made with.
        attribution: What is judged; its score is evaluated, in its own unit.
        baseline: What takes the place of removed parts; None for that of the attribution's method, or 0 where it has
            none. Where it is random or made of samples, scores are averaged over at most eight draws. Of token ids it
            stands where that of the method does: it replaces the output of the embedding, the mask of the ids kept,
            or for `Occlusion` and others that mask the ids, unless they were given `wrt`, the ids.
        steps: Points of the curve after its first; there are fewer where there are fewer parts.
        target: As in `explain`; only needed where the attribution explains no single class.
        seed: Of the order of equal values.

    Raises:
        TypeError: An argument is of a wrong type.
        ValueError: The attribution does not belong to the model and inputs, or has no map at their size.
    """
    case = Case(model, inputs, attribution, preprocess=preprocess, target=target, baseline=baseline)
    return _curve("deletion", case, Order.of(case.parts(), steps, seed))


def insertion(
    model: Any,
    inputs: Any,
    attribution: Attribution,
    *,
    baseline: Any = None,
    steps: int = 32,
    preprocess: Callable[[Any], Any] | None = None,
    target: Any = None,
    seed: int = 0,
) -> Curve:
    """The score as parts of the input are put on the baseline, the most important first (Petsiuk et al., 2018).

    A faithful map makes it rise at once: the larger the area, the better. Arguments and errors are those of `deletion`.
    """
    case = Case(model, inputs, attribution, preprocess=preprocess, target=target, baseline=baseline)
    return _curve("insertion", case, Order.of(case.parts(), steps, seed))


@dataclass(frozen=True)
class Order:
    """In which order parts go.

    Attributes:
        parts: The parts.
        ranks: (n, parts) place of each.
        counts: (n, k) how many have gone at each point of the curve, ascending.
        fractions: (k,) the same as a fraction of all parts.
    """

    parts: Parts
    ranks: np.ndarray
    counts: np.ndarray
    fractions: np.ndarray

    @classmethod
    def of(cls, parts: Parts, steps: int, seed: int) -> Order:
        """From the largest value down, in at most `steps` steps of equal size."""
        whole("steps", steps, 1)
        sizes = parts.sizes
        fractions = np.linspace(0, 1, min(steps, int(sizes.max())) + 1)
        counts = np.rint(fractions * sizes[:, None]).astype(int)
        if (sizes == sizes[0]).all():
            fractions = counts[0] / sizes[0]
        return cls(parts, parts.ranks(whole("seed", seed, 0)), counts, fractions)

    def rows(self, rows: slice) -> Order:
        """The order of some of the samples."""
        return Order(self.parts.rows(rows), self.ranks[rows], self.counts[rows], self.fractions)


def curves(kind: str, case: Case, order: Order) -> Iterator[Curve]:
    """The curve of a group of samples, coarse first: both ends, then points between that always span it.

    Args:
        kind: "insertion" or "deletion".
        case: The samples, few enough for one call of the model.
        order: In which order their parts go.
    """
    from xai_widgets.engine.path import spread

    last = len(order.fractions) - 1
    points = np.array([0, last, *(1 + spread(last - 1) if last > 1 else ())])
    several = len(case.references)
    sums = np.zeros((len(order.counts), len(points)))

    def gone(draws: slice) -> np.ndarray:
        counts = order.counts[:, points[np.arange(draws.start, draws.stop) // several]]
        removed = order.ranks[:, None] < counts[:, :, None]
        return removed if kind == "deletion" else ~removed

    draws = several * len(points)
    for call, scores in case.scores_without(order.parts, draws, gone):
        for draw, column in zip(range(call.start, call.stop), scores.T, strict=True):
            sums[:, draw // several] += column / several
        done = call.stop // several
        if done > 1:
            seen = np.sort(points[:done])
            found = sums[:, np.argsort(points[:done])]
            yield _measured(kind, order, seen, found, case.attribution.score_name)


def _measured(kind: str, order: Order, seen: np.ndarray, scores: np.ndarray, score_name: str) -> Curve:
    places = order.counts[:, seen] / order.parts.sizes[:, None]
    area = (np.diff(places, axis=1) * (scores[:, 1:] + scores[:, :-1]) / 2).sum(axis=1)
    return Curve(kind, order.fractions[seen], scores, area, score_name)


def _curve(kind: str, case: Case, order: Order) -> Curve:
    found = []
    for rows, part in case.groups():
        *_, last = curves(kind, part, order.rows(rows))
        found.append(last)
    scores, area = (np.concatenate([getattr(one, name) for one in found]) for name in ("scores", "area"))
    return Curve(kind, order.fractions, scores, area, case.attribution.score_name)
