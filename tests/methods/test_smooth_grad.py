"""SmoothGrad against the closed forms of a quadratic: noise of known size on a gradient that is linear."""

import numpy as np
import pytest
from keras import ops
from models import function_model

import xai_widgets as xai

MATRIX = np.array([[2.0, 1.0, 0.0], [1.0, -1.0, 3.0], [0.0, 3.0, 0.5]], "float32")
X = np.array([[1.0, -2.0, 3.0]], "float32")
SIGMA = 0.2 * 5  # the noise is a fraction of the range of x, which is 5
MEAN = (X @ MATRIX)[0]
SPREAD = SIGMA**2 * (MATRIX**2).sum(axis=1)


@pytest.fixture(scope="module")
def quadratic():
    return function_model(lambda x: ops.sum(x * (x @ MATRIX), axis=1, keepdims=True) / 2, 3)


def test_the_mean_of_a_linear_gradient_is_exact(quadratic):
    a = xai.explain(quadratic, X, xai.SmoothGrad(samples=4, noise=0.2))
    np.testing.assert_allclose(a.values[0], MEAN, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(a.error, 0, atol=1e-4)


@pytest.mark.parametrize(("reduce", "expected"), [("square", MEAN**2 + SPREAD), ("variance", SPREAD)])
def test_square_and_variance(quadratic, reduce, expected):
    a = xai.explain(quadratic, X, xai.SmoothGrad(samples=40_000, noise=0.2, reduce=reduce))
    np.testing.assert_allclose(a.values[0], expected, rtol=0.03)


def test_no_noise_left_is_the_gradient(zoo):
    model, inputs = zoo["sequential"]
    smooth = xai.explain(model, inputs, xai.SmoothGrad(samples=2, noise=1e-6))
    np.testing.assert_allclose(smooth.values, xai.explain(model, inputs, "saliency").values, atol=1e-4)


def test_draws_do_not_depend_on_how_they_are_grouped(digits, monkeypatch):
    from xai_widgets.engine.model import ModelView

    method = xai.SmoothGrad(samples=20)
    a = xai.explain(digits.model, digits.inputs[:1], method)
    monkeypatch.setattr(ModelView, "chunk", lambda *_, **__: 6)
    np.testing.assert_allclose(a.values, xai.explain(digits.model, digits.inputs[:1], method).values, atol=1e-5)


def test_the_stated_error_covers_the_truth(digits):
    """The 95 % interval of a run holds the mean of many more runs for about 95 % of the pixels."""
    x = digits.inputs[:1]
    truth = xai.explain(digits.model, x, xai.SmoothGrad(samples=8000, seed=99)).values
    covered = []
    for seed in range(5):
        a = xai.explain(digits.model, x, xai.SmoothGrad(samples=100, seed=seed))
        covered.append((np.abs(a.values - truth) < 1.96 * a.error)[a.error > 0].mean())
    assert 0.9 < np.mean(covered) < 0.99
