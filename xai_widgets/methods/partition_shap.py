"""PartitionSHAP of the shap package: Owen values of a tree of parts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from xai_widgets.baselines import Baseline, Constant, Samples
from xai_widgets.declare import param
from xai_widgets.methods.base import Frame, Inputs, Method
from xai_widgets.methods.masking import Masking
from xai_widgets.methods.shap_package import Masks, alike, drawing, halves, joined, private

if TYPE_CHECKING:
    from xai_widgets.engine.model import ModelView
    from xai_widgets.engine.score import Score

_FIRST = 32


@dataclass(frozen=True, eq=False, repr=False)
class PartitionSHAP(Method):
    """Owen values of a tree of parts, by the PartitionExplainer of shap (Lundberg and Lee, 2017).

    A picture is halved again and again, first where the score says that it matters; a part that was not reached is
    even. A table's features are joined as they go together in the data of a `Samples` baseline, else in their order.
    The values add up to the difference exactly.
    """

    family: ClassVar[str] = "SHAP package"
    differentiates: ClassVar[bool] = False
    name = "partition_shap"
    label = "PartitionSHAP"

    samples: int = param(512, ge=4, soft_max=4096, doc="Evaluations of the model at most, with parts left out.")
    baseline: Baseline = param(Constant(0.0), doc="What absent parts are replaced by.")

    def frames(self, view: ModelView, score: Score, inputs: Inputs) -> Iterator[Frame]:
        rows = [slice(row, row + 1) for row in range(len(inputs))]
        maskings = [Masking(view, score.rows(row), self.baseline, inputs.rows(row)) for row in rows]
        games = _Games(maskings, self._tree(maskings[0].site))
        references = maskings[0].references
        for budget in _budgets(self.samples):
            values = [games.play(row, budget) for row in range(len(inputs))]
            settled = budget == self.samples or all(games.over)
            passes = max(map(len, games.known)) * references
            yield Frame(
                [np.stack(parts) for parts in zip(*values, strict=True)],
                progress=1.0 if settled else budget / self.samples,
                passes=passes,
                total=passes if settled else self.samples * references,
                baseline=_joined(masking.shown for masking in maskings),
                baseline_score=games.absent.copy(),
                facts=(*maskings[0].facts, *_depth(games)),
            )
            if settled:
                return

    def _tree(self, site: list[np.ndarray]) -> np.ndarray:
        data, (first, *more) = self.baseline, site
        if isinstance(data, Samples) and first.ndim == 2 and first.shape[1] > 1 and not more and data.count > 1:
            return alike(data.samples.reshape(len(data.samples), -1))
        return joined([halves(array.shape[1:]) for array in site])

    def claims(self) -> bool:
        return True


def _budgets(samples: int) -> list[int]:
    """Evaluations of each round, half as many again as in the one before: nothing stops shap within a round."""
    budgets = [samples]
    while budgets[0] >= 1.5 * _FIRST:
        budgets.insert(0, int(budgets[0] / 1.5))
    return budgets


def _joined(shown: Iterable[Sequence[np.ndarray] | None]) -> list[np.ndarray] | None:
    known = [arrays for arrays in shown if arrays is not None]
    return [np.concatenate(arrays) for arrays in zip(*known, strict=True)] or None


def _depth(games: _Games) -> tuple[str, ...]:
    if all(games.over):
        return ("Every part was split down to single values.",)
    return (f"Within parts that {max(map(len, games.known)):,} evaluations did not split, the share is spread evenly.",)


class _Games:
    """The score of each sample with parts left out. What was evaluated once is known in the next, longer round.

    Attributes:
        known: Of each sample, scores of the masks so far.
        absent: (n,) the score of none.
        over: Of each sample, whether its last round came to its end before its budget did.
    """

    def __init__(self, maskings: Sequence[Masking], tree: np.ndarray) -> None:
        from xai_widgets.engine.masks import by_value

        self._maskings, self._row = maskings, 0
        self._shapes = [array.shape[1:] for array in maskings[0].site]
        self._ends = np.cumsum([int(np.prod(shape)) for shape in self._shapes])
        self._scores = [masking.scores(by_value) for masking in maskings]
        self.known: list[dict[bytes, float]] = [{} for _ in maskings]
        self.absent, self.over = np.full(len(maskings), np.nan), [False for _ in maskings]
        self._explainer = private("explainers._partition").PartitionExplainer(self._evaluate, Masks(tree))

    def play(self, row: int, budget: int) -> list[np.ndarray]:
        """Values (...) of each array of a sample after so many evaluations."""
        self._row = row
        with drawing():  # shap draws to break ties: the same draws in each round, so that a longer one begins like it
            found = self._explainer(np.zeros((1, int(self._ends[-1]))), max_evals=budget, silent=True)
        self.over[row] = self._explainer.last_eval_count + 2 < budget
        self.absent[row] = found.base_values[0]
        return self._parted(found.values[0], ())

    def _evaluate(self, masks: np.ndarray) -> np.ndarray:
        """Scores (k,) of masks (k, players), bool."""
        known = self.known[self._row]
        keys = [mask.tobytes() for mask in np.packbits(masks, axis=1)]
        new = [place for place, key in enumerate(keys) if key not in known]
        for call in self._maskings[self._row].calls(len(new)):
            moving = self._parted(masks[new[call]], (1, call.stop - call.start))
            (scores,) = self._scores[self._row](moving)
            known.update(zip([keys[place] for place in new[call]], map(float, scores), strict=True))
        return np.array([known[key] for key in keys])

    def _parted(self, flat: np.ndarray, axes: tuple[int, ...]) -> list[np.ndarray]:
        """(..., players) of all arrays together -> (*axes, ...) of each."""
        parts = np.split(flat, self._ends[:-1], axis=-1)
        return [part.reshape(*axes, *shape) for part, shape in zip(parts, self._shapes, strict=True)]
