"""Arrays and values between Python and the browser."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np


def finite(value: Any) -> Any:
    """JSON that every browser reads: NaN and infinite numbers become None, NumPy scalars plain ones."""
    if isinstance(value, dict):
        return {key: finite(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [finite(one) for one in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def pack(maps: Sequence[np.ndarray], dtype: str = "float16") -> tuple[list[dict[str, Any]], bytes]:
    """Headers and one buffer of maps, each divided by its largest value so that none under- or overflows.

    Args:
        maps: One of each input.
        dtype: "float16", or "float32" for few numbers that are added up.

    Returns:
        `[{input, shape, dtype, scale, offset}]` and the bytes, little endian, C order.
    """
    headers, parts, offset = [], [], 0
    for place, array in enumerate(maps):
        largest = float(np.abs(array).max(initial=0.0))
        scale = largest or 1.0
        part = np.ascontiguousarray(array / scale, np.dtype(dtype).newbyteorder("<")).tobytes()
        header = {"input": place, "shape": list(array.shape), "dtype": dtype, "scale": scale, "offset": offset}
        headers.append(header)
        parts.append(part)
        offset += len(part)
    return headers, b"".join(parts)


def value_range(array: np.ndarray) -> tuple[float, float]:
    """The range that inputs are drawn in: 0..1 or 0..255 where the values fit, else their own."""
    low, high = float(array.min()), float(array.max())
    for least, most in ((0.0, 1.0), (0.0, 255.0)):
        if least <= low and high <= most:
            return least, most
    return (low, high) if high > low else (low, low + 1)


def picture(sample: np.ndarray, limits: tuple[float, float]) -> dict[str, Any] | None:
    """One sample (H, W, C) as `{shape: [H, W, 1 or 3], data}` with uint8 values; None where it is no picture.

    More than three channels are shown as their mean, two likewise.
    """
    if sample.ndim == 2:
        sample = sample[..., None]
    if sample.ndim != 3:
        return None
    if sample.shape[-1] not in (1, 3):
        sample = sample.mean(axis=-1, keepdims=True)
    low, high = limits
    bytes_ = np.clip((sample - low) / (high - low) * 255 + 0.5, 0, 255).astype(np.uint8)
    return {"shape": list(bytes_.shape), "data": bytes_.tobytes()}


def color_tables(names: Sequence[str]) -> dict[str, Any]:
    """matplotlib's colour maps as `{name: {diverging, data}}`, 256 RGB entries each.

    Raises:
        ValueError: A name is not one of matplotlib's.
    """
    from matplotlib import colormaps

    from xai_widgets.declare import nearest

    tables = {}
    for name in names:
        if name not in colormaps:
            raise ValueError(f"unknown colormap {name!r}{nearest(name, list(colormaps))}")
        table = colormaps[name](np.linspace(0, 1, 256), bytes=True)[:, :3]
        tables[name] = {"diverging": name.removesuffix("_r") in _DIVERGING, "data": table.tobytes()}
    return tables


_DIVERGING = frozenset(
    "PiYG PRGn BrBG PuOr RdGy RdBu RdYlBu RdYlGn Spectral coolwarm bwr seismic berlin managua vanimo".split()
)
