"""Traits that check what they are given and say what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import traitlets


class Checked(traitlets.TraitType[Any, Any]):
    """A trait whose check may ask the widget, and raises ValueError or TypeError where the value was set."""

    def __init__(self, default: Any, check: Callable[[Any, Any], Any]) -> None:
        super().__init__(default)
        self._check = check

    def validate(self, obj: Any, value: Any) -> Any:
        return self._check(obj, value)


def number(default: float, low: float, high: float) -> Checked:
    """A number from low to high."""

    def check(_: Any, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
            raise TypeError(f"{trait.name} must be a number from {low} to {high}, got {value!r}")
        if not low <= value <= high:
            raise ValueError(f"{trait.name} must be from {low} to {high}, got {value!r}")
        return float(value)

    trait = Checked(default, check)
    return trait


def choice(choices: tuple[str, ...]) -> Checked:
    """One of some words; the first is the default."""

    def check(_: Any, value: Any) -> str:
        if not isinstance(value, str) or value not in choices:
            raise ValueError(f"{trait.name} must be one of {', '.join(map(repr, choices))}, got {value!r}")
        return value

    trait = Checked(choices[0], check)
    return trait


def whole(name: str, value: Any, least: int) -> int:
    """An integer of a trait, from `least`."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name} must be an integer from {least}, got {value!r}")
    if value < least:
        raise ValueError(f"{name} must be from {least}, got {value}")
    return int(value)
