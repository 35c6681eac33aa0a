"""Which positions of an input go together: superpixels of pictures, cells of a grid, runs of time steps."""

from __future__ import annotations

import hashlib
import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence

import numpy as np

FEWEST = 8
_MOST_KEPT = 128
_KEPT: OrderedDict[tuple[object, ...], np.ndarray] = OrderedDict()
_LOCK = threading.Lock()


def grid(size: Sequence[int], count: int) -> np.ndarray:
    """Cells of a regular grid over `size`, int32, numbered from 0: about `count` of them, near to cubes."""
    cells = np.ones(len(size), int)
    # One more cut at a time, through the axis along which the cells are longest.
    lengths = np.array(size, float)
    while True:
        axis = int(np.argmax(np.where(cells < size, lengths / cells, 0)))
        more = cells + (np.arange(len(size)) == axis)
        if more[axis] > size[axis] or abs(math.prod(more) - count) > abs(math.prod(cells) - count):
            break
        cells = more
    places = [np.arange(length) * parts // length for length, parts in zip(size, cells, strict=True)]
    return np.asarray(np.ravel_multi_index(tuple(np.meshgrid(*places, indexing="ij")), tuple(cells)), np.int32)


def segmented(samples: np.ndarray, count: int, how: str, channels: bool) -> tuple[np.ndarray, bool]:
    """Label maps of pictures by scikit-image; each is computed once and kept.

    Args:
        samples: (n, H, W) or (n, H, W, C).
        count: About how many segments are wanted.
        how: "slic", "quickshift", "felzenszwalb" or "grid".
        channels: Whether the last axis holds channels.

    Returns:
        (n, H, W) int32, numbered from 0 in each sample; and whether fewer than 8 segments were found somewhere, where
        a grid stands instead.
    """
    maps, fell_back = [], False
    for sample in samples:
        labels = _remembered(sample, count, how, channels)
        if labels.max() + 1 < min(FEWEST, count):
            labels, fell_back = grid(labels.shape, count), True
        maps.append(labels)
    return np.stack(maps), fell_back


def relabelled(labels: np.ndarray) -> np.ndarray:
    """The same segments with numbers from 0 and no gaps, int32."""
    return np.unique(labels, return_inverse=True)[1].reshape(labels.shape).astype(np.int32)


def _remembered(sample: np.ndarray, count: int, how: str, channels: bool) -> np.ndarray:
    if how == "grid":
        return grid(sample.shape[:2], count)
    digest = hashlib.blake2b(np.ascontiguousarray(sample).tobytes(), digest_size=16).digest()
    key = (digest, sample.shape, sample.dtype.str, count, how, channels)
    with _LOCK:
        found = _KEPT.get(key)
    if found is None:
        low, high = sample.min(), sample.max()
        picture = (sample.astype(np.float64) - low) / ((high - low) or 1)
        found = relabelled(_FINDERS[how](picture if channels else picture[..., None], count))
        with _LOCK:
            _KEPT[key] = found
            while len(_KEPT) > _MOST_KEPT:
                _KEPT.popitem(last=False)
    return found


_LOOKS = 3


def _slic(picture: np.ndarray, count: int) -> np.ndarray:
    from skimage.segmentation import slic

    # It merges what is small, and of small pictures it starts with more: a second look asks for what was missing.
    looks: list[tuple[int, np.ndarray]] = []
    wanted = count
    for _ in range(_LOOKS):
        labels = slic(picture, n_segments=wanted, start_label=0, convert2lab=picture.shape[-1] == 3)
        found = len(np.unique(labels))
        looks.append((abs(found - count), labels))
        wanted = max(1, round(wanted * count / found))
    return min(looks, key=lambda look: look[0])[1]


def _quickshift(picture: np.ndarray, count: int) -> np.ndarray:
    from skimage.segmentation import quickshift

    # It takes distances, no count: a segment reaches about as far as a cell of a grid of that many.
    reach = math.sqrt(picture.shape[0] * picture.shape[1] / count)
    kernel = max(1.0, reach / 9)
    return quickshift(picture, kernel_size=kernel, max_dist=reach, convert2lab=picture.shape[-1] == 3)


def at_most_three(picture: np.ndarray) -> np.ndarray:
    """A picture (H, W, C) with neighbouring channels averaged into three: of more, scikit-image warns."""
    if picture.shape[-1] <= 3:
        return picture
    return np.stack([part.mean(axis=-1) for part in np.array_split(picture, 3, axis=-1)], axis=-1)


def _felzenszwalb(picture: np.ndarray, count: int) -> np.ndarray:
    from skimage.segmentation import felzenszwalb

    smallest = max(1, picture.shape[0] * picture.shape[1] // (2 * count))
    return felzenszwalb(at_most_three(picture), scale=100, sigma=0.8, min_size=smallest, channel_axis=-1)


_FINDERS: dict[str, Callable[[np.ndarray, int], np.ndarray]] = {
    "slic": _slic,
    "quickshift": _quickshift,
    "felzenszwalb": _felzenszwalb,
}
