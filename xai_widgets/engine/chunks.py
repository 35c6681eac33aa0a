"""How much one call of a compiled function takes: about 100 ms of work or less on a common network."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

_LONG = 16


class Work(NamedTuple):
    """What one row of the inputs costs a model, from above.

    Attributes:
        multiplications: Each weight meets every position of what its layer takes.
        widest: Numbers in the largest array that a layer with weights takes or gives.
    """

    multiplications: int
    widest: int


Shapes = Sequence[tuple[int, ...]]


def work_of(layers: Sequence[Any], shapes: Shapes) -> Work:
    """What the layers of a model cost a row.

    Args:
        layers: Those that hold others come before them.
        shapes: Of the inputs, without their batch axis, for layers that do not tell what they take.
    """
    tokens = any(type(layer).__name__ == "Embedding" for layer in layers)
    places = _numbers(shapes) if tokens or _have_positions(shapes) else 1
    owners = {id(weight): (layer, weight.shape) for layer in layers for weight in layer.weights}
    multiplications = widest = 1
    for layer, shape in owners.values():
        sides: tuple[Any, ...] = tuple((layer.get_build_config() or {}).get("input_shape") or ())[1:]
        known = bool(sides) and all(isinstance(side, int) for side in sides)
        met = math.prod(sides[:-1]) if known else places
        widest = max(widest, met * max(1, *sides[-1:] if known else (), *shape[-1:]))
        if type(layer).__name__ != "Embedding":  # it looks up its own
            multiplications += met * math.prod(shape)
    return Work(multiplications, widest)


def rows_a_call(shapes: Shapes, work: Work, forward: bool) -> int:
    """How many rows one call takes.

    Args:
        shapes: Of the inputs, without their batch axis.
        work: What a row costs.
        forward: Whether there is no derivative, which needs less memory.
    """
    return (chunk_of_places if _have_positions(shapes) else chunk_of_rows)(_numbers(shapes), work, forward)


def _numbers(shapes: Shapes) -> int:
    return max(1, sum(map(math.prod, shapes)))


def _have_positions(shapes: Shapes) -> bool:
    return any(len(shape) > 1 for shape in shapes)


def chunk_of_places(elements: int, work: Work, forward: bool) -> int:
    """How many pictures, series or volumes of so many numbers one call takes.

    The size of an input tells how many a common network takes. A network of little work takes more of them: there what
    is around a call counts most. Arguments as of `rows_a_call`.
    """
    rows = min(max(1, 1_250_000 // elements), 64)
    if not forward:
        return max(rows, _cheap(work, elements, 256, 250_000_000, 8_000_000))
    rows = min(max(rows, 204_800 // elements), 256)
    return max(rows, _cheap(work, elements, 1024, 1_000_000_000, 32_000_000))


def chunk_of_rows(elements: int, work: Work, forward: bool) -> int:
    """How many rows of a table, or of tokens, one call takes. Arguments as of `rows_a_call`."""
    limits = (65_536, 1_000_000_000, 32_000_000) if forward else (4096, 250_000_000, 8_000_000)
    return max(8, min(2_000_000 // elements, _cheap(work, elements, *limits)))


def _cheap(work: Work, elements: int, most: int, multiplications: int, numbers: int) -> int:
    """How many rows stay below some limits."""
    return min(most, multiplications // work.multiplications, numbers // max(work.widest, _COPIES * elements))


# Of what is composed in the graph there are some at a time.
_COPIES = 4


def calls(total: int, full: int, each: int) -> list[slice]:
    """How so many points are spread over calls of `full` rows, where each point takes `each`: a small call first.

    A small call gives a picture soon, where a full one takes long: with large inputs.
    """
    points = max(1, full // each)
    first = max(1, points // 4) if full <= _LONG else points
    edges = [0, *range(min(first, total), total, points), total]
    return [slice(start, stop) for start, stop in itertools.pairwise(dict.fromkeys(edges))]
