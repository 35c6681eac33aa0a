"""RISE: random masks, weighted by what the score makes of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from xai_widgets.baselines import Baseline, Constant
from xai_widgets.declare import param
from xai_widgets.methods.base import Frame, Inputs, Method, relative
from xai_widgets.methods.masking import Masking, forecast

if TYPE_CHECKING:
    from xai_widgets.engine.model import ModelView
    from xai_widgets.engine.score import Score


@dataclass(frozen=True, eq=False, repr=False)
class RISE(Method):
    """Sum over random masks of (score - mean score) times the mask, over samples times keep (Petsiuk et al., 2018).

    Without the mean score, the control variate, many times the masks are needed. Masks are coarse grids, shifted at
    random and linear between their nodes; of tables and token ids each feature is kept or replaced for itself. Several
    inputs are masked at the same time, independently.
    """

    name = "rise"
    label = "RISE"

    samples: int = param(1024, ge=2, soft_max=8192, doc="Masks, one pass of the model each.")
    grid: int = param(7, ge=1, soft_max=32, doc="Cells of a mask along each axis.")
    keep: float = param(0.5, gt=0, soft_max=0.9, step=0.05, doc="How likely a cell is kept, below 1.")
    baseline: Baseline = param(Constant(0.0), doc="What the rest is replaced by.")
    seed: int = param(0, ge=0, kind="seed", doc="Another seed, other masks.")

    @property
    def reading(self) -> str:
        return "The map shows which places, when kept, raise (+) or lower (\u2212) the score of {target}"

    def frames(self, view: ModelView, score: Score, inputs: Inputs) -> Iterator[Frame]:
        from xai_widgets.engine.masks import by_grid, grid_moments

        if self.keep >= 1:
            raise ValueError(f"RISE.keep must be below 1, got {self.keep}: nothing would be masked")
        masking = Masking(view, score, self.baseline, inputs)
        dtype = masking.site[0].dtype
        grids = _Grids(masking.sizes, [array.ndim == 2 for array in masking.site], self.grid, self.keep, self.seed)
        scores = masking.scores(by_grid)
        whole, absent = scores(grids.ends(dtype)).T
        middle = (whole + absent) / 2
        sums: list[np.ndarray] | None = None
        total, squares = np.zeros(len(inputs)), np.zeros(len(inputs))
        for call in masking.calls(self.samples):
            moving = grids.rows(call, dtype)
            # About its middle: sums of squares lose no digits.
            found = scores(moving) - middle[:, None]
            part = [array.astype(np.float64) for array in grid_moments(view, masking.site, moving, found)]
            sums = part if sums is None else [one + other for one, other in zip(sums, part, strict=True)]
            total += found.sum(axis=1)
            squares += (found**2).sum(axis=1)
            done = call.stop
            pairs = [_estimate(one, total / done, squares / done, done, self.keep) for one in sums]
            values, error = (_shaped(arrays, masking) for arrays in zip(*pairs, strict=True))
            change = relative(error, values) if call.stop > 1 else None
            yield Frame(
                values,
                progress=call.stop / self.samples,
                passes=call.stop * masking.references,
                total=self.samples * masking.references,
                error=error if call.stop > 1 else None,
                change=change,
                baseline=masking.shown,
                baseline_score=absent,
                score=whole,
                notes=(*masking.notes, *(forecast(call.stop, change) if call.stop == self.samples else ())),
            )


def _shaped(arrays: Sequence[np.ndarray], masking: Masking) -> list[np.ndarray]:
    """Flat maps as (n, *size, 1), of tables (n, d)."""
    return [
        flat.reshape(len(flat), *size, *([1] if array.ndim > 2 else []))
        for flat, size, array in zip(arrays, masking.sizes, masking.site, strict=True)
    ]


def _estimate(
    sums: np.ndarray, mean: np.ndarray, square: np.ndarray, count: int, keep: float
) -> tuple[np.ndarray, np.ndarray]:
    """Values (n, positions) and their standard errors.

    The values are covariances of score and mask over `keep`; what varies in them is (s - mean s) (M - mean M).

    Args:
        sums: (n, 3, 2, positions), see `grid_moments`.
        mean, square: (n,) means of the scores and of their squares.
        count: Masks so far.
        keep: As in `RISE`.
    """
    (m, mm), (sm, smm), (ssm, ssmm) = (sums / count).transpose(1, 2, 0, 3)
    mean, square = mean[:, None], square[:, None]
    values = sm - mean * m
    seconds = (
        (ssmm - 2 * mean * smm + mean**2 * mm) - 2 * m * (ssm - 2 * mean * sm + mean**2 * m) + m**2 * (square - mean**2)
    )
    variance = np.maximum(seconds - values**2, 0) / max(count - 1, 1)
    return values / keep, np.sqrt(variance) / keep


_BLOCK = 64


class _Grids:
    """Random grids, the same for a seed however they are asked for."""

    def __init__(
        self, sizes: Sequence[tuple[int, ...]], tables: Sequence[bool], cells: int, keep: float, seed: int
    ) -> None:
        self._keep, self._seed, self._tables = keep, seed, tables
        # Of a table each feature is a cell, and nothing lies between two.
        cells_of = [
            [length if table else min(cells, length) for length in size]
            for size, table in zip(sizes, tables, strict=True)
        ]
        self._nodes = [tuple(np.add(parts, 0 if table else 2)) for parts, table in zip(cells_of, tables, strict=True)]
        self._cells = [np.divide(size, parts) for size, parts in zip(sizes, cells_of, strict=True)]

    def rows(self, rows: slice, dtype: np.dtype) -> list[np.ndarray]:
        """Nodes, shifts and cells of each array, as `by_grid` takes them, of the masks asked for."""
        blocks = range(rows.start // _BLOCK, -(-rows.stop // _BLOCK))
        within = slice(rows.start - blocks.start * _BLOCK, rows.stop - blocks.start * _BLOCK)
        made = [self._block(number) for number in blocks]
        moving = []
        for place, cell in enumerate(self._cells):
            nodes, shifts = (np.concatenate([block[place][part] for block in made])[within] for part in (0, 1))
            moving += [nodes.astype(dtype), shifts.astype(dtype), cell.astype(dtype)]
        return moving

    def ends(self, dtype: np.dtype) -> list[np.ndarray]:
        """The mask that keeps all, and that which keeps nothing."""
        moving = []
        for nodes, cell in zip(self._nodes, self._cells, strict=True):
            both = np.broadcast_to(np.array([1, 0], dtype).reshape(-1, *[1] * len(nodes)), (2, *nodes))
            moving += [both, np.zeros((2, len(nodes)), dtype), cell.astype(dtype)]
        return moving

    def _block(self, number: int) -> list[tuple[np.ndarray, np.ndarray]]:
        made = []
        for place, (nodes, table) in enumerate(zip(self._nodes, self._tables, strict=True)):
            random = np.random.default_rng([self._seed, place, number])
            kept = random.random((_BLOCK, *nodes)) < self._keep
            shifts = np.zeros((_BLOCK, 1)) if table else random.random((_BLOCK, len(nodes)))
            made.append((kept, shifts))
        return made
