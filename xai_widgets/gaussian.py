"""Gaussian blur along the axes of positions."""

from __future__ import annotations

import numpy as np

from xai_widgets.layout import positions

_REACH = 4  # standard deviations, as in scipy's gaussian_filter


def blurred(inputs: np.ndarray, sigma: float) -> np.ndarray:
    """Inputs (n, ...) blurred along their axes of positions, edges repeated: as `scipy.ndimage.gaussian_filter` does.

    A filter takes time in proportion to sigma, and a path has many; a matrix for each axis takes the same for all.
    TensorFlow multiplies, since its threads and those of NumPy's BLAS would stand in each other's way.
    """
    import tensorflow as tf

    if sigma == 0:
        return inputs
    for axis, size in enumerate(positions(inputs.shape), start=1):
        moved = np.moveaxis(inputs, axis, 1)
        rows = tf.constant(moved.reshape(len(inputs), size, -1))
        mixed = tf.linalg.matmul(tf.constant(_mixing(size, sigma), rows.dtype), rows).numpy()
        inputs = np.moveaxis(mixed.reshape(moved.shape), 1, axis)
    return np.ascontiguousarray(inputs)


def _mixing(size: int, sigma: float) -> np.ndarray:
    """(size, size): how much of each place goes into each place of a blurred row."""
    reach = int(_REACH * sigma + 0.5)
    away = np.arange(-reach, reach + 1)
    kernel = np.exp(-(away**2) / (2 * sigma**2))
    rows = np.arange(size)[:, None]
    matrix = np.zeros((size, size))
    np.add.at(matrix, (rows, np.clip(rows + away, 0, size - 1)), kernel / kernel.sum())
    return matrix
