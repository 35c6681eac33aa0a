"""The range of inputs, for methods that have parameters `low` and `high`."""

from __future__ import annotations

from typing import Any

import numpy as np

from xai_widgets.layout import usual_range


def limits(method: str, array: np.ndarray, low: Any, high: Any) -> tuple[np.ndarray, np.ndarray]:
    """Smallest and largest values, each of the shape of the inputs (n, ...).

    Args:
        method: Whose parameters they are.
        array: The inputs.
        low, high: What was given, or None for the usual range of each sample.

    Raises:
        ValueError: A limit does not fit the inputs, or nothing lies between both.
    """
    smallest, largest = usual_range(array)
    if low is None and high is None:
        largest = np.where(largest > smallest, largest, smallest + 1)
    smallest = smallest if low is None else _fitted(f"{method}.low", low, array)
    largest = largest if high is None else _fitted(f"{method}.high", high, array)
    smallest, largest = (np.broadcast_to(end, array.shape).astype(array.dtype) for end in (smallest, largest))
    if not (smallest < largest).all():
        raise ValueError(
            f"{method}.low must be below high everywhere, got {smallest.max():.4g} and {largest.min():.4g}"
        )
    return smallest, largest


def _fitted(name: str, limit: Any, array: np.ndarray) -> np.ndarray:
    limit, sample = np.asarray(limit), array.shape[1:]
    if limit.ndim and limit.shape not in (sample, sample[-1:]):
        raise ValueError(
            f"{name} must be a number, {sample[-1]} values (one for each channel or feature) or "
            f"an array of shape {sample}, got shape {limit.shape}"
        )
    return limit
