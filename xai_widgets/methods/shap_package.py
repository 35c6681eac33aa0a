"""What the methods share that run in the shap package, whose side effects stay in here."""

from __future__ import annotations

import contextlib
import functools
import importlib
import threading
import warnings
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from xai_widgets.layout import has_channels, positions

INSTEAD = "DeepLift, ExpectedGradients and KernelSHAP do without the shap package"

_ALONE = threading.RLock()


@contextlib.contextmanager
def quiet(seed: int = 0) -> Iterator[Any]:
    """The shap package, imported when it is first used, for one short call.

    shap draws from NumPy's global generator: it is seeded here, and is afterwards what it was. Warnings, of which shap
    has one for every TensorFlow since 2.4, are not for whoever asked for a map.
    """
    with _ALONE, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        state = np.random.get_state()
        np.random.seed(seed)
        try:
            yield importlib.import_module("shap")
        finally:
            np.random.set_state(state)


class Masks:
    """A masker, as shap calls it, that hands on the mask: what it leaves out is replaced where the model runs."""

    # shap compares every mask with the last one where a masker has a fixed background, and copies what may change.
    fixed_background = False
    immutable_outputs = True

    def __init__(self, tree: np.ndarray) -> None:
        self.clustering = tree
        self.shape = (1, len(tree) + 1)

    def __call__(self, mask: np.ndarray, _: np.ndarray) -> tuple[np.ndarray]:
        return (mask[None],)


def joined(trees: Sequence[np.ndarray]) -> np.ndarray:
    """One tree of several: (players - 1, 4) each, as SciPy's linkage; their roots are joined one after the other."""
    total = sum(len(tree) + 1 for tree in trees)
    rows: list[np.ndarray] = []
    roots: list[tuple[int, int]] = []
    leaf = node = 0
    for tree in trees:
        leaves = len(tree) + 1
        moved = tree.copy()
        children = tree[:, :2]
        moved[:, :2] = np.where(children < leaves, children + leaf, children - leaves + total + node)
        rows.extend(moved)
        roots.append((total + node + len(tree) - 1 if len(tree) else leaf, leaves))
        leaf, node = leaf + leaves, node + len(tree)
    root, size = roots[0]
    for other, more in roots[1:]:
        size += more
        rows.append(np.array([root, other, 0.0, size], np.float64))
        root = total + len(rows) - 1
    return np.stack(rows) if rows else np.zeros((0, 4))


def halves(shape: tuple[int, ...]) -> np.ndarray:
    """shap's own tree of the values of a picture (H, W, C), of which the longer side is halved, channels last.

    A series (T, C) is a picture of one column, a table of one column and channel; the slices of a volume lie one below
    the other.
    """
    spots = positions((0, *shape))
    channels = shape[-1] if spots and has_channels((0, *shape)) else 1
    if not spots:
        return _halves((*shape, 1, 1))
    if len(spots) == 1:
        return _halves((*spots, 1, channels))
    return _halves((int(np.prod(spots[:-1])), spots[-1], channels))


@functools.lru_cache(maxsize=4)
def _halves(shape: tuple[int, int, int]) -> np.ndarray:
    if int(np.prod(shape)) == 1:
        return np.zeros((0, 4))
    with quiet() as shap:
        return np.asarray(shap.maskers.Image(0, shape).clustering)


def alike(samples: np.ndarray) -> np.ndarray:
    """shap's own tree of the features of a table (k, d), of which those that go together are joined first."""
    with quiet() as shap:
        return np.asarray(shap.utils.hclust(samples, metric="correlation"))
