"""Rank correlations of maps."""

from __future__ import annotations

import numpy as np

from xai_widgets.attribution import Attribution
from xai_widgets.trees import leaves


def flat_maps(attribution: Attribution) -> np.ndarray:
    """(n, p) the signed heat maps at input size, those of several inputs one after the other."""
    maps = leaves(attribution.heatmap())
    return np.concatenate([np.asarray(one, np.float64).reshape(len(one), -1) for one in maps], axis=1)


def centred_ranks(rows: np.ndarray) -> np.ndarray:
    """(n, p) the ranks of each row (n, p) about their mean, of length 1; zeros where all values of a row are equal."""
    from scipy.stats import rankdata

    ranks = rankdata(rows, axis=1)
    ranks -= ranks.mean(axis=1, keepdims=True)
    size = np.sqrt((ranks**2).sum(axis=1, keepdims=True))
    return np.divide(ranks, size, out=np.zeros_like(ranks), where=size > 0)


def rank_correlation(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(n,) Spearman's rank correlation of rows (n, p); 0 where all values of a row are equal: it ranks nothing."""
    return (centred_ranks(first) * centred_ranks(second)).sum(axis=1)
