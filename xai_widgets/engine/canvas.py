"""What is drawn on while an input is made: variables without bounds, and the way from them to raw values in a range."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from xai_widgets.layout import has_channels, positions

# How the colours of photographs go together: a square root of the covariance of red, green and blue over ImageNet, as
# measured by Olah, Mordvintsev and Schubert (Feature Visualization, Distill 2017). Its columns are, in falling order,
# brightness, red against blue, and green against both.
COLOURS = np.array([[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]])
# A Fourier coefficient of 1 is a wave of about the strength of the ink that a step of a pixel of 1 would be.
_STRENGTH = 0.25
_NOISE = {"fourier": 0.01, "pixel": 0.1}
# How near to the ends of the range an input that is started from may come: at an end nothing moves any more.
_ROOM = 0.02


@dataclass(frozen=True)
class Canvas:
    """One input that is made.

    Ink is without bounds and of the shape of the input, 0 the middle of the range; `variables` are what an ascent
    moves: the ink itself ("pixel"), or its spectrum ("fourier"), scaled so that all waves, and all colours, of a
    photograph would be about as strong.

    Attributes:
        shape: Of one sample.
        basis: "fourier" or "pixel".
    """

    shape: tuple[int, ...]
    basis: str

    @classmethod
    def of(cls, shape: tuple[int, ...], parametrization: str) -> Canvas:
        """For samples of a shape: the Fourier basis is for pictures in grey or in three colours alone."""
        fourier = parametrization == "fourier" and is_picture(shape) and (len(shape) == 2 or shape[-1] in (1, 3))
        return cls(shape, "fourier" if fourier else "pixel")

    @property
    def variables(self) -> tuple[int, ...]:
        """The shape of the variables of one sample: (2, C, H, W // 2 + 1) of a spectrum, real and imaginary."""
        if self.basis == "pixel":
            return self.shape
        height, width, channels = self._sizes
        return (2, channels, height, width // 2 + 1)

    @property
    def _sizes(self) -> tuple[int, int, int]:
        height, width, channels = (*self.shape, 1)[:3]
        return height, width, channels

    def noise(self, seed: int, place: int, count: int, dtype: Any) -> np.ndarray:
        """Faint variables to start from, the same for each of `count` samples."""
        generator = np.random.Generator(np.random.SFC64([seed, place]))
        noise = _NOISE[self.basis] * generator.standard_normal(self.variables)
        return np.broadcast_to(noise, (count, *self.variables)).astype(dtype)

    def ink(self, variables: tf.Tensor) -> tf.Tensor:
        """From variables (n, ...) to ink (n, *shape)."""
        if self.basis == "pixel":
            return variables
        height, width, channels = self._sizes
        real, imaginary = tf.unstack(variables * tf.constant(self._scale, variables.dtype), axis=1)
        waves = tf.signal.irfft2d(tf.complex(real, imaginary), [height, width])
        ink = tf.transpose(waves, (0, 2, 3, 1))
        if channels == 3:
            ink = tf.tensordot(ink, tf.constant(_mixing().T, ink.dtype), 1)
        return tf.reshape(ink, (-1, *self.shape))

    def variables_of(self, ink: np.ndarray) -> np.ndarray:
        """The inverse of `ink`, up to what an odd wave of a real picture does not hold."""
        if self.basis == "pixel":
            return ink
        height, width, channels = self._sizes
        layers = ink.reshape(-1, height, width, channels).astype(np.float64)
        if channels == 3:
            layers = layers @ np.linalg.inv(_mixing()).T
        spectrum = np.fft.rfft2(np.moveaxis(layers, -1, 1)) / self._scale
        return np.stack([spectrum.real, spectrum.imag], axis=1).astype(ink.dtype)

    @property
    def _scale(self) -> np.ndarray:
        """(H, W // 2 + 1): 1 / frequency, as photographs have it (Field, 1987)."""
        height, width, _ = self._sizes
        frequency = np.hypot(np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None])
        return _STRENGTH * math.sqrt(height * width) / np.maximum(frequency, 1 / max(height, width))


def _mixing() -> np.ndarray:
    """(3, 3) from independent colours to red, green and blue; the strongest is as strong as it was."""
    return COLOURS / np.linalg.norm(COLOURS, axis=0).max()


def is_picture(shape: Sequence[int]) -> bool:
    """Whether samples of a shape are pictures."""
    return len(positions((1, *shape))) == 2


def within(ink: tf.Tensor, low: tf.Tensor, high: tf.Tensor) -> tf.Tensor:
    """Raw values between the ends of the range."""
    return low + (high - low) * tf.sigmoid(ink)


def ink_of(values: np.ndarray, low: np.ndarray, high: np.ndarray) -> np.ndarray:
    """The inverse of `within`, for values that keep some room to either end."""
    share = np.clip((values - low) / (high - low), _ROOM, 1 - _ROOM)
    return np.log(share / (1 - share)).astype(values.dtype)


def roughness(ink: tf.Tensor) -> tf.Tensor:
    """The gradient of the total variation (n, *shape): how many neighbours a value lies above, less those below."""
    shape = (1, *ink.shape[1:])
    slope = tf.zeros_like(ink)
    for axis in range(1, 1 + len(positions(shape))):
        before = (slice(None),) * axis
        step = ink[(*before, slice(1, None))] - ink[(*before, slice(-1))]
        towards = step * tf.math.rsqrt(step**2 + _EVEN**2)
        at_one_end, at_the_other = ([ends if one == axis else (0, 0) for one in range(len(shape))] for ends in _ENDS)
        slope += tf.pad(towards, at_one_end) - tf.pad(towards, at_the_other)
    return slope


_EVEN = 0.01  # ink that differs by less is all but even
_ENDS = ((1, 0), (0, 1))


def seen(values: tf.Tensor, view: tf.Tensor) -> tf.Tensor:
    """Pictures (n, H, W) or (n, H, W, C) as seen a little turned, moved and nearer; what lies beyond is mirrored.

    Args:
        values: The pictures.
        view: (4,) angle, magnification, and shifts down and right as fractions of the height and the width.
    """
    height, width = values.shape[1:3]
    images = values if has_channels(values.shape) else values[..., None]
    angle, scale, down, right = tf.unstack(tf.cast(view, tf.float32))
    cosine, sine = tf.cos(angle) / scale, tf.sin(angle) / scale
    middle_y, middle_x = (height - 1) / 2, (width - 1) / 2
    from_x = middle_x - cosine * (middle_x + right * width) + sine * (middle_y + down * height)
    from_y = middle_y - sine * (middle_x + right * width) - cosine * (middle_y + down * height)
    matrix = tf.stack([cosine, -sine, from_x, sine, cosine, from_y, 0.0, 0.0])[None]
    moved = tf.raw_ops.ImageProjectiveTransformV3(
        images=images,
        transforms=matrix,
        output_shape=[height, width],
        fill_value=0.0,
        interpolation="BILINEAR",
        fill_mode="REFLECT",
    )
    return tf.reshape(moved, (-1, *values.shape[1:]))
