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
