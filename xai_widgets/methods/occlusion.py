"""Occlusion: a window moves over the input, and the score drops where it covers what matters."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from xai_widgets.baselines import Baseline, Constant
from xai_widgets.declare import param
from xai_widgets.methods.base import Frame, Inputs, Method
from xai_widgets.methods.masking import Masking

if TYPE_CHECKING:
    from xai_widgets.engine.model import ModelView
    from xai_widgets.engine.score import Score


@dataclass(frozen=True, eq=False, repr=False)
class Occlusion(Method):
    """The drop of the score when a window is replaced by the baseline, averaged where windows overlap.

    Zeiler and Fergus, 2014. Windows that tile the input come first, those between them later. Of several inputs one is
    occluded at a time, the others are whole.
    """

    family: ClassVar[str] = "Perturbation"
    differentiates: ClassVar[bool] = False
    window: Any = param(
        None,
        ge=1,
        soft_max=64,
        kind="size",
        doc="Side of the window, or one for each axis; by default an eighth of the input, or one feature of a table.",
    )
    stride: Any = param(
        None,
        ge=1,
        soft_max=64,
        kind="size",
        doc="Step from window to window, at most its side; by default half of it, of volumes all of it.",
    )
    baseline: Baseline = param(Constant(0.0), doc="What a window is replaced by.")

    def __post_init__(self) -> None:
        super().__post_init__()
        axes = {len(given) for given in (self.window, self.stride) if isinstance(given, tuple)}
        if self.window is not None and self.stride is not None and len(axes) < 2:
            _check_stride(self.window, self.stride)

    @property
    def reading(self) -> str:
        return "The map shows by how much the score of {target} falls (+) or rises (\u2212) when a place is covered"

    def check(self, view: ModelView, inputs: Inputs) -> None:
        from xai_widgets.engine.masks import places

        super().check(view, inputs)
        if view.wrt is None:
            for array in view.enter([array[:1] for array in inputs.arrays], inputs.structure):
                self._sides(array.ndim == 2, places(array.shape))

    def frames(self, view: ModelView, score: Score, inputs: Inputs) -> Iterator[Frame]:
        from xai_widgets.engine.masks import by_window

        masking = Masking(view, score, self.baseline, inputs)
        windows = self._windows(masking)
        total = len(windows[0])
        ends = [np.array([[(0, 0), (0, length)] for length in size], np.int32).swapaxes(0, 1) for size in masking.sizes]
        scores = masking.scores(by_window)
        drops = [_Mean(len(inputs), size) for size in masking.sizes]
        whole = absent = outputs = None
        for call in masking.calls(total):
            now = [bounds[call] for bounds in windows]
            if whole is None:  # what is whole and what is absent go along once
                found, _, outputs = scores.look([np.concatenate(both) for both in zip(ends, now, strict=True)])
                (whole, absent), found = found[:, :2].T, found[:, 2:]
            else:
                found = scores(now)
            for drop, bounds in zip(drops, now, strict=True):
                drop.add(bounds, whole[:, None] - found)
            yield Frame(
                [
                    drop.values() if array.ndim == 2 else drop.values()[..., None]
                    for drop, array in zip(drops, masking.site, strict=True)
                ],
                progress=call.stop / total,
                passes=call.stop * masking.references,
                total=total * masking.references,
                baseline=masking.shown,
                baseline_score=absent,
                outputs=outputs,
                score=whole,
                facts=masking.facts,
            )

    def _windows(self, masking: Masking) -> list[np.ndarray]:
        """Bounds (k, axes, 2) of all windows in each array: one array's after another's, elsewhere they are empty."""
        plans = [self._plan(array.ndim == 2, size) for array, size in zip(masking.site, masking.sizes, strict=True)]
        stops = np.cumsum([len(plan) for plan in plans])
        windows = [np.zeros((stops[-1], *plan.shape[1:]), np.int32) for plan in plans]
        for bounds, plan, stop in zip(windows, plans, stops, strict=True):
            bounds[stop - len(plan) : stop] = plan
        return windows

    def _plan(self, table: bool, size: tuple[int, ...]) -> np.ndarray:
        """Bounds (k, axes, 2) of the windows of an array, those first that tile it, each time from near and far."""
        return _bounds(size, *self._sides(table, size))

    def _sides(self, table: bool, size: tuple[int, ...]) -> tuple[tuple[int, ...], tuple[int, ...]]:
        """Window and stride along each axis of an array that is masked along axes of some sizes."""
        window = _each(self.window, size, "window") or tuple(1 if table else max(1, round(one / 8)) for one in size)
        window = tuple(min(side, length) for side, length in zip(window, size, strict=True))
        half = window if len(size) > 2 else tuple(max(1, side // 2) for side in window)
        stride = _each(self.stride, size, "stride") or half
        _check_stride(window, stride)
        return window, stride


@functools.lru_cache(maxsize=4)  # the same for every sample, target and baseline
def _bounds(size: tuple[int, ...], window: tuple[int, ...], stride: tuple[int, ...]) -> np.ndarray:
    from xai_widgets.engine.path import spread

    axes = [_starts(*one) for one in zip(size, window, stride, strict=True)]
    starts, tiles = (np.stack(np.meshgrid(*part, indexing="ij"), axis=-1) for part in zip(*axes, strict=True))
    bounds = np.stack([starts, starts + window], axis=-1).reshape(-1, len(size), 2)
    tiling = tiles.all(axis=-1).ravel()
    groups = (bounds[group] for group in (tiling, ~tiling) if group.any())
    return np.concatenate([group[spread(len(group))] for group in groups])


def _check_stride(window: int | tuple[int, ...], stride: int | tuple[int, ...]) -> None:
    if np.any(np.less(window, stride)):
        raise ValueError(
            f"Occlusion.stride must be at most the window, {window}, got {stride}: places would be left out"
        )


def _starts(length: int, side: int, step: int) -> tuple[np.ndarray, np.ndarray]:
    """Where windows start along an axis, the last at its end; and which of them cover it with the fewest overlaps."""
    starts = np.array([*range(0, length - side, step), length - side])
    return starts, (np.arange(len(starts)) % max(1, side // step) == 0) | (starts == length - side)


class _Mean:
    """Running mean over the windows that cover a place."""

    def __init__(self, count: int, size: tuple[int, ...]) -> None:
        self._sums, self._counts = np.zeros((count, *size)), np.zeros(size)

    def add(self, bounds: np.ndarray, drop: np.ndarray) -> None:
        """Take in the drops (n, k) of windows (k, axes, 2)."""
        first, *others = (
            ((low <= np.arange(length)) & (np.arange(length) < high)).astype(float)
            for length, (low, high) in zip(self._counts.shape, bounds.transpose(1, 2, 0)[..., None], strict=True)
        )
        # A window is a product over the axes: what it covers is never written out.
        rest = np.ones((len(bounds), 1))
        for other in others:
            rest = (rest[:, :, None] * other[:, None]).reshape(len(bounds), -1)
        self._sums += ((drop[:, None] * first.T) @ rest).reshape(self._sums.shape)
        self._counts += (first.T @ rest).reshape(self._counts.shape)

    def values(self) -> np.ndarray:
        """(n, *size); a place that no window has covered yet shows what the nearest covered one does."""
        means = self._sums / np.maximum(self._counts, 1)
        if self._counts.all() or not self._counts.any():
            return means
        from scipy.ndimage import distance_transform_edt

        nearest = distance_transform_edt(self._counts == 0, return_distances=False, return_indices=True)
        return means[(slice(None), *nearest)]


def _each(given: Any, size: tuple[int, ...], name: str) -> tuple[int, ...] | None:
    """One number for each axis, None where it is to be chosen."""
    if given is None:
        return None
    if isinstance(given, int):
        return (given,) * len(size)
    if len(given) != len(size):
        raise ValueError(f"Occlusion.{name} must be one number or {len(size)}, for the axes {size}, got {given}")
    return given
