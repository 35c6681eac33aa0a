"""What the methods share that run in the shap package, whose side effects stay in here."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import threading
import types
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from xai_widgets.layout import has_channels, positions

if TYPE_CHECKING:
    from xai_widgets.engine.model import ModelView
    from xai_widgets.engine.score import Score

INSTEAD = "DeepLift, ExpectedGradients and KernelSHAP do without the shap package"

_ALONE = threading.RLock()
_DRAWS = np.random.RandomState()


@contextlib.contextmanager
def drawing(seed: int = 0) -> Iterator[None]:
    """Within the context, modules that `private` gives draw from this seed on, for this thread alone."""
    with _ALONE:
        _DRAWS.seed(seed)
        yield


def private(name: str) -> Any:
    """A copy of a module of the shap package, such as "explainers._gradient", that nobody else sees.

    shap draws from NumPy's global generator, seeds it even, and warns of every TensorFlow since 2.4. Generator and
    filters belong to the whole process, whose other threads go on meanwhile; so the copy gets a generator of its own,
    see `drawing`, and warns nobody.
    """
    with _ALONE:
        return _private(name)


@functools.cache
def _private(name: str) -> Any:
    spec = importlib.util.find_spec(f"shap.{name}")
    if spec is None or spec.loader is None:
        raise RuntimeError(f"the installed shap package has no module {name}; {INSTEAD}")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    # A module and no other object, as Numba compiles functions that use it.
    numpy = types.ModuleType("numpy")
    numpy.__dict__.update(vars(np), random=_DRAWS)
    vars(module).update(np=numpy, warnings=types.SimpleNamespace(warn=lambda *_, **__: None))
    return module


class Explained:
    """What one of shap's explainers needs to explain any score of any model, one sample at a time.

    Args:
        view, score: What is explained.
        site: (n, ...) each, the inputs or what the `wrt` layer returns.
        entered: (n, ...) each, what the model gets.
        structure: The structure of the inputs.
    """

    def __init__(
        self, view: ModelView, score: Score, site: list[np.ndarray], entered: list[np.ndarray], structure: Any
    ) -> None:
        self.view, self.site, self.structure = view, site, structure
        self._score, self._entered = score, entered
        self._rows = slice(0, 1)

    def known(self, name: str, inner: Any, derivatives: str, *attributes: str) -> None:
        """Refuse an explainer that is made in another way than the one that is known here."""
        if len(getattr(inner, derivatives, ())) != 1 or not all(hasattr(inner, one) for one in attributes):
            version = importlib.import_module("shap").__version__
            raise RuntimeError(f"{name} does not know the explainer of shap {version}; {INSTEAD}")

    def sample(self, row: int) -> Any:
        """The sample that is explained from now on, as shap takes it: a list only of several arrays."""
        self._rows = slice(row, row + 1)
        arrays = [array[self._rows] for array in self.site]
        return arrays if len(arrays) > 1 else arrays[0]

    def repeated(self, count: int) -> tuple[Score, list[np.ndarray]]:
        """The score of that sample and what the model gets, so many times."""
        score = self._score.rows(self._rows).repeated(count)
        return score, [np.repeat(array[self._rows], count, axis=0) for array in self._entered]

    @staticmethod
    def arrays(found: Any) -> list[np.ndarray]:
        """What shap found for that sample, (...) for each array of the site."""
        return [array[0] for array in (found if isinstance(found, list) else [found])]


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
    return np.asarray(importlib.import_module("shap.maskers").Image(0, shape).clustering)


def alike(samples: np.ndarray) -> np.ndarray:
    """shap's own tree of the features of a table (k, d), of which those that go together are joined first."""
    with drawing():
        return np.asarray(private("utils._clustering").hclust(samples, metric="correlation"))
