"""Paths that guide themselves: they change first what the score reacts to least."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

Slopes = Callable[[list[np.ndarray]], tuple[list[np.ndarray], np.ndarray]]


@dataclass(frozen=True)
class GuidedMean:
    """What is known after some passes; as in `PathMean`, with the path that was walked last, if there is only one."""

    values: list[np.ndarray]
    change: np.ndarray
    path: tuple[np.ndarray, np.ndarray] | None
    start_score: np.ndarray
    end_score: np.ndarray
    passes: int
    total: int

    @property
    def progress(self) -> float:
        return self.passes / self.total


def guided_means(
    slopes: Slopes,
    starts: Sequence[Sequence[np.ndarray]],
    end: Sequence[np.ndarray],
    steps: int,
    part: float,
    reach: float,
) -> Iterator[GuidedMean]:
    """Walk guided paths from one or more starts: coarse ones first, since a path is known only once it is at its end.

    What is yielded between is the mean over the starts so far of the finest path that has come to its end.

    Args:
        slopes: From places, an array (n, ...) for each array of the site, to the gradients and the scores (n,) there.
        starts, end: Arrays (n, ...) for each array of the site.
        steps: Steps of the finest path.
        part, reach: See `guided_step`.
    """
    ladder = [level for level in (steps // 16, steps // 4, steps) if level > 1]
    total = 1 + len(starts) * (1 + sum(level - 1 for level in ladder))
    goal = _Place.of(slopes, _flat(end), end)
    done, start_score, passes = np.zeros_like(goal.values), np.zeros(len(goal.scores)), 1
    for number, start in enumerate(starts, start=1):
        origin = _Place.of(slopes, _flat(start), end)
        start_score += (origin.scores - start_score) / number
        for values, change, path in _finer_paths(slopes, origin, goal, end, ladder, part, reach):
            passes += 1
            yield GuidedMean(
                values=_shaped(done + (values - done) / number, end),
                change=change,
                path=path if len(starts) == 1 else None,
                start_score=start_score.astype(end[0].dtype),
                end_score=goal.scores,
                passes=passes,
                total=total,
            )
        done += (values - done) / number


@dataclass(frozen=True)
class _Place:
    """A place of a path (n, d), the gradients (n, d) and the scores (n,) there."""

    values: np.ndarray
    slopes: np.ndarray
    scores: np.ndarray

    @classmethod
    def of(cls, slopes: Slopes, values: np.ndarray, like: Sequence[np.ndarray]) -> _Place:
        gradients, scores = slopes(_shaped(values, like))
        return cls(values, _flat(gradients), scores)

    def to(self, other: _Place) -> np.ndarray:
        """(n, d): what the way to another place adds, by the trapezoid rule."""
        return (other.values - self.values) * (self.slopes + other.slopes) / 2


def _finer_paths(
    slopes: Slopes,
    origin: _Place,
    goal: _Place,
    like: Sequence[np.ndarray],
    ladder: Sequence[int],
    part: float,
    reach: float,
) -> Iterator[tuple[np.ndarray, np.ndarray, tuple[np.ndarray, np.ndarray] | None]]:
    """Values (n, d), change (n,) and path of the finest path so far, after each pass."""
    ends = origin.values, goal.values
    values, change, path, before = origin.to(goal), np.full(len(goal.scores), np.nan), None, 1
    yield values, change, path  # a path of one step: the straight line
    for level in ladder:
        place, summed, scores = origin, np.zeros_like(values), []
        for step in range(1, level):
            if step > 1:
                yield values, change, path
            following = guided_step(place.values, ends, place.slopes, step / level, reach, part)
            there = _Place.of(slopes, following, like)
            summed += place.to(there)
            scores.append(there.scores)
            place = there
        summed += place.to(goal)
        # The error of a path falls as 1 / steps.
        change = _distance(summed, values) / max(level / before - 1, 1)
        values, before = summed, level
        path = np.arange(1, level) / level, np.stack(scores, axis=1)
        yield values, change, path


def _distance(values: np.ndarray, before: np.ndarray) -> np.ndarray:
    """(n,) L1 distance as a fraction of the L1 norm."""
    apart, size = np.abs(values - before).sum(axis=1), np.abs(values).sum(axis=1)
    return np.divide(apart, size, out=np.zeros(len(size)), where=size > 0)


def _flat(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """(n, d): all values of a sample in a row, in double precision, in which a path loses nothing."""
    return np.concatenate([array.reshape(len(array), -1).astype(np.float64) for array in arrays], axis=1)


def _shaped(flat: np.ndarray, like: Sequence[np.ndarray]) -> list[np.ndarray]:
    edges = np.cumsum([array[0].size for array in like])[:-1]
    parts = np.split(flat, edges, axis=1)
    return [part.reshape(array.shape).astype(array.dtype) for part, array in zip(parts, like, strict=True)]


_ROUNDING = 1e-12  # what is left of a way after this part of it is no way


def guided_step(
    place: np.ndarray, ends: tuple[np.ndarray, np.ndarray], slopes: np.ndarray, alpha: float, reach: float, part: float
) -> np.ndarray:
    """The next place of a path.

    It lies where a fraction `alpha` of the L1 distance from start to end is behind it. What has fallen more than
    `reach` behind the straight line catches up with that; then the values at which the score has the smallest slope go
    as far ahead of the line as `reach` allows, a share of all values at a time, until the distance is right; of the
    last share, each value goes the same part of its way.

    Args:
        place: (n, d) where the path is.
        ends: (n, d) start and end.
        slopes: (n, d) the score's gradient at `place`.
        alpha: Where to go, in (0, 1].
        reach: How far a value may be from the straight line, as a fraction of its whole way, >= 0.
        part: The share of values that go together, 0 to 1.
    """
    start, end = ends
    way = end - start
    low, high = (start + np.clip(alpha + far, 0, 1) * way for far in (-reach, reach))
    forward = np.sign(way)
    place = np.where(forward * (low - place) > 0, low, place)
    room = forward * (high - place)
    room = np.where(room > _ROUNDING * np.abs(way), room, 0)
    needed = np.abs(end - place).sum(axis=1) - (1 - alpha) * np.abs(way).sum(axis=1)
    together = int(part * (place.shape[1] - 1)) + 1
    shares = [_shares(*sample, together) for sample in zip(np.abs(slopes), room, needed, strict=True)]
    return place + np.stack(shares) * forward * room


def _shares(sizes: np.ndarray, room: np.ndarray, needed: float, together: int) -> np.ndarray:
    """(d,): which part of its room each value uses up, small sizes first, so that it sums to what is needed.

    At least `together` values go at a time, and with them all others of the largest size among them.
    """
    free = np.flatnonzero(room > 0)
    order = free[np.argsort(sizes[free])]
    ascending, used = sizes[order], np.append(0, np.cumsum(room[order]))
    shares = np.zeros_like(room)
    first = 0
    while first < len(order) and used[first] < needed:
        largest = ascending[min(first + together, len(order)) - 1]
        last = int(np.searchsorted(ascending, largest, side="right"))
        shares[order[first:last]] = min((needed - used[first]) / room[order[first:last]].sum(), 1)
        first = last
    return shares
