"""The parts of an input that are removed together: single positions, cells of a grid, or segments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from xai_widgets.attribution import Attribution
from xai_widgets.trees import leaves


@dataclass(frozen=True)
class Parts:
    """Parts of some samples, numbered through all inputs, and what an attribution gives to each.

    Attributes:
        labels: Which part each position belongs to, (n, *positions) int for each input.
        values: (n, parts), NaN where a sample has fewer parts.
    """

    labels: tuple[np.ndarray, ...]
    values: np.ndarray

    @property
    def sizes(self) -> np.ndarray:
        """(n,) how many parts each sample has."""
        return np.isfinite(self.values).sum(axis=1)

    def rows(self, rows: slice) -> Parts:
        """The parts of some of the samples."""
        return Parts(tuple(labels[rows] for labels in self.labels), self.values[rows])

    def spread(self, gone: np.ndarray) -> list[np.ndarray]:
        """From parts (n, k, parts) to positions, (n, k, *positions) for each input."""
        found = []
        for labels in self.labels:
            flat = np.take_along_axis(gone, labels.reshape(len(labels), 1, -1), axis=2)
            found.append(flat.reshape(*flat.shape[:2], *labels.shape[1:]))
        return found

    def ranks(self, seed: int) -> np.ndarray:
        """(n, parts) place of each part from the largest value down; equal values are in random order."""
        shuffled = np.random.default_rng(seed).permutation(self.values.shape[1])
        order = shuffled[np.argsort(-self.values[:, shuffled], axis=1, kind="stable")]
        return np.argsort(order, axis=1)

    def with_values(self, values: Sequence[np.ndarray]) -> Parts:
        """The same parts with sums of other values, (n, *positions) for each input; segments are not summed."""
        sums = np.where(np.isfinite(self.values), 0.0, np.nan)
        for labels, array in zip(self.labels, values, strict=True):
            for total, places, given in zip(sums, labels, array, strict=True):
                np.add.at(total, places.reshape(-1), given.reshape(-1))
        return Parts(self.labels, sums)


def finest(attribution: Attribution) -> Parts:
    """Every segment, position or feature is a part: what `insertion` and `deletion` move one by one."""
    if attribution.segments is not None:
        return _segments(attribution)
    return _numbered(_maps(attribution), [None] * len(leaves(attribution.inputs)))


def coarse(attribution: Attribution, cells: int) -> Parts:
    """Segments, features, or cells of a grid with at most `cells` along each axis of positions.

    Features of a table and tokens of a text stay single: neighbours have nothing in common.
    """
    if attribution.segments is not None:
        return _segments(attribution)
    return _numbered(_maps(attribution), [cells if array.ndim > 2 else None for array in leaves(attribution.inputs)])


def _maps(attribution: Attribution) -> list[np.ndarray]:
    """The signed heat map of each input at its size.

    Raises:
        ValueError: The attribution has no map at the size of the inputs.
    """
    inputs = leaves(attribution.inputs)
    maps = [np.asarray(one, np.float64) for one in leaves(attribution.heatmap())]
    if len(maps) > len(inputs) == 1:  # a layer called several times on one input: its maps add up
        maps = [np.sum(maps, axis=0)]
    if len(maps) != len(inputs):
        raise ValueError(f"the attribution has {len(maps)} maps for {len(inputs)} inputs: a metric needs one for each")
    for one, array in zip(maps, inputs, strict=True):
        if one.shape != array.shape[: one.ndim]:
            raise ValueError(
                f"the attribution has a map of shape {one.shape} for inputs of shape {array.shape}: a metric needs one "
                "value for each position of the input"
            )
    return maps


def _segments(attribution: Attribution) -> Parts:
    labels, values, offset = [], [], 0
    for segments, array in zip(leaves(attribution.segments), leaves(attribution.values), strict=True):
        count = segments.reshape(len(segments), -1).max(axis=1) + 1
        present = np.arange(array.shape[1]) < count[:, None]
        values.append(np.where(present, array, np.nan))
        labels.append(segments + offset)
        offset += array.shape[1]
    return Parts(tuple(labels), np.concatenate(values, axis=1))


def _numbered(maps: Sequence[np.ndarray], cells: Sequence[int | None]) -> Parts:
    labels, offset = [], 0
    for one, count in zip(maps, cells, strict=True):
        numbers = _grid(one.shape[1:], count) + offset
        labels.append(np.broadcast_to(numbers, one.shape))
        offset = int(numbers.max()) + 1
    return Parts(tuple(labels), np.zeros((len(maps[0]), offset))).with_values(maps)


def _grid(shape: tuple[int, ...], cells: int | None) -> np.ndarray:
    """Numbers of the cells of a grid over some positions; without `cells`, of the positions."""
    if cells is None:
        return np.arange(int(np.prod(shape))).reshape(shape)
    counts = [min(size, cells) for size in shape]
    along = [np.arange(size) * count // size for size, count in zip(shape, counts, strict=True)]
    return np.ravel_multi_index(np.meshgrid(*along, indexing="ij"), counts)
