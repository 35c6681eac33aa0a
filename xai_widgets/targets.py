"""Targets as values: what is explained, where a class index alone does not say it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


class Target:
    """Base of all targets."""


@dataclass(frozen=True)
class Class(Target):
    """The score of one class, by index or name: the same as giving the class itself."""

    index: int | str


@dataclass(frozen=True)
class Margin(Target):
    """The score of one class minus that of another: why this one rather than that one."""

    first: int | str
    second: int | str


@dataclass(frozen=True)
class Output(Target):
    """One output of a model that has several, by name or place; `index` is its class, None for the predicted one."""

    name: str | int
    index: int | str | None = None


@dataclass(frozen=True)
class Neuron(Target):
    """What a layer computes: a channel (int), averaged over its positions, or one unit (a tuple without batch axis)."""

    layer: str
    index: int | tuple[int, ...]

    def __post_init__(self) -> None:
        index = self.index if isinstance(self.index, tuple) else (self.index,)
        if not index or any(isinstance(one, bool) or not isinstance(one, int | np.integer) for one in index):
            raise TypeError(f"Neuron.index must be an integer or a tuple of integers, got {self.index!r}")


@dataclass(frozen=True, eq=False)
class Region(Target):
    """The mean score of a class over a region of a dense output, (N, H, W, classes): of a segmentation, say.

    `mask` is (H, W) and True inside the region; it is copied.
    """

    mask: np.ndarray
    index: int | str

    def __post_init__(self) -> None:
        mask = np.array(self.mask, dtype=bool)
        if not mask.any():
            raise ValueError("Region.mask must be True somewhere")
        mask.flags.writeable = False
        object.__setattr__(self, "mask", mask)
