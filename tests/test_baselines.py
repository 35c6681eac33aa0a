"""Baselines are defined in the space of the raw inputs."""

import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

import xai_widgets as xai

PICTURES = np.random.default_rng(0).random((2, 9, 7, 3)).astype("float32")


@pytest.mark.parametrize("value", [0.25, [0.1, 0.2, 0.3], np.ones((9, 7, 3)) / 2], ids=["number", "colour", "picture"])
def test_constant(value):
    reference = xai.Constant(value).reference(PICTURES)
    assert reference.shape == PICTURES.shape
    assert reference.dtype == np.float32
    np.testing.assert_allclose(reference, np.broadcast_to(value, PICTURES.shape), rtol=1e-6)


def test_constant_of_a_wrong_shape_says_which_would_do():
    with pytest.raises(ValueError, match=r"shape \(4,\) does not fit .*3 values \(one per channel\)"):
        xai.Constant([1, 2, 3, 4]).reference(PICTURES)


def test_blur_is_per_channel_and_keeps_constants():
    reference = xai.Blur(1.5).reference(PICTURES)
    np.testing.assert_allclose(
        reference[1, :, :, 2], gaussian_filter(PICTURES[1, :, :, 2], 1.5, mode="nearest"), atol=1e-6
    )
    np.testing.assert_allclose(xai.Blur(3).reference(np.full((1, 8, 8, 1), 0.7, "float32")), 0.7, rtol=1e-6)
    assert xai.Blur(2).reference(np.ones((1, 5, 2), "float32")).shape == (1, 5, 2)


def test_blur_of_a_table_is_refused():
    with pytest.raises(ValueError, match="for tables use Constant"):
        xai.Blur().reference(np.ones((2, 30), "float32"))


RANDOM = [xai.GaussianNoise(sigma=0.3), xai.UniformNoise()]
FIXED = [xai.Constant(0.2), xai.Blur(2), xai.MaxDistance(), xai.Mean(PICTURES), xai.Samples(PICTURES)]
MIXED = [xai.Mix(xai.Blur(1), xai.UniformNoise(seed=3), 0.25), xai.Mix(xai.Constant(0), xai.Samples(PICTURES))]


@pytest.mark.parametrize("baseline", [*RANDOM, *FIXED, *MIXED], ids=repr)
def test_shape_dtype_determinism_and_independence_of_samples(baseline):
    reference = baseline.reference(PICTURES, 1)
    assert reference.shape == PICTURES.shape
    assert reference.dtype == np.float32
    np.testing.assert_array_equal(reference, baseline.reference(PICTURES, 1))
    np.testing.assert_array_equal(reference[1:], baseline.reference(PICTURES[1:], 1))
    assert np.isfinite(reference).all()


@pytest.mark.parametrize("baseline", RANDOM, ids=repr)
def test_noise_stays_within_the_range_and_follows_seed_and_draw(baseline):
    reference = baseline.reference(PICTURES)
    assert (reference >= PICTURES.min(axis=(1, 2, 3), keepdims=True)).all()
    assert (reference <= PICTURES.max(axis=(1, 2, 3), keepdims=True)).all()
    assert baseline.count is None
    for other in (baseline.reference(PICTURES, 1), baseline.replace(seed=1).reference(PICTURES)):
        assert np.abs(reference - other).mean() > 0.05


def test_max_distance_is_the_farther_end():
    row = np.array([[[0.0], [0.3], [0.7], [1.0]]], "float32")
    np.testing.assert_array_equal(xai.MaxDistance().reference(row)[0, :, 0], [1, 1, 0, 0])


def test_mean_samples_and_mix():
    np.testing.assert_allclose(xai.Mean(PICTURES).reference(PICTURES[:1])[0], PICTURES.mean(axis=0), rtol=1e-6)
    each = xai.Samples(PICTURES)
    assert each.count == 2
    np.testing.assert_array_equal(each.reference(PICTURES, 1)[0], PICTURES[1])
    half = xai.Mix(xai.Constant(0.0), xai.Constant(1.0), 0.25).reference(PICTURES)
    np.testing.assert_allclose(half, 0.25)
    assert xai.Mix(each, xai.Blur(1)).count == 2
    with pytest.raises(ValueError, match=r"Samples.samples must have shape \(K, 9, 7, 3\), got"):
        xai.Samples(PICTURES[..., 0]).reference(PICTURES)
    with pytest.raises(TypeError, match="samples"):
        xai.Samples()


def test_one_of_some_samples():
    only = xai.Samples(PICTURES, only=1)
    assert only.count == 1
    for draw in (0, 5):
        np.testing.assert_array_equal(only.reference(PICTURES[:1], draw)[0], PICTURES[1])
    with pytest.raises(ValueError, match=r"Samples.only must be from 0 to \d+, got 99"):
        xai.Samples(PICTURES, only=99)


def test_integrated_gradients_average_over_samples(zoo):
    model, inputs = zoo["sequential"]
    several = xai.explain(model, inputs, xai.IntegratedGradients(steps=20, baseline=xai.Samples(inputs)))
    each = [xai.explain(model, inputs, xai.IntegratedGradients(steps=20, baseline=xai.Constant(one))) for one in inputs]
    np.testing.assert_allclose(several.values, np.mean([one.values for one in each], axis=0), atol=1e-5)
    np.testing.assert_allclose(several.baseline_score, np.mean([one.baseline_score for one in each], axis=0), atol=1e-5)
    assert several.passes == 60
