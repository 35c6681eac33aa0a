"""Positions of the controls whose maps a widget keeps, so that they move without a kernel."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from xai_widgets.declare import fields, nearest
from xai_widgets.methods import Method

MOST = 256
_OF_THE_WIDGET = ("target", "index")


@dataclass(frozen=True)
class Position:
    """Where the controls stand."""

    method: Method
    target: Any
    index: int


def positions(at: Position, wanted: Mapping[str, Sequence[Any]]) -> list[Position]:
    """Every combination of some values of a method's fields, targets and samples; what is not named stays as it is.

    Args:
        at: Where the controls stand.
        wanted: Fields of the method, "target" and "index", each with its values.

    Raises:
        TypeError: A name is unknown, or its values are no sequence.
        ValueError: There are no values, or too many combinations; a value is out of its bounds.
    """
    known = [*(field.name for field in fields(type(at.method))), *_OF_THE_WIDGET]
    for name, values in wanted.items():
        if name not in known:
            raise TypeError(f"record() has no {name!r} of {type(at.method).__name__}{nearest(name, known)}")
        if isinstance(values, str) or not isinstance(values, Sequence):
            raise TypeError(f"record({name}=...) must be a sequence of values, got {values!r}")
        if not values:
            raise ValueError(f"record({name}=...) must name at least one value")
    count = math.prod(len(values) for values in wanted.values())
    if not wanted or count > MOST:
        raise ValueError(f"record() takes 1 to {MOST} combinations of values, got {count if wanted else 0}")
    return list(_combined(at, wanted))


def _combined(at: Position, wanted: Mapping[str, Sequence[Any]]) -> Iterator[Position]:
    for values in itertools.product(*wanted.values()):
        chosen = dict(zip(wanted, values, strict=True))
        target, index = chosen.pop("target", at.target), chosen.pop("index", at.index)
        yield Position(at.method.replace(**chosen), target, index)
