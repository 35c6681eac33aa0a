"""Which axes of an input are positions and which one holds channels or features."""

from __future__ import annotations

from collections.abc import Sequence

_SMALLEST_PICTURE = 8


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
