"""Divided differences (f(a) - f(b)) / (a - b) of activations f; where a = b, their derivative.

They are symmetric, and take and give tensors of one shape. Where it can be done they are written without the difference
in the numerator, which loses all digits where a is near b.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import tensorflow as tf

# Places and weights of Gauss and Legendre on -1 to 1.
_PLACES, _WEIGHTS = (-math.sqrt(0.6), 0.0, math.sqrt(0.6)), (5 / 18, 8 / 18, 5 / 18)
_NEAR = 0.25
_SELU_ALPHA, _SELU_SCALE = 1.6732632423543772, 1.0507009873554805


def relu(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """Of max(x, 0): the part of the way from a to b that lies above 0; 0 where both are 0."""
    above = tf.nn.relu(tf.maximum(a, b))
    below = tf.nn.relu(-tf.minimum(a, b))
    return tf.math.divide_no_nan(above, above + below)


def clip(a: tf.Tensor, b: tf.Tensor, low: Any, high: Any) -> tf.Tensor:
    """Of x kept between two bounds."""
    return relu(a - low, b - low) - relu(a - high, b - high)


def leaky_relu(a: tf.Tensor, b: tf.Tensor, alpha: float) -> tf.Tensor:
    """Of x above 0, alpha * x below."""
    return alpha + (1 - alpha) * relu(a, b)


def absolute(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """Of |x|."""
    return relu(a, b) - relu(-a, -b)


def elu(a: tf.Tensor, b: tf.Tensor, alpha: float = 1.0, scale: float = 1.0) -> tf.Tensor:
    """Of scale * x above 0, scale * alpha * (e^x - 1) below: each counts for its part of the way."""
    above = relu(a, b)
    return scale * (above + alpha * (1 - above) * exp(tf.minimum(a, 0), tf.minimum(b, 0)))


def selu(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """Of the ELU with the constants of Klambauer et al., 2017."""
    return elu(a, b, _SELU_ALPHA, _SELU_SCALE)


def exp(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """Of e^x, and of e^x - 1: the logarithmic mean of e^a and e^b."""
    return tf.exp(tf.maximum(a, b)) * _mean_decay(tf.abs(a - b))


def sigmoid(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """Of 1 / (1 + e^-x)."""
    return tf.sigmoid(tf.maximum(a, b)) * tf.sigmoid(-tf.minimum(a, b)) * _mean_decay(tf.abs(a - b))


def tanh(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """Of tanh, which is 2 sigmoid(2 x) - 1."""
    return 4 * sigmoid(2 * a, 2 * b)


def softplus(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """Of log(1 + e^x)."""
    low, apart = tf.minimum(a, b), tf.abs(a - b)
    near = tf.math.log1p(tf.sigmoid(low) * tf.math.expm1(tf.minimum(apart, 1)))
    far = tf.math.softplus(tf.maximum(a, b)) - tf.math.softplus(low)
    return _over(tf.where(apart < 1, near, far), apart, tf.sigmoid(low))


def softsign(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """Of x / (1 + |x|)."""
    first, second = tf.abs(a), tf.abs(b)
    across = tf.math.divide_no_nan(2 * tf.nn.relu(-a * b), first + second)
    return (1 + across) / ((1 + first) * (1 + second))


def log(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """Of log(x)."""
    low, apart = tf.minimum(a, b), tf.abs(a - b)
    return _over(tf.math.log1p(apart / low), apart, 1 / low)


def log1p(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """Of log(1 + x)."""
    low, apart = tf.minimum(a, b), tf.abs(a - b)
    return _over(tf.math.log1p(apart / (1 + low)), apart, 1 / (1 + low))


def sqrt(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """Of the square root; 0 where both are 0, as nothing comes of it there."""
    return tf.math.divide_no_nan(tf.ones_like(a), tf.sqrt(a) + tf.sqrt(b))


def rsqrt(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """Of one over the square root."""
    first, second = tf.math.rsqrt(a), tf.math.rsqrt(b)
    return -((first * second) ** 2) / (first + second)


def square(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """Of x^2."""
    return a + b


def reciprocal(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """Of 1 / x."""
    return -1 / (a * b)


def sin(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """Of the sine."""
    return tf.cos((a + b) / 2) * _sinc((a - b) / 2)


def cos(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """Of the cosine."""
    return -tf.sin((a + b) / 2) * _sinc((a - b) / 2)


def erf(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """Of the error function."""
    apart = a - b
    slope = _mean(lambda x: 2 / math.sqrt(math.pi) * tf.exp(-tf.square(x)), a, b)
    return _over(tf.math.erf(a) - tf.math.erf(b), apart, slope, tf.abs(apart) < _NEAR)


def erfc(a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """Of one minus the error function."""
    return -erf(a, b)


def power(a: tf.Tensor, b: tf.Tensor, exponent: tf.Tensor) -> tf.Tensor:
    """Of x^p; of a root, 0 where both are 0, as in `sqrt`."""
    apart = a - b
    slope = _mean(lambda x: exponent * tf.pow(x, exponent - 1), a, b)
    near = tf.abs(apart) <= _NEAR * tf.maximum(tf.abs(a), tf.abs(b))
    found = _over(tf.pow(a, exponent) - tf.pow(b, exponent), apart, slope, near)
    nothing = tf.equal(a, 0) & tf.equal(b, 0) & (exponent < 1)
    return tf.where(nothing, tf.zeros_like(found), found)


def _mean(derivative: Callable[[tf.Tensor], tf.Tensor], a: tf.Tensor, b: tf.Tensor) -> tf.Tensor:
    """The mean of a smooth derivative between a and b that are near to each other: exact to rounding."""
    middle, half = (a + b) / 2, (a - b) / 2
    places = [middle + place * half for place in _PLACES]
    return tf.add_n([weight * derivative(place) for place, weight in zip(places, _WEIGHTS, strict=True)])


def _mean_decay(apart: tf.Tensor) -> tf.Tensor:
    """(1 - e^-d) / d of d >= 0."""
    return _over(-tf.math.expm1(-apart), apart, tf.ones_like(apart))


def _sinc(half: tf.Tensor) -> tf.Tensor:
    return _over(tf.sin(half), half, tf.ones_like(half))


def _over(part: tf.Tensor, whole: tf.Tensor, limit: tf.Tensor, near: tf.Tensor | None = None) -> tf.Tensor:
    """The quotient, or a limit of it where it is 0 / 0 or near to that."""
    near = tf.equal(whole, 0) if near is None else near
    return tf.where(near, limit, part / tf.where(near, tf.ones_like(whole), whole))
