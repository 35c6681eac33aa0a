"""Baselines as values: where a path starts, or what stands for "absent", defined in the space of the raw inputs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from xai_widgets.declare import Declared, param


class Baseline(Declared):
    """Base of all baselines: a rule that makes a reference input for each sample."""

    @classmethod
    def fits(cls, shape: tuple[int, ...]) -> bool:
        """Whether this kind of baseline makes sense for inputs of a shape (N, ...)."""
        return True

    def reference(self, inputs: np.ndarray) -> np.ndarray:
        """The reference of each sample.

        Args:
            inputs: Raw inputs with a batch axis, float.

        Returns:
            An array of the same shape and dtype.

        Raises:
            ValueError: The baseline does not fit inputs of this shape.
        """
        raise NotImplementedError


@dataclass(frozen=True, eq=False, repr=False)
class Constant(Baseline):
    """The same value everywhere: a number, a colour (one value per channel), or one value per feature."""

    value: Any = param(0.0, kind="value", doc="The value, in the units of the inputs.")

    def reference(self, inputs: np.ndarray) -> np.ndarray:
        value = np.asarray(self.value, inputs.dtype)
        sample = inputs.shape[1:]
        if value.ndim and value.shape not in (sample, sample[-1:]):
            raise ValueError(
                f"Constant.value of shape {value.shape} does not fit inputs of shape {inputs.shape}: "
                f"give a number, {sample[-1] if sample else 1} values (one per channel), or an array of shape {sample}"
            )
        return np.broadcast_to(value, inputs.shape).copy()


@dataclass(frozen=True, eq=False, repr=False)
class Blur(Baseline):
    """The input, blurred by a Gaussian along its spatial axes (edges repeated): shapes go, colours stay."""

    sigma: float = param(10.0, gt=0, soft_max=50, step=0.5, unit="px", doc="Standard deviation of the blur, in pixels.")

    @classmethod
    def fits(cls, shape: tuple[int, ...]) -> bool:
        return len(shape) > 2

    def reference(self, inputs: np.ndarray) -> np.ndarray:
        if not self.fits(inputs.shape):
            raise ValueError(
                f"Blur needs pictures, volumes or series with a channel axis, got inputs of shape {inputs.shape}; "
                "for tables use Constant"
            )
        from scipy.ndimage import gaussian_filter

        axes = tuple(range(1, inputs.ndim - 1))
        return gaussian_filter(inputs, self.sigma, axes=axes, mode="nearest").astype(inputs.dtype)


BASELINES: tuple[type[Baseline], ...] = (Constant, Blur)
