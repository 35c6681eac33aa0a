"""Linear models of a score over masks: which masks are drawn, and their weighted least squares as running sums."""

from __future__ import annotations

import functools
import itertools
import math
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

GROUPS = 20
_LISTED = 1 << 12


@dataclass(frozen=True)
class Fit:
    """What a regression gives so far.

    Attributes:
        values: Coefficients (n, width).
        error: Their standard errors, like them; None where there are too few rows to tell.
        explained: (n,) the weighted R squared.
    """

    values: np.ndarray
    error: np.ndarray | None
    explained: np.ndarray


class Regression:
    """Weighted least squares of several targets on the same rows, as running sums: memory does not grow with rows.

    Rows are dealt in turn to groups. How much the groups' sums differ gives the standard errors, whatever the
    distribution of the residuals (the sandwich estimator, by clusters). Rows that were drawn without replacement from a
    finite number tell more than that: a stratum of which all is seen has no sampling error.

    Args:
        width: Coefficients.
        count: Targets.
    """

    def __init__(self, width: int, count: int) -> None:
        self.rows = 0
        self._moment, self._target = np.zeros((width, width)), np.zeros((count, width))
        # By part, what is never seen of the strata and what is yet to be seen, and by group.
        self._moments, self._targets = np.zeros((2, GROUPS, width, width)), np.zeros((count, 2, GROUPS, width))
        self._weight, self._square_weight = 0.0, 0.0
        self._sums = np.zeros((2, count))

    @property
    def scale(self) -> float:
        """The mean of the diagonal of the moment matrix, by which a penalty is large or small."""
        return float(np.trace(self._moment)) / len(self._moment)

    @property
    def effective(self) -> float:
        """How many rows of equal weight would be worth as much."""
        return self._weight**2 / self._square_weight if self._weight else 0.0

    def add(self, rows: np.ndarray, weights: np.ndarray, targets: np.ndarray, fraction: np.ndarray) -> None:
        """Add rows.

        Args:
            rows: (k, width).
            weights: (k,).
            targets: (n, k).
            fraction: (k,) which share of a row's stratum will have been seen in the end.
        """
        weighted = rows * weights[:, None]
        self._moment += weighted.T @ rows
        self._target += targets @ weighted
        self._weight += weights.sum()
        self._square_weight += (weights**2).sum()
        self._sums += np.stack([targets @ weights, targets**2 @ weights])
        dealt_targets = self._dealt(targets.T)
        dealt_rows = self._dealt(rows)
        for part, share in enumerate((1 - fraction, fraction)):
            if share.any():
                shares = self._dealt(weighted * np.sqrt(share)[:, None])
                self._moments[part] += shares.transpose(0, 2, 1) @ dealt_rows
                self._targets[:, part] += (dealt_targets.transpose(0, 2, 1) @ shares).transpose(1, 0, 2)
        self.rows += len(rows)

    def fit(self, penalty: np.ndarray, progress: float = 1.0) -> Fit:
        """The coefficients, and how far to trust them.

        Args:
            penalty: (width,) ridge on each coefficient.
            progress: Which part of the rows that will be drawn was added.
        """
        # Far below anything that is meant: it picks the smallest of equally good fits while there are few rows.
        floor = 1e-10 * max(self.scale, 1e-300)
        inverse = np.linalg.inv(self._moment + np.diag(penalty + floor))
        values = self._target @ inverse
        free = self.rows - len(inverse)
        error = None
        if progress >= 1 and not self._moments[0].any():
            error = np.zeros_like(values)
        elif free > 0 and self.rows >= GROUPS:
            scores = self._targets - np.moveaxis(self._moments @ values.T, 3, 0)
            scores -= scores.mean(axis=2, keepdims=True)
            moved = scores @ inverse
            spread = (moved**2).sum(axis=2)
            variance = spread[:, 0] + (1 - progress) * spread[:, 1]
            error = np.sqrt(variance * GROUPS / (GROUPS - 1) * self.rows / free)
        return Fit(values, error, self._explained(values))

    def _explained(self, values: np.ndarray) -> np.ndarray:
        first, second = self._sums
        total = second - first**2 / max(self._weight, 1e-300)
        crossed = 2 * (values * self._target).sum(axis=1) - ((values @ self._moment) * values).sum(axis=1)
        rest = np.maximum(second - crossed, 0)
        return np.where(total > 1e-12 * second, 1 - rest / np.maximum(total, 1e-300), 1.0)

    def _dealt(self, rows: np.ndarray) -> np.ndarray:
        """(k, ...) -> (groups, turns, ...): rows in turn to groups, from where the last ones ended."""
        first = self.rows % GROUPS
        turns = -(-(first + len(rows)) // GROUPS)
        padded = np.zeros((turns * GROUPS, rows.shape[1]))
        padded[first : first + len(rows)] = rows
        return padded.reshape(turns, GROUPS, -1).transpose(1, 0, 2)


@dataclass(frozen=True)
class Draw:
    """Masks in the order in which they are evaluated, of which every prefix is a fair sample.

    Attributes:
        masks: (k, players) bool.
        weights: (k,) in the regression.
        fraction: (k,) which share of its stratum, the masks that are as likely as it, is drawn in all.
    """

    masks: np.ndarray
    weights: np.ndarray
    fraction: np.ndarray


@functools.lru_cache(maxsize=4)  # a slider runs the same draw again and again
def coalition_pairs(players: int, pairs: int, seed: int) -> Draw:
    """Coalitions that each stand for themselves and their complement, for Shapley values by least squares.

    A coalition of size s is drawn from its size's with a share of 1 / sqrt(s (players - s)): between the kernel's own
    weights and leverage scores (Musco and Witter, 2025), and best where coalitions of all sizes are equally far from
    the linear fit. Each comes once, and sizes of which there are few come in full: with 2**(players - 1) - 1 pairs all
    of them, and the fit is exact.

    Args:
        players: At least 2.
        pairs: How many are wanted.
        seed: Of the draw.
    """
    random = np.random.default_rng([seed, players])
    listed: list[_Stratum] = []
    tossed: list[_Stratum] = []
    sizes = np.arange(1, players // 2 + 1)
    kernel_mass = np.where(2 * sizes < players, 1.0, 0.5) / (sizes * (players - sizes))
    shares = kernel_mass * np.sqrt(sizes * (players - sizes))
    left, mass = float(pairs), shares.sum()
    # Systematic sampling: expected numbers become whole ones whose sum is that of the whole.
    offset, taken = random.random(), 0
    expected_sum = 0.0
    for size, share, kernel_share in zip(sizes.tolist(), shares.tolist(), kernel_mass.tolist(), strict=True):
        there = math.comb(players, size) // (1 if 2 * size < players else 2)
        expected = min(there, left * share / mass)
        left, mass = left - expected, mass - share
        expected_sum += expected
        wanted = min(there, math.floor(expected_sum + offset) - taken)
        taken += wanted
        if wanted:
            few = there <= max(_LISTED, 4 * wanted)
            (listed if few else tossed).append(_Stratum(size, there, wanted, players * kernel_share / expected))
    masks = [_listed(players, stratum, random) for stratum in listed]
    if tossed:
        masks.append(_tossed(players, np.repeat([one.size for one in tossed], [one.wanted for one in tossed]), random))
    strata = [*listed, *tossed]
    counts = np.array([stratum.wanted for stratum in strata])
    # Each stratum is spread evenly over the whole, from a random start.
    turns = np.arange(counts.sum()) - np.repeat(counts.cumsum() - counts - random.random(len(counts)), counts)
    ranks = np.argsort(turns / np.repeat(counts, counts), kind="stable")
    weights = np.repeat([stratum.weight for stratum in strata], counts)
    fraction = np.repeat([stratum.wanted / stratum.there for stratum in strata], counts)
    return Draw(np.concatenate(masks)[ranks], weights[ranks], fraction[ranks])


class _Stratum(NamedTuple):
    """Coalitions of a size, of two complements one: how many there are, how many are drawn, and the weight of each."""

    size: int
    there: int
    wanted: int
    weight: float


def _listed(players: int, stratum: _Stratum, random: np.random.Generator) -> np.ndarray:
    """(wanted, players) bool: coalitions of a size, chosen from all of them; of two complements at most one."""
    # Of two complements of half the players, that with the first player.
    first = int(2 * stratum.size == players)
    places = random.choice(stratum.there, stratum.wanted, replace=False)
    chosen = _combinations(first, players, stratum.size - first)[places]
    masks = np.zeros((stratum.wanted, players), bool)
    masks[:, :first] = True
    masks[np.arange(stratum.wanted)[:, None], chosen] = True
    return masks


@functools.lru_cache(maxsize=16)
def _combinations(first: int, last: int, size: int) -> np.ndarray:
    """(k, size) the ways to choose so many numbers of a range."""
    listed, there = itertools.combinations(range(first, last), size), math.comb(last - first, size)
    return np.fromiter(itertools.chain.from_iterable(listed), np.intp, there * size).reshape(there, size)


def _tossed(players: int, sizes: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """(k, players) bool: different coalitions of the sizes (k,); of two complements at most one."""
    masks = np.zeros((len(sizes), players), bool)
    # Two masks whose keys sum to the same are taken for equal: what is drawn again for nothing does no harm.
    keys = random.integers(2**64, size=players, dtype=np.uint64)
    open_ = np.arange(len(sizes))
    while len(open_):
        drawn = random.random((len(open_), players), np.float32)
        last = np.take_along_axis(np.sort(drawn, axis=1), sizes[open_, None] - 1, axis=1)
        more = drawn <= last
        more[(2 * sizes[open_] == players) & ~more[:, 0]] ^= True
        masks[open_] = more
        _, firsts = np.unique(masks @ keys, return_index=True)
        # Two equal numbers of a draw would make a coalition too large.
        again = masks.sum(axis=1) != sizes
        again[np.setdiff1d(np.arange(len(sizes)), firsts)] = True
        open_ = np.flatnonzero(again)
    return masks


_CODED = 20
_ROUND = 2.5


class Coins:
    """Masks whose players are present or absent by the toss of a coin, the same for a seed however they are asked for.

    In each block the second half are the complements of the first: what two players do together then hardly moves a
    weight, which halves its variance; but pairs in turn would give but half as many equations at the start. Of a few
    players each mask comes once, and all of them where as many are wanted; of many, all but surely so.

    Attributes:
        count: How many masks there are.
        fraction: Which share of all masks that is.
    """

    def __init__(self, players: int, wanted: int, seed: int) -> None:
        self._players, self._seed = players, seed
        there = 2**players
        self.count = min(wanted, there)
        self.fraction = self.count / there
        # A multiple of the groups, so that a mask and its complement are dealt to the same one.
        self._half = GROUPS * math.ceil(max(_ROUND * players, 6 * GROUPS) / GROUPS)
        self._codes: np.ndarray | None = None
        self._last: tuple[slice, np.ndarray] | None = None
        if players <= _CODED:
            random = np.random.default_rng([seed, players])
            firsts = random.choice(there // 2, -(-self.count // 2), replace=False)
            firsts = np.where(random.integers(2, size=len(firsts)) == 1, there - 1 - firsts, firsts)
            cuts = np.split(firsts, range(self._half, len(firsts), self._half))
            self._codes = np.concatenate([half for cut in cuts for half in (cut, there - 1 - cut)])[: self.count]

    def masks(self, rows: slice) -> np.ndarray:
        """(k, players) bool of the rows asked for; they are kept, for they are asked for again with their scores."""
        if self._last is None or self._last[0] != rows:
            self._last = rows, self._tossed(rows.start, min(rows.stop, self.count))
        return self._last[1]

    def _tossed(self, start: int, stop: int) -> np.ndarray:
        if self._codes is not None:
            return (self._codes[start:stop, None] >> np.arange(self._players)) & 1 == 1
        block = 2 * self._half
        blocks = range(start // block, -(-stop // block))
        tossed = []
        for number in blocks:
            random = np.random.default_rng([self._seed, self._players, number])
            firsts = random.integers(2, size=(self._half, self._players), dtype=np.uint8) == 1
            tossed += [firsts, ~firsts]
        first = blocks.start * block
        return np.concatenate(tossed)[start - first : stop - first]

    def weights(self, masks: np.ndarray, width: float) -> np.ndarray:
        """(k,) in the regression."""
        return kernel(masks.mean(axis=1), width)


_TIGHT = 5
_NARROWEST = 0.15


class Near:
    """Masks for when there are few to a player: the nearer to the whole input, the likelier, as LIME's kernel has it.

    Coins would spend many of them on masks that hardly count. The sizes follow their distribution evenly.

    Attributes:
        count, fraction: As of `Coins`; there are far more masks than are drawn.
    """

    fraction = 0.0

    def __init__(self, players: int, wanted: int, width: float, seed: int) -> None:
        self.count = wanted
        from scipy.special import gammaln

        random = np.random.default_rng([seed, players])
        sizes = np.arange(players + 1)
        ways = gammaln(players + 1) - gammaln(sizes + 1) - gammaln(players - sizes + 1)
        self._width = max(width, _NARROWEST)
        near = np.exp(ways - players * np.log(2)) * kernel(sizes / players, self._width)
        self._mean = near.sum()
        drawn = np.searchsorted(near.cumsum() / self._mean, (np.arange(wanted) + random.random()) / wanted)
        ranks = random.random((wanted, players)).argsort(axis=1).argsort(axis=1)
        self._masks = ranks < random.permutation(np.minimum(drawn, players))[:, None]

    def masks(self, rows: slice) -> np.ndarray:
        """(k, players) bool of the rows asked for."""
        return self._masks[rows]

    def weights(self, masks: np.ndarray, width: float) -> np.ndarray:
        """(k,) in the regression: the kernel over how much likelier they are than by coins."""
        present = masks.mean(axis=1)
        return self._mean * kernel(present, width) / kernel(present, self._width)


def kernel(present: np.ndarray, width: float) -> np.ndarray:
    """LIME's weights of masks, from the shares of players present in them.

    exp(-d^2 / width^2), d the cosine distance from what is whole.
    """
    return np.exp(-(((1 - np.sqrt(present)) / width) ** 2))


class Game(Protocol):
    """Samples with the same number of players, of whose masks' scores something is fitted, round by round.

    Attributes:
        rounds: How many there are, of `masks_a_round` masks each.
    """

    rounds: int
    masks_a_round: int

    def masks(self, rounds: slice) -> np.ndarray:
        """(k, players) bool: the masks of some rounds."""

    def begin(self, whole: np.ndarray, absent: np.ndarray) -> None:
        """Take in the scores (n,) of all players and of none, before any others."""

    def add(self, rounds: slice, scores: np.ndarray) -> None:
        """Take in the scores (n, k) of the masks of some rounds."""

    def fit(self) -> Fit:
        """What the rounds so far give: a value for each player."""


class LocalGame:
    """LIME's regression: the score as a linear function of the mask, near to what is whole.

    Args:
        players: Of each sample.
        count: Samples.
        wanted: Masks that are wanted.
        kernel_width, alpha, seed: As in `LIME`.
    """

    masks_a_round = 1

    def __init__(self, players: int, count: int, wanted: int, kernel_width: float, alpha: float, seed: int) -> None:
        few = players > _CODED and wanted < _TIGHT * players
        self._draw = Near(players, wanted, kernel_width, seed) if few else Coins(players, wanted, seed)
        self.rounds = self._draw.count if players > 1 else 0
        self._players, self._width, self._alpha = players, kernel_width, alpha
        self._whole = self._absent = np.zeros(count)
        self._regression = Regression(players + 1, count)

    @property
    def effective(self) -> float:
        """How many masks of equal weight would tell as much."""
        return self._regression.effective

    def masks(self, rounds: slice) -> np.ndarray:
        return self._draw.masks(rounds)

    def begin(self, whole: np.ndarray, absent: np.ndarray) -> None:
        self._whole, self._absent = whole, absent

    def add(self, rounds: slice, scores: np.ndarray) -> None:
        masks = self._draw.masks(rounds)
        rows = np.concatenate([np.ones((len(masks), 1)), masks], axis=1)
        # About the middle of the two ends: sums of squares lose no digits, and only the intercept feels it.
        targets = scores - (self._whole + self._absent)[:, None] / 2
        weights = self._draw.weights(masks, self._width)
        self._regression.add(rows, weights, targets, np.full(len(masks), self._draw.fraction))

    def fit(self) -> Fit:
        if self._players == 1:
            return _alone(self._whole - self._absent)
        progress = self._regression.rows / self.rounds
        # The penalty grows with the rows, so that every prefix estimates what the whole will.
        penalty = np.full(self._players + 1, self._alpha * progress)
        penalty[0] = 0
        fit = self._regression.fit(penalty, progress)
        return Fit(fit.values[:, 1:], None if fit.error is None else fit.error[:, 1:], fit.explained)


class ShapleyGame:
    """Shapley values as the weighted least squares whose solution adds up (Lundberg and Lee, 2017), by pairs.

    A coalition and its complement make one row: half the difference of their scores. With the shares of an equal
    division taken off, rows and solution sum to zero, and the constraint is kept by itself.

    Args:
        players, count: As in `LocalGame`.
        wanted: Coalitions, besides all players and none.
        seed: Of the draw.
    """

    masks_a_round = 2

    def __init__(self, players: int, count: int, wanted: int, seed: int) -> None:
        self._players, self._difference = players, np.zeros(count)
        self._pairs = coalition_pairs(players, max(1, wanted // 2), seed) if players > 1 else None
        self.rounds = len(self._pairs.masks) if self._pairs else 0
        self._regression = Regression(players, count)

    def masks(self, rounds: slice) -> np.ndarray:
        assert self._pairs is not None
        masks = self._pairs.masks[rounds]
        return np.concatenate([masks, ~masks])

    def begin(self, whole: np.ndarray, absent: np.ndarray) -> None:
        self._difference = whole - absent

    def add(self, rounds: slice, scores: np.ndarray) -> None:
        draw = self._pairs
        assert draw is not None
        masks = draw.masks[rounds]
        sizes = masks.mean(axis=1, keepdims=True)
        halves = (scores[:, : len(masks)] - scores[:, len(masks) :]) / 2
        targets = halves - self._difference[:, None] * (sizes[:, 0] - 0.5)
        self._regression.add(masks - sizes, draw.weights[rounds], targets, draw.fraction[rounds])

    def fit(self) -> Fit:
        if self._players == 1:
            return _alone(self._difference)
        rows, everything = self._regression.rows, self._pairs is not None and bool((self._pairs.fraction == 1).all())
        # Hardly more equations than unknowns, or fewer, make wild solutions.
        wild = rows < 1.5 * self._players and not everything
        ridge = _RIDGE * self._regression.scale if wild else 0.0
        fit = self._regression.fit(np.full(self._players, ridge), rows / self.rounds)
        away = fit.values - fit.values.mean(axis=1, keepdims=True)
        return Fit(away + self._difference[:, None] / self._players, fit.error, fit.explained)


_RIDGE = 0.03


def _alone(difference: np.ndarray) -> Fit:
    """One player gets the whole difference."""
    return Fit(difference[:, None], np.zeros((len(difference), 1)), np.ones(len(difference)))
