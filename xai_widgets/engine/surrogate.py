"""Games: samples whose score is fitted by a linear model over masks, round by round."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Protocol

import numpy as np

from xai_widgets.engine.coalitions import coalition_pairs, local_masks, weights
from xai_widgets.engine.regression import Fit, Regression


class Game(Protocol):
    """Samples with the same number of players, of whose masks' scores something is fitted, round by round.

    Attributes:
        rounds: How many there are, of `masks_a_round` masks each.
        intercept: (n,) what the last fit gives where all are absent.
    """

    rounds: int
    masks_a_round: int
    intercept: np.ndarray

    @property
    def effective(self) -> float:
        """How many masks of equal weight would tell as much."""

    def masks(self, rounds: slice) -> np.ndarray:
        """(k, players) bool: the masks of some rounds."""

    def begin(self, whole: np.ndarray, absent: np.ndarray) -> None:
        """Take in the scores (n,) of all players and of none, before any others."""

    def add(self, rounds: slice, scores: np.ndarray) -> None:
        """Take in the scores (n, k) of the masks of some rounds."""

    def fit(self) -> Fit:
        """What the rounds so far give: a value for each player."""


@dataclass(frozen=True)
class Equations:
    """What a local game is fitted to.

    Attributes:
        bits: (k, bytes) uint8, a bit for each player, as `numpy.packbits` has it.
        scores: (n, k).
        middle: (n,) what scores are taken about.
        rarity, fraction: As of `Masks`.
    """

    bits: np.ndarray
    scores: np.ndarray
    middle: np.ndarray
    rarity: np.ndarray
    fraction: float


class LocalGame:
    """LIME's regression: the score as a linear function of the mask, near to what is whole.

    Masks, packed to bits, and scores are kept, `players / 8 + 8 count` bytes a mask: `refitted` weighs them anew.

    Args:
        players: Of each sample.
        count: Samples.
        wanted: Masks that are wanted.
        kernel_width, alpha, seed: As in `LIME`.
    """

    masks_a_round = 1

    def __init__(self, players: int, count: int, wanted: int, kernel_width: float, alpha: float, seed: int) -> None:
        self._draw = local_masks(players, wanted, seed)
        self.rounds = self._draw.count if players > 1 else 0
        self._players, self._kernel_width, self._alpha = players, kernel_width, alpha
        self._whole = self._absent = self.intercept = np.zeros(count)
        self._kept: list[tuple[np.ndarray, np.ndarray]] = []
        self._regression = Regression(players + 1, count)

    @property
    def effective(self) -> float:
        return self._regression.effective

    def equations(self) -> Equations:
        """All that a fit needs, for whoever fits elsewhere."""
        bits, scores = zip(*self._kept, strict=True)
        middle = (self._whole + self._absent) / 2
        return Equations(
            np.concatenate(bits), np.concatenate(scores, axis=1), middle, self._draw.rarity, self._draw.fraction
        )

    def refitted(self, kernel_width: float, alpha: float) -> LocalGame:
        """The same masks and scores under another kernel and ridge: the game goes on from where this one is."""
        other = copy.copy(self)
        other._kernel_width, other._alpha, other._kept = kernel_width, alpha, [*self._kept]
        other._regression = Regression(self._players + 1, len(self._whole))
        if self._kept:
            bits, scores = zip(*self._kept, strict=True)
            masks = np.unpackbits(np.concatenate(bits), axis=1, count=self._players).astype(bool)
            other._learn(masks, np.concatenate(scores, axis=1))
        return other

    def masks(self, rounds: slice) -> np.ndarray:
        return self._draw.rows(rounds)

    def begin(self, whole: np.ndarray, absent: np.ndarray) -> None:
        self._whole, self._absent = whole, absent

    def add(self, rounds: slice, scores: np.ndarray) -> None:
        masks = self._draw.rows(rounds)
        self._kept.append((np.packbits(masks, axis=1), scores))
        self._learn(masks, scores)

    def _learn(self, masks: np.ndarray, scores: np.ndarray) -> None:
        rows = np.concatenate([np.ones((len(masks), 1)), masks], axis=1)
        # About the middle of the two ends: sums of squares lose no digits, and only the intercept feels it.
        targets = scores - (self._whole + self._absent)[:, None] / 2
        near = weights(self._draw, masks, self._kernel_width)
        self._regression.add(rows, near, targets, np.full(len(masks), self._draw.fraction))

    def fit(self) -> Fit:
        if self._players == 1:
            self.intercept = self._absent
            return _alone(self._whole - self._absent)
        progress = self._regression.rows / self.rounds
        # The penalty grows with the rows, so that every prefix estimates what the whole will.
        penalty = np.full(self._players + 1, self._alpha * progress)
        penalty[0] = 0
        fit = self._regression.fit(penalty, progress)
        self.intercept = fit.values[:, 0] + (self._whole + self._absent) / 2
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
        self._players, self._difference, self.intercept = players, np.zeros(count), np.zeros(count)
        self._pairs = coalition_pairs(players, max(1, wanted // 2), seed) if players > 1 else None
        self.rounds = len(self._pairs.masks) if self._pairs else 0
        self._regression = Regression(players, count)

    @property
    def effective(self) -> float:
        return 2 * self._regression.effective

    def masks(self, rounds: slice) -> np.ndarray:
        assert self._pairs is not None
        masks = self._pairs.masks[rounds]
        return np.concatenate([masks, ~masks])

    def begin(self, whole: np.ndarray, absent: np.ndarray) -> None:
        self._difference, self.intercept = whole - absent, absent

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
