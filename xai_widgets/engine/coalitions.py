"""Which players are present in a mask: what is drawn for KernelSHAP and for LIME."""

from __future__ import annotations

import functools
import itertools
import math
from dataclasses import dataclass
from typing import NamedTuple, Protocol

import numpy as np

from xai_widgets.engine.regression import GROUPS

_LISTED = 1 << 12


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


_FEW = 20


class Masks(Protocol):
    """Masks for LIME's regression, the same for a seed however they are asked for.

    Attributes:
        count: How many there are.
        fraction: Which share of all masks that is.
        rarity: (players + 1,) by how many are present, how much rarer such a mask is than among coins.
    """

    count: int
    fraction: float
    rarity: np.ndarray

    def rows(self, rows: slice) -> np.ndarray:
        """(k, players) bool: the masks asked for."""


def weights(draw: Masks, masks: np.ndarray, width: float) -> np.ndarray:
    """(k,) of masks in the regression, for LIME's kernel of some width."""
    return draw.rarity[masks.sum(axis=1)] * kernel(masks.mean(axis=1), width)


def local_masks(players: int, wanted: int, seed: int) -> Masks:
    """Masks of a number of players. They are the same for every kernel, which then only weighs them anew."""
    return (Coins if players <= _FEW else Near)(players, wanted, seed)


class Coins:
    """Masks of few players, of which each comes once, and all of them where as many are wanted.

    In each block the second half are the complements of the first: what two players do together then hardly moves a
    weight. In turn with them they would give but half as many equations at the start.
    """

    def __init__(self, players: int, wanted: int, seed: int) -> None:
        there = 2**players
        self.count = min(wanted, there)
        self.fraction = self.count / there
        self._players, self.rarity = players, np.ones(players + 1)
        random = np.random.default_rng([seed, players])
        firsts = random.choice(there // 2, -(-self.count // 2), replace=False)
        firsts = np.where(random.integers(2, size=len(firsts)) == 1, there - 1 - firsts, firsts)
        cuts = np.split(firsts, range(_half(players), len(firsts), _half(players)))
        self._codes = np.concatenate([half for cut in cuts for half in (cut, there - 1 - cut)])[: self.count]

    def rows(self, rows: slice) -> np.ndarray:
        return (self._codes[rows, None] >> np.arange(self._players)) & 1 == 1


class Near:
    """Masks of many players: the nearer to the whole input, the likelier, as LIME's kernel of the usual width has it.

    Kernels of other widths weigh the same masks: beside masks drawn for them, their squared error was up to a fifth
    larger for narrow ones and a half for wide ones, on the digits and on a table of 30. Coins would spend most
    masks where they hardly count. In each block sizes follow their distribution evenly, and the second half takes the
    players in the order opposite to that of the first.
    """

    fraction = 0.0

    def __init__(self, players: int, wanted: int, seed: int) -> None:
        self.count = wanted
        self._players, self._seed = players, seed
        _, self.rarity = _nearness(players)
        self._made: dict[int, np.ndarray] = {}

    def rows(self, rows: slice) -> np.ndarray:
        block = 2 * _half(self._players)
        numbers = range(rows.start // block, -(-min(rows.stop, self.count) // block))
        # They are asked for again with their scores.
        self._made = {
            number: self._made[number] if number in self._made else _block(self._players, self._seed, number)
            for number in numbers
        }
        first = numbers.start * block
        return np.concatenate([*self._made.values()])[rows.start - first : min(rows.stop, self.count) - first]


@functools.lru_cache(maxsize=4)
def _nearness(players: int) -> tuple[np.ndarray, np.ndarray]:
    """By how many players are present: how likely it is that so many are or fewer, and the rarity of `Masks`."""
    from scipy.special import gammaln

    sizes = np.arange(players + 1)
    ways = gammaln(players + 1) - gammaln(sizes + 1) - gammaln(players - sizes + 1) - players * np.log(2)
    near = np.exp(ways) * kernel(sizes / players, _DRAWN)
    return near.cumsum() / near.sum(), near.sum() / kernel(sizes / players, _DRAWN)


@functools.lru_cache(maxsize=8)  # a slider runs the same draw again and again
def _block(players: int, seed: int, number: int) -> np.ndarray:
    random, half = np.random.default_rng([seed, players, number]), _half(players)
    turns = random.random((half, players), np.float32).argsort(axis=1).argsort(axis=1)
    even = (np.arange(half) + random.random((2, 1))) / half
    sizes = np.minimum(np.searchsorted(_nearness(players)[0], even), players)
    first, second = (random.permutation(one)[:, None] for one in sizes)
    return np.concatenate([turns < first, players - 1 - turns < second])


_DRAWN = 0.25


def _half(players: int) -> int:
    """Half of a block: enough equations for a regression, and so many that partners are dealt to the same group."""
    return GROUPS * math.ceil(max(2.5 * players, 6 * GROUPS) / GROUPS)


def kernel(present: np.ndarray, width: float) -> np.ndarray:
    """LIME's weights of masks, from the shares of players present in them.

    exp(-d^2 / width^2), d the cosine distance from what is whole.
    """
    return np.exp(-(((1 - np.sqrt(present)) / width) ** 2))
