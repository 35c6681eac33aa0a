"""Divided differences against their definition in double precision, from neighbours to far apart."""

import numpy as np
import pytest
import tensorflow as tf
from scipy import special

from xai_widgets.engine import differences

POSITIVE = ("log", "sqrt", "rsqrt", "reciprocal")
FUNCTIONS = {
    "relu": lambda x: np.maximum(x, 0),
    "absolute": np.abs,
    "elu": lambda x: np.where(x > 0, x, np.expm1(np.minimum(x, 0))),
    "selu": lambda x: 1.0507009873554805 * np.where(x > 0, x, 1.6732632423543772 * np.expm1(np.minimum(x, 0))),
    "exp": np.exp,
    "sigmoid": special.expit,
    "tanh": np.tanh,
    "softplus": lambda x: np.logaddexp(0, x),
    "softsign": lambda x: x / (1 + np.abs(x)),
    "log": np.log,
    "log1p": np.log1p,
    "sqrt": np.sqrt,
    "rsqrt": lambda x: 1 / np.sqrt(x),
    "square": np.square,
    "reciprocal": lambda x: 1 / x,
    "sin": np.sin,
    "cos": np.cos,
    "erf": special.erf,
    "erfc": special.erfc,
}


def places(name):
    """Pairs of float32 numbers, between 1e-5 and 12 apart, on both sides of 0 where the function is defined there."""
    random = np.random.default_rng(0)
    apart = np.float32(np.repeat([1e-5, 1e-3, 0.02, 0.2, 0.3, 1, 3, 12], 200))
    if name in POSITIVE:
        a = random.uniform(0.2, 5, len(apart)).astype(np.float32)
    else:
        a = random.uniform(-0.9 if name == "log1p" else -5, 5, len(apart)).astype(np.float32)
    return a, a + apart


@pytest.mark.parametrize("name", FUNCTIONS)
def test_equals_its_definition(name):
    a, b = places(name)
    wide_a, wide_b = np.float64(a), np.float64(b)
    expected = (FUNCTIONS[name](wide_b) - FUNCTIONS[name](wide_a)) / (wide_b - wide_a)
    function = getattr(differences, name)
    found = function(tf.constant(a), tf.constant(b)).numpy()
    np.testing.assert_allclose(found, expected, rtol=1e-5, atol=2e-6)
    np.testing.assert_allclose(function(tf.constant(b), tf.constant(a)), found, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_is_the_derivative_where_both_are_the_same(name):
    x = tf.constant(places(name)[0])
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = TENSORS.get(name, lambda x: getattr(tf.math, name)(x))(x)
    np.testing.assert_allclose(getattr(differences, name)(x, x), tape.gradient(y, x), rtol=2e-5, atol=1e-6)


TENSORS = {
    "relu": tf.nn.relu,
    "absolute": tf.abs,
    "elu": tf.nn.elu,
    "selu": tf.nn.selu,
    "softsign": tf.nn.softsign,
}


@pytest.mark.parametrize(("a", "b", "slope"), [(-1, 3, 0.75), (3, -1, 0.75), (1, 2, 1), (-1, -2, 0), (0, 0, 0)])
def test_a_rectifier_by_hand(a, b, slope):
    assert differences.relu(*map(tf.constant, (float(a), float(b)))) == slope


@pytest.mark.parametrize("p", [0.5, 2.0, 3.0, -1.0])
def test_powers(p):
    a, b = places("sqrt")
    expected = (np.float64(b) ** p - np.float64(a) ** p) / (np.float64(b) - np.float64(a))
    np.testing.assert_allclose(differences.power(tf.constant(a), tf.constant(b), tf.constant(p)), expected, rtol=1e-5)


def test_what_saturates_does_not_overflow():
    a, b = tf.constant([-1e4, 1e4, -90.0, 0.0]), tf.constant([1e4, 1e4, -80.0, 200.0])
    for name in ("sigmoid", "tanh", "softplus", "elu", "softsign", "erf"):
        assert np.isfinite(getattr(differences, name)(a, b)).all(), name
    np.testing.assert_allclose(differences.sigmoid(a, b)[0], 1 / 2e4, rtol=1e-6)
