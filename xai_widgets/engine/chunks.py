"""How much one call of a compiled function takes: about 100 ms of work or less on a common network."""

from __future__ import annotations

import itertools

import numpy as np

_LONG = 16


def chunk_of_places(elements: int, forward: bool) -> int:
    """How many pictures, series or volumes of so many numbers one call takes.

    Without a derivative (`forward`) it takes more of the smallest: there what is around a call counts most.
    """
    rows = int(np.clip(1_250_000 // elements, 1, 64))
    return int(np.clip(204_800 // elements, rows, 256)) if forward else rows


def chunk_of_rows(elements: int, work: int, forward: bool) -> int:
    """How many rows of a table, or of tokens, one call takes.

    Args:
        elements: Numbers in a row.
        work: Multiplications a row: it meets every weight, of tokens each of them does.
        forward: Whether there is no derivative.
    """
    most, budget = (65_536, 1_000_000_000) if forward else (4096, 250_000_000)
    return int(np.clip(min(2_000_000 // elements, budget // work), 8, most))


def calls(total: int, full: int, each: int) -> list[slice]:
    """How so many points are spread over calls of `full` rows, where each point takes `each`: a small call first.

    A small call gives a picture soon, where a full one takes long: with large inputs.
    """
    points = max(1, full // each)
    first = max(1, points // 4) if full <= _LONG else points
    edges = [0, *range(min(first, total), total, points), total]
    return [slice(start, stop) for start, stop in itertools.pairwise(dict.fromkeys(edges))]
