"""Weighted least squares as running sums, with standard errors that hold."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

GROUPS = 20


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
        weighted, dealt_rows, dealt_targets = rows * weights[:, None], self._dealt(rows), self._dealt(targets.T)

        def by_group(scaled: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
            shares = self._dealt(scaled)
            moments = shares.transpose(0, 2, 1) @ dealt_rows
            return moments, (dealt_targets.transpose(0, 2, 1) @ shares).transpose(1, 0, 2)

        moments, crossed = by_group(weighted)
        self._moment += moments.sum(axis=0)
        self._target += crossed.sum(axis=1)
        self._weight += weights.sum()
        self._square_weight += (weights**2).sum()
        self._sums += np.stack([targets @ weights, targets**2 @ weights])
        for part, share in enumerate((1 - fraction, fraction)):
            if share.any():
                whole = bool((share == 1).all())
                scaled = (moments, crossed) if whole else by_group(weighted * np.sqrt(share)[:, None])
                self._moments[part] += scaled[0]
                self._targets[:, part] += scaled[1]
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
