"""A map that is a row of numbers, as bars: columns of a table or groups of them, steps of a series, tokens, units."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from xai_widgets.attribution import Attribution
from xai_widgets.layout import positions
from xai_widgets.trees import leaves

IN_ORDER = frozenset({"step", "position"})


class Bar(NamedTuple):
    """What one or several places have together: `value`, of `width` places from `start` on where these are in order."""

    name: str
    value: float
    start: int
    width: int


def kind(attribution: Attribution, place: int, features: Sequence[str]) -> str:
    """What the numbers of the map at a place belong to: "feature", "step", "position" (of a token) or "unit"."""
    values, inputs = leaves(attribution.values)[place], _input(attribution, place)
    of_layer = attribution.wrt is not None or (attribution.segments is None and values.shape != inputs.shape)
    if of_layer and attribution.method.per_channel and values.ndim == 2:
        return "unit"
    if len(positions(inputs.shape)) == 1:
        return "step"
    ids = len(features) != inputs.shape[-1] and _are_ids(inputs)
    return "position" if ids or values.ndim > 2 else "feature"


def bars(
    attribution: Attribution, heat: np.ndarray, place: int, sample: int, features: Sequence[str] = ()
) -> list[Bar]:
    """A bar for each number of a sample's map, or for each segment, in the order of the inputs.

    Args:
        attribution: Where the map is from.
        heat: (d,) the map.
        place: Which of its maps that is.
        sample: Of which sample.
        features: Names of the numbers, if there are as many.
    """
    what = kind(attribution, place, features)
    names = features if len(features) == len(heat) else ()
    return [
        Bar(_name(members, what, names), float(heat[members[0]]), int(members[0]), len(members))
        for members in _groups(attribution, place, sample, len(heat), what)
    ]


def _groups(attribution: Attribution, place: int, sample: int, count: int, what: str) -> list[np.ndarray]:
    every = np.arange(count)
    if attribution.segments is None:
        return np.split(every, count)
    labels = leaves(attribution.segments)[place][sample].reshape(-1)
    if what in IN_ORDER:
        return np.split(every, np.flatnonzero(np.diff(labels)) + 1)
    return [np.flatnonzero(labels == label) for label in np.unique(labels)]


def _name(members: np.ndarray, what: str, names: Sequence[str]) -> str:
    first, last, count = int(members[0]), int(members[-1]), len(members)
    name = names[first] if names else f"{what} {first}"
    if count == 1:
        return name
    if names or last - first >= count:
        return f"{name} and {count - 1} more"
    return f"{what}s {first} to {last}"


def _are_ids(inputs: np.ndarray) -> bool:
    """Whether these may be token ids. A table of counts may be taken for them: then its columns stay in their order."""
    return inputs.ndim == 2 and bool((inputs == np.floor(inputs)).all() and inputs.min() >= 0 and inputs.max() > 1)


def _input(attribution: Attribution, place: int) -> np.ndarray:
    """The input that a map belongs to: of several calls of a layer the first."""
    inputs = leaves(attribution.inputs)
    return inputs[place] if len(inputs) == len(leaves(attribution.values)) else inputs[0]
