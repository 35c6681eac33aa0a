"""Blur IG: its path, its sums, and where it does not apply."""

import numpy as np
import pytest
from models import samples
from scipy.ndimage import gaussian_filter

import xai_widgets as xai
from xai_widgets.engine.blur import SCHEDULES
from xai_widgets.gaussian import blurred


@pytest.mark.parametrize("shape", [(12, 2), (9, 13, 3), (5, 6, 7, 1), (10, 10)])
@pytest.mark.parametrize("sigma", [0.3, 1.0, 7.5, 40.0])
def test_blurs_as_scipy_does(shape, sigma):
    inputs = samples(*shape)
    axes = (1, 2) if shape == (10, 10) else tuple(range(1, len(shape)))
    expected = gaussian_filter(inputs, sigma, axes=axes, mode="nearest")
    np.testing.assert_allclose(blurred(inputs, sigma), expected, atol=2e-6)


def test_a_linear_score_gets_weights_times_what_the_blur_takes_away():
    """Whatever the path, the steps and the schedule."""
    import keras
    from keras import layers

    model = keras.Sequential([keras.Input((9, 8, 2)), layers.Flatten(), layers.Dense(1)])
    inputs = samples(9, 8, 2)
    weights = model.layers[-1].kernel.numpy().reshape(9, 8, 2)
    for steps, schedule in ((1, "square"), (7, "sqrt"), (32, "linear")):
        a = xai.explain(model, inputs, xai.BlurIG(steps=steps, sigma=3, schedule=schedule))
        np.testing.assert_allclose(a.values, weights * (inputs - blurred(inputs, 3)), atol=1e-5)


@pytest.mark.parametrize("name", ["functional", "nested", "subclassed", "series", "volume"])
@pytest.mark.slow
def test_sums_to_the_difference_from_the_blurred_input(zoo, name):
    model, inputs = zoo[name]
    a = xai.explain(model, inputs, xai.BlurIG(steps=200, sigma=5))
    blurry = xai.explain(model, inputs, xai.IntegratedGradients(steps=1, baseline=xai.Blur(5)), target=a.target)
    np.testing.assert_allclose(a.baseline_score, blurry.baseline_score, atol=1e-5)
    difference = a.score - a.baseline_score
    np.testing.assert_allclose(a.values.reshape(3, -1).sum(axis=1), difference, atol=0.04 * np.abs(difference).max())


@pytest.mark.slow
def test_every_schedule_leads_to_the_same_map_and_square_gets_there_first(digits):
    x = digits.inputs[:1]

    def values(schedule, steps):
        return xai.explain(digits.model, x, xai.BlurIG(steps=steps, sigma=10, schedule=schedule)).values

    limit = values("square", 512)
    errors = {one: np.abs(values(one, 32) - limit).sum() / np.abs(limit).sum() for one in SCHEDULES}
    assert errors["square"] < 0.06
    assert errors["square"] < errors["linear"] < 0.3 * errors["sqrt"]
    assert np.abs(values("linear", 512) - limit).sum() < 0.02 * np.abs(limit).sum()


def test_change_estimates_the_distance_to_the_limit(digits):
    inputs = digits.inputs[:10]
    limit = xai.explain(digits.model, inputs, xai.BlurIG(steps=256, sigma=8)).values
    a = xai.explain(digits.model, inputs, xai.BlurIG(steps=32, sigma=8))
    true = np.abs(a.values - limit).sum((1, 2, 3)) / np.abs(limit).sum((1, 2, 3))
    assert 0.5 < (a.change / true).mean() < 2


def test_tables_are_refused(zoo):
    model, inputs = zoo["sequential"]
    with pytest.raises(ValueError, match="BlurIG needs pictures, volumes or series"):
        xai.explain(model, inputs, "blur_ig")
    assert not xai.BlurIG.fits(inputs.shape)


def test_with_respect_to_a_layer_and_through_numpy_preprocessing(zoo):
    model, inputs = zoo["functional"]
    a = xai.explain(model, inputs, xai.BlurIG(steps=200, sigma=3), wrt="conv")
    assert a.values.shape == (3, 6, 6, 4)
    np.testing.assert_allclose(a.residual, 0, atol=0.02 * np.abs(a.score - a.baseline_score).max())
    outside = xai.explain(
        model, inputs * 2, xai.BlurIG(steps=9, sigma=3), preprocess=lambda x: np.asarray(x, "float32") / 2
    )
    plain = xai.explain(model, inputs, xai.BlurIG(steps=9, sigma=3))
    np.testing.assert_allclose(outside.values, plain.values, atol=1e-5)
