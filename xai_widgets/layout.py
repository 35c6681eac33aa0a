"""Which axes of an input are positions, which one holds channels or features, and which values they usually have."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

_SMALLEST_PICTURE = 8
_OVERSHOOT = 0.05  # resampled pictures go a little beyond their range


def has_channels(shape: Sequence[int]) -> bool:
    """Whether the last axis of inputs of a shape (N, ...) holds channels.

    Of (N, d) it holds features, which are shown one by one. (N, A, B) is a series of A steps, unless it is square and
    at least 8 x 8: then it is a grey picture without a channel axis, as in `keras.Input((28, 28))`.
    """
    return len(shape) > 3 or (len(shape) == 3 and not (shape[1] == shape[2] >= _SMALLEST_PICTURE))


def positions(shape: Sequence[int]) -> tuple[int, ...]:
    """The sizes of the axes of positions: (H, W) of a picture, (T,) of a series, () of a table."""
    if len(shape) < 3:
        return ()
    return tuple(shape[1:-1] if has_channels(shape) else shape[1:])


def usual_range(array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Smallest and largest values (n, 1, ...) that samples like each of (n, ...) have; never less than its own range.

    Pictures come in 0 to 1 or in 0 to 255: what fits has that range. Anything else has that of its own values.
    """
    axes = tuple(range(1, array.ndim))
    low, high = array.min(axis=axes, keepdims=True), array.max(axis=axes, keepdims=True)
    if len(positions(array.shape)) < 2:
        return low, high
    common = np.where(high <= 1 + _OVERSHOOT, 1.0, 255.0)
    fits = (low >= -_OVERSHOOT * common) & (high <= (1 + _OVERSHOOT) * common)
    return np.where(fits, np.minimum(low, 0), low), np.where(fits, np.maximum(high, common), high)
