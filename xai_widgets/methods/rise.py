"""RISE: random masks, weighted by what the score makes of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from xai_widgets.baselines import Baseline, Constant
from xai_widgets.declare import param
from xai_widgets.methods.base import Frame, Inputs, Method, relative
from xai_widgets.methods.masking import Masking

if TYPE_CHECKING:
    from xai_widgets.engine.grids import Spread
    from xai_widgets.engine.model import ModelView
    from xai_widgets.engine.score import Score


@dataclass(frozen=True, eq=False, repr=False)
class RISE(Method):
    """Sum over random masks of (score - mean score) times the mask, over samples times keep (Petsiuk et al., 2018).

    Masks are coarse grids, shifted at random and linear between their nodes; of tables and token ids each feature is
    kept or replaced for itself. Where `keep` is a half they come in randomised Hadamard blocks: each mask is as random
    as before, but within a block every node is kept in half of the masks, as any two are together in a quarter, which
    saves half of the masks or more (`benchmarks/README.md`). Several inputs are masked at the same time.
    """

    family: ClassVar[str] = "Perturbation"
    differentiates: ClassVar[bool] = False
    name = "rise"
    label = "RISE"

    samples: int = param(1024, ge=2, soft_max=8192, doc="Masks, one pass of the model each.")
    grid: int = param(7, ge=1, soft_max=32, doc="Cells of a mask along each axis.")
    keep: float = param(0.5, gt=0, soft_max=0.9, step=0.05, doc="How likely a cell is kept, below 1.")
    baseline: Baseline = param(Constant(0.0), doc="What the rest is replaced by.")
    seed: int = param(0, ge=0, kind="seed", doc="Another seed, other masks.")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.keep >= 1:
            raise ValueError(f"RISE.keep must be below 1, got {self.keep}: nothing would be masked")

    @property
    def reading(self) -> str:
        return "The map shows which places, when kept, raise (+) or lower (\u2212) the score of {target}"

    def frames(self, view: ModelView, score: Score, inputs: Inputs) -> Iterator[Frame]:
        from xai_widgets.engine.grids import Grids, Spread
        from xai_widgets.engine.masks import by_grid

        masking = Masking(view, score, self.baseline, inputs)
        grids = Grids(masking.site, self.grid, self.keep, self.seed)
        scores = masking.scores(by_grid, grids.cells)
        whole = absent = middle = outputs = None
        sums: list[np.ndarray] | None = None
        spread = Spread(grids, len(inputs))
        for call in masking.calls(self.samples):
            if middle is None:  # what is whole and what is absent go along once
                found, parts, outputs = scores.look(grids.rows(call, ends=True))
                (whole, absent), found = found[:, :2].T, found[:, 2:]
                for part in parts:  # of these two masks only the whole one, all of it 1, is in the sums
                    part -= np.stack([np.ones_like(whole), np.ones_like(whole), whole], axis=1)[..., None]
                # About the middle of its ends the score's sums of squares lose no digits.
                middle = (whole + absent) / 2
            else:
                found, parts, _ = scores.look(grids.rows(call))
            found -= middle[:, None]
            for part in parts:
                part[:, 2] -= middle[:, None] * part[:, 0]
            sums = parts if sums is None else [one + other for one, other in zip(sums, parts, strict=True)]
            spread.add(call, found)
            pairs = [_estimate(one / call.stop, spread, self.keep) for one in sums]
            values, error = (_shaped(arrays, masking) for arrays in zip(*pairs, strict=True))
            change = relative(error, values) if call.stop > 1 else None
            yield Frame(
                values,
                progress=call.stop / self.samples,
                passes=call.stop * masking.references,
                total=self.samples * masking.references,
                error=error if call.stop > 1 else None,
                change=change,
                drawn=call.stop,
                baseline=masking.shown,
                baseline_score=absent,
                outputs=outputs,
                score=whole,
                facts=masking.facts,
            )


def _shaped(arrays: Sequence[np.ndarray], masking: Masking) -> list[np.ndarray]:
    """Flat maps as (n, *size, 1), of tables (n, d)."""
    return [
        flat.reshape(len(flat), *size, *([1] if array.ndim > 2 else []))
        for flat, size, array in zip(arrays, masking.sizes, masking.site, strict=True)
    ]


def _estimate(means: np.ndarray, spread: Spread, keep: float) -> tuple[np.ndarray, np.ndarray]:
    """Values (n, positions), covariances of score and mask over `keep`, and their standard errors.

    Args:
        means: (n, 3, positions) of M, of M squared, and of M times the score.
        spread: Mean and variance of the scores.
        keep: As in `RISE`.
    """
    mask, square, product = means.transpose(1, 0, 2)
    values = product - spread.mean[:, None] * mask
    varies = np.maximum(square - mask**2, 0)
    # No covariance is larger; what is, of scores that hardly vary, is the rounding of large sums.
    most = _SLACK * np.sqrt(spread.variance[:, None] * varies)
    error = np.sqrt(spread.unexplained[:, None] * varies / spread.masks)
    return np.clip(values, -most, most) / keep, error / keep


_SLACK = 1.001
