"""Arguments of metrics, checked: an error names the argument, what came and what is allowed."""

from __future__ import annotations

import math
import numbers
from typing import Any


def whole(name: str, value: Any, least: int) -> int:
    """An integer of at least `least`.

    Raises:
        TypeError, ValueError: It is none.
    """
    if isinstance(value, bool) or not isinstance(value, numbers.Integral):
        raise TypeError(f"{name} must be an integer >= {least}, got {value!r}")
    if value < least:
        raise ValueError(f"{name} must be >= {least}, got {value!r}")
    return int(value)


def positive(name: str, value: Any, most: float = math.inf) -> float:
    """A number over 0 and up to `most`.

    Raises:
        TypeError, ValueError: It is none.
    """
    allowed = "a positive number" if most == math.inf else f"a number over 0 and up to {most:g}"
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} must be {allowed}, got {value!r}")
    if not 0 < float(value) <= most or not math.isfinite(value):
        raise ValueError(f"{name} must be {allowed}, got {value!r}")
    return float(value)
