"""Expected gradients against closed forms, and its own stated error."""

import numpy as np
import pytest
from models import function_model

import xai_widgets as xai

WEIGHTS = np.array([1.0, -2.0, 0.5], "float32")


def test_a_linear_model_gives_weights_times_the_distance_from_the_mean():
    model = function_model(lambda x: x @ WEIGHTS[:, None], 3)
    background = np.random.default_rng(0).normal(size=(10, 3))
    x = np.array([[1.0, 2.0, 3.0], [0.0, -1.0, 4.0]], "float32")
    a = xai.explain(model, x, xai.ExpectedGradients(samples=30, baseline=xai.Samples(background)))
    np.testing.assert_allclose(a.values, WEIGHTS * (x - background.mean(axis=0)), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(a.baseline_score, background.mean(axis=0) @ WEIGHTS, rtol=1e-4)
    np.testing.assert_allclose(a.residual, 0, atol=1e-4)


def test_from_one_baseline_it_is_integrated_gradients(digits):
    x, baseline = digits.inputs[:1], xai.Blur(3)
    expected = xai.explain(digits.model, x, xai.ExpectedGradients(samples=1000, baseline=baseline)).values
    integrated = xai.explain(digits.model, x, xai.IntegratedGradients(steps=1000, baseline=baseline)).values
    assert np.abs(expected - integrated).sum() < 0.01 * np.abs(integrated).sum()


@pytest.mark.slow
def test_the_stated_error_is_honest(digits):
    x = digits.inputs[:1]
    truth = xai.explain(digits.model, x, xai.ExpectedGradients(samples=8000, seed=99)).values
    a = xai.explain(digits.model, x, xai.ExpectedGradients(samples=200, seed=1))
    inside = (np.abs(a.values - truth) < 1.96 * a.error)[a.error > 0].mean()
    assert inside > 0.9
    assert a.change[0] == pytest.approx(np.abs(a.error).sum() / np.abs(a.values).sum(), rel=1e-3)
