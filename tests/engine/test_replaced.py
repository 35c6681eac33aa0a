"""Interpolation of masks, and channels that show nothing."""

import numpy as np
import pytest
import tensorflow as tf

from xai_widgets.engine.replaced import interpolation, is_flat


@pytest.mark.parametrize("sizes", [((3, 5), (12, 7)), ((7, 7), (224, 224)), ((2, 1), (9, 4)), ((4, 4), (4, 4))])
def test_is_the_linear_interpolation_of_tensorflow(sizes):
    small, large = sizes
    picture = np.random.default_rng(0).normal(size=small)
    ours = interpolation(small[0], large[0]) @ picture @ interpolation(small[1], large[1]).T
    theirs = tf.image.resize(picture[None, ..., None].astype("float32"), large)[0, ..., 0]
    np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_flat_channels_are_told_up_to_rounding():
    activations = np.full((1, 2, 2, 4), 0.3, "float32")
    activations[0, 0, 0] += [0, 3e-8, 1e-3, -0.3]
    np.testing.assert_array_equal(is_flat(activations), [[True, True, False, False]])
