"""Random grids of cells that are kept or replaced, and how uncertain a map is that they make."""

from __future__ import annotations

import functools
import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from xai_widgets.engine.masks import places


class Grids:
    """Random grids for `by_grid`, the same for a seed however they are asked for.

    Where half of the nodes are kept, masks come in randomised Hadamard blocks: a block's rows of signs are orthogonal
    for any two nodes, and which of a Hadamard matrix's columns stands for a node, and with which sign, is drawn anew
    for each block. All masks of a block share their shift, and the shifts of the blocks spread evenly (they follow
    Roberts' sequence from a random start); taken for itself each mask is as likely as any other.

    Args:
        site: What is masked, an array (n, ...) each.
        cells: Along each axis; of a table each feature is a node.
        keep: How likely a node is kept.
        seed: Of the draw.

    Attributes:
        cells: Of each array the lengths (1, axes) of a cell, in positions; without axes for a table.
        block: Masks that belong together.
        orthogonal: Whether they are so.
        shifted: Whether there are shifts.
    """

    def __init__(self, site: Sequence[np.ndarray], cells: int, keep: float, seed: int) -> None:
        self._keep, self._seed, self._dtype = keep, seed, site[0].dtype
        self._tables = [array.ndim == 2 for array in site]
        sizes = [places(array.shape) for array in site]
        counts = [
            size if table else tuple(min(cells, length) for length in size)
            for size, table in zip(sizes, self._tables, strict=True)
        ]
        # Between the nodes of a shifted grid a last cell reaches over the end: one node more than ends of cells.
        self._nodes = [
            size if table else tuple(count + 2 for count in size)
            for size, table in zip(counts, self._tables, strict=True)
        ]
        self.cells = [
            np.divide(size, count)[None, : 0 if table else None].astype(self._dtype)
            for size, count, table in zip(sizes, counts, self._tables, strict=True)
        ]
        self.shifted = not all(self._tables)
        self._total = sum(math.prod(nodes) for nodes in self._nodes)
        # More than nodes: the constant column would take a node for the mean score, and what is left over of the rest
        # tells how much of the score is chance.
        self._orders = 1 << int(1.25 * self._total).bit_length()
        self.orthogonal = keep == 0.5 and self._orders <= _LARGEST_BLOCK
        self.block = self._orders if self.orthogonal else _BLOCK
        random = np.random.default_rng([seed, 1])
        self._origins = [random.random(len(nodes)) for nodes in self._nodes]
        self._made: dict[int, _Block] = {}

    def rows(self, rows: slice, ends: bool = False) -> list[np.ndarray]:
        """What `by_grid` takes for some masks; with `ends` the one that keeps all goes first, and then that of none."""
        blocks, within = self._blocks(rows)
        which = np.arange(within.start, within.stop, dtype=np.int32) // (self.block if self.orthogonal else 1)
        moving = []
        for place, size in enumerate(self._nodes):
            nodes = np.concatenate([block.kept[place] for block in blocks])[within].astype(self._dtype)
            shifts = np.concatenate([block.shifts[place] for block in blocks]).astype(self._dtype)
            if ends:
                nodes = np.concatenate([np.ones((1, *size), nodes.dtype), np.zeros((1, *size), nodes.dtype), nodes])
            moving += [nodes, shifts, np.append(which[:1].repeat(2), which) if ends else which]
        return moving

    def nodes(self, rows: slice) -> np.ndarray:
        """(k, nodes) bool, of all arrays together."""
        blocks, within = self._blocks(rows)
        flat = [np.concatenate([part.reshape(self.block, -1) for part in block.kept], axis=1) for block in blocks]
        return np.concatenate(flat)[within]

    def _blocks(self, rows: slice) -> tuple[list[_Block], slice]:
        """The blocks that hold some rows; and where in them the rows are.

        Blocks are kept until others are asked for: the scores of their masks come back to them.
        """
        numbers = range(rows.start // self.block, -(-rows.stop // self.block))
        if any(number not in self._made for number in numbers):
            self._made = {number: self._made.get(number) or self._block(number) for number in numbers}
        first = numbers.start * self.block
        return [self._made[number] for number in numbers], slice(rows.start - first, rows.stop - first)

    def _block(self, number: int) -> _Block:
        if self.orthogonal:
            kept = _orthogonal(self._orders, self._total, self._seed, number)
        else:
            random = _random(self._seed, number)
            kept = random.random((self.block, self._total)) < self._keep
        made, shifts, start = [], [], 0
        for nodes, table, origin in zip(self._nodes, self._tables, self._origins, strict=True):
            stop = start + math.prod(nodes)
            made.append(kept[:, start:stop].reshape(-1, *nodes))
            start = stop
            if self.orthogonal or table:
                shifts.append((origin + number * _roberts(len(nodes)))[None] % 1)
            else:
                shifts.append(random.random((self.block, len(nodes))))
        return _Block(made, shifts)


class _Block(NamedTuple):
    """Of each array the nodes (block, ...) bool that its masks keep, and the shifts (1 or block, axes) of its grids."""

    kept: list[np.ndarray]
    shifts: list[np.ndarray]


_BLOCK, _LARGEST_BLOCK = 64, 2048


def _random(seed: int, number: int) -> np.random.Generator:
    """What a block is drawn from."""
    return np.random.default_rng([seed, 0, number])


@functools.lru_cache(maxsize=16)  # a slider runs the same draw again and again
def _orthogonal(orders: int, nodes: int, seed: int, number: int) -> np.ndarray:
    """(orders, nodes) bool: which nodes the masks of a block keep."""
    random = _random(seed, number)
    columns = 1 + random.permutation(orders - 1)[:nodes]
    signs = 2 * random.integers(2, size=nodes) - 1
    return np.asarray(_hadamard(orders)[random.permutation(orders)][:, columns] == signs)


@functools.lru_cache(maxsize=1)
def _hadamard(order: int) -> np.ndarray:
    from scipy.linalg import hadamard

    return np.asarray(hadamard(order, np.int8))


class Spread:
    """Running mean and variance of the scores of grid masks, and which part of it makes a map uncertain.

    Of independent masks it is all of the variance. Within an orthogonal block no node's effect disturbs another's: only
    what is not linear in the nodes does, so that the variance left by a linear fit to each block counts.

    Args:
        grids: The masks.
        count: Samples.

    Attributes:
        masks: So far.
    """

    def __init__(self, grids: Grids, count: int) -> None:
        self._grids, self.masks = grids, 0
        self._sum, self._square = np.zeros(count), np.zeros(count)
        self._rest, self._free = np.zeros(count), 0
        self._open: list[np.ndarray] = []

    def add(self, rows: slice, scores: np.ndarray) -> None:
        """Take in the scores (n, k) of the masks of some rows."""
        self.masks += scores.shape[1]
        self._sum += scores.sum(axis=1)
        self._square += (scores**2).sum(axis=1)
        if not self._grids.orthogonal:
            return
        block = self._grids.block
        waiting = np.concatenate([*self._open, scores], axis=1)
        start = rows.stop - waiting.shape[1]
        whole = waiting.shape[1] // block * block
        if whole:
            self._close(slice(start, start + whole), waiting[:, :whole])
        self._open = [waiting[:, whole:]]

    def _close(self, rows: slice, scores: np.ndarray) -> None:
        """Take in blocks that are whole."""
        signs = np.where(self._grids.nodes(rows), 1.0, -1.0)
        blocks, (count, nodes) = len(signs) // self._grids.block, (self._grids.block, signs.shape[1])
        each = scores.reshape(len(scores), blocks, count).swapaxes(0, 1)
        effects = each @ signs.reshape(blocks, count, nodes) / count
        around = each - each.mean(axis=2, keepdims=True)
        self._rest += (around**2).sum(axis=(0, 2)) - count * (effects**2).sum(axis=(0, 2))
        self._free += blocks * (count - 1 - nodes)

    @property
    def mean(self) -> np.ndarray:
        """(n,) of the scores."""
        return self._sum / self.masks

    @property
    def variance(self) -> np.ndarray:
        """(n,) of the scores that were seen."""
        return np.maximum(self._square / self.masks - self.mean**2, 0)

    @property
    def unexplained(self) -> np.ndarray:
        """(n,) the variance of the scores that makes a map uncertain; before a block is whole, all of it."""
        everything = self.variance * self.masks / max(self.masks - 1, 1)
        if not self._free:
            return everything
        rest = np.maximum(self._rest / self._free, 0)
        linear = np.maximum(everything - rest, 0)
        block, waiting = self._grids.block, self._open[0].shape[1]
        whole = self.masks - waiting
        shifts = _FEW_SHIFTS if self._grids.shifted and whole < _SHIFTS * block else 0.0
        return rest + linear * (whole * shifts + waiting * (1 - waiting / block)) / self.masks


# So many blocks have shifts that fill the cell; from fewer, the share of what is linear that their shifts leave open
# (measured on the digits: a fifth with one block, a sixth with two).
_SHIFTS, _FEW_SHIFTS = 4, 0.2


@functools.cache
def _roberts(axes: int) -> np.ndarray:
    """Steps of a sequence that fills the cube evenly: powers of the root of x^(axes + 1) = x + 1 (Roberts, 2018)."""
    root = 2.0
    for _ in range(40):
        root = (1 + root) ** (1 / (axes + 1))
    return root ** -np.arange(1.0, axes + 1)
