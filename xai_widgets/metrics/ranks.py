"""Rank correlations of maps."""

from __future__ import annotations

import numpy as np

from xai_widgets.attribution import Attribution
from xai_widgets.trees import leaves


def flat_maps(attribution: Attribution) -> np.ndarray:
    """(n, p) the signed heat maps at input size, those of several inputs one after the other."""
    maps = leaves(attribution.heatmap())
    return np.concatenate([np.asarray(one, np.float64).reshape(len(one), -1) for one in maps], axis=1)


def rank_correlation(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(n,) Spearman's rank correlation of rows (n, p); 0 where all values of a row are equal: it ranks nothing."""
    from scipy.stats import rankdata

    one, other = (rankdata(array, axis=1) for array in (first, second))
    one, other = (ranks - ranks.mean(axis=1, keepdims=True) for ranks in (one, other))
    size = np.sqrt((one**2).sum(axis=1) * (other**2).sum(axis=1))
    return np.divide((one * other).sum(axis=1), size, out=np.zeros(len(one)), where=size > 0)
