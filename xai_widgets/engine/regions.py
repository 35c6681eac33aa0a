"""Regions of a picture at several scales, and an order in which they explain a score."""

from __future__ import annotations

import numpy as np

from xai_widgets.engine.segments import at_most_three

# Felzenszwalb's scales for a picture of 224 x 224, coarse first, as in the paper on XRAI; and its least segment.
SCALES = (1200, 500, 250, 150, 100, 50)
_LEAST = 150
_REFERENCE = 224 * 224


def segments_at(picture: np.ndarray, scale: float) -> np.ndarray:
    """(H, W) labels from 0 of a picture (H, W, C) at one of `SCALES`, by Felzenszwalb and Huttenlocher, 2004."""
    from skimage.segmentation import felzenszwalb

    low, high = picture.min(), picture.max()
    stretched = (picture - low) / (high - low) * 2 - 1 if high > low else np.zeros_like(picture)
    smaller = picture[..., 0].size / _REFERENCE
    least = max(int(_LEAST * smaller), 2)
    found = felzenszwalb(at_most_three(stretched), scale=scale * smaller, sigma=0.8, min_size=least, channel_axis=-1)
    return np.asarray(found)


class RankedRegions:
    """The regions of one picture, scale by scale, and the map that they make of an attribution.

    Regions are segments, each grown by a margin so that it has its own edges in it.

    Attributes:
        waiting: The scales whose segments are still to be found, coarse first.

    Args:
        picture: (H, W, C).
        margin: By how much a segment grows to each side, as a part of the picture's shorter side.
        least: The smallest region, as a part of the picture.
    """

    def __init__(self, picture: np.ndarray, margin: float, least: float) -> None:
        from scipy.sparse import csr_array

        height, width = picture.shape[:2]
        self.waiting = list(SCALES)
        self._picture, self._margin = picture, round(margin * min(height, width))
        self._least = max(least * height * width, 1)
        self._members = csr_array((0, height * width), dtype=np.float32)
        self._map: np.ndarray | None = None

    def show(self, attribution: np.ndarray) -> np.ndarray:
        """(H, W): the last map, or the attribution where there is none yet."""
        return attribution if self._map is None else self._map

    def refine(self, attribution: np.ndarray) -> None:
        """Find the segments of one more scale, and make the map anew."""
        self._add(segments_at(self._picture, self.waiting.pop(0)))
        self.rank(attribution)

    def rank(self, attribution: np.ndarray) -> None:
        """Make the map of an attribution (H, W).

        Regions are taken one after the other, always the one with the largest mean attribution in what no region before
        it has covered, and that mean is what its positions get. What is left in the end, in pieces that are too small,
        is one region more. So the sum over the picture stays what it was.
        """
        flat = attribution.reshape(-1).astype(np.float64)
        columns = self._members.tocsc()
        areas, sums = self._members @ np.ones_like(flat), self._members @ flat
        values, uncovered = np.empty_like(flat), np.ones(flat.size, bool)
        while (areas >= self._least).any():
            means = np.divide(sums, areas, out=np.full(len(areas), -np.inf), where=areas >= self._least)
            best = int(means.argmax())
            inside = self._members.indices[slice(*self._members.indptr[best : best + 2])]
            new = inside[uncovered[inside]]
            values[new], uncovered[new] = flat[new].mean(), False
            taken = columns[:, new]
            areas, sums = areas - taken @ np.ones(len(new)), sums - taken @ flat[new]
        if uncovered.any():
            values[uncovered] = flat[uncovered].mean()
        self._map = values.reshape(attribution.shape)

    def _add(self, labels: np.ndarray) -> None:
        """Take in the segments of one scale, (H, W) labels from 0."""
        from scipy.ndimage import find_objects, maximum_filter
        from scipy.sparse import csr_array, vstack

        places = np.arange(labels.size).reshape(labels.shape)
        rows = []
        for label, box in enumerate(find_objects(labels + 1)):
            wider = tuple(slice(max(side.start - self._margin, 0), side.stop + self._margin) for side in box)
            grown = maximum_filter(labels[wider] == label, size=2 * self._margin + 1)
            rows.append(places[wider][grown])
        pointers = np.cumsum([0, *map(len, rows)])
        new = csr_array(
            (np.ones(pointers[-1], np.float32), np.concatenate(rows), pointers), shape=(len(rows), labels.size)
        )
        self._members = vstack([self._members, new], format="csr")
