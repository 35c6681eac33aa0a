"""Grad-CAM by hand, and the layer that it finds."""

import keras
import numpy as np
import pytest
from keras import layers
from models import samples

import xai_widgets as xai


def test_weights_are_the_spatial_mean_of_the_gradient():
    """By hand, as in captum's tests of one convolution: the mean gradient of channel 0 is 0.75, its relu is open."""
    x = keras.Input((3, 3, 1))
    conv = layers.Conv2D(2, 2, name="conv1")
    relu = layers.ReLU(name="relu1")
    head = layers.Dense(2, name="head")
    y = head(layers.Flatten()(relu(conv(x))))
    model = keras.Model(x, y)
    conv.kernel.assign(np.stack([np.ones((2, 2, 1)), -np.ones((2, 2, 1))], axis=-1))
    conv.bias.assign([0.0, 0.0])
    picture = np.arange(1, 10, dtype="float32").reshape(1, 3, 3, 1)
    kernel = np.zeros((8, 2), "float32")
    kernel[::2, 0] = 0.75
    head.kernel.assign(kernel)
    head.bias.assign([0.0, 0.0])
    sums = np.array([[12.0, 16.0], [24.0, 28.0]])
    for layer in ("conv1", "relu1"):
        a = xai.explain(model, picture, xai.GradCAM(layer=layer), target=0)
        np.testing.assert_allclose(a.values[0], 0.75 * sums, rtol=1e-5)


@pytest.mark.parametrize(
    ("name", "layer", "shape"),
    [
        ("functional", "conv", (3, 3, 3)),
        ("nested", "batch_normalization", (3, 6, 6)),
        ("subclassed", None, (3, 4, 4)),
        ("series", "conv1d", (3, 10)),
        ("volume", "conv3d", (3, 3, 4, 5)),
    ],
)
def test_finds_the_last_layer_with_positions_at_any_depth(zoo, name, layer, shape):
    model, inputs = zoo[name]
    a = xai.explain(model, inputs, xai.GradCAM())
    assert a.values.shape == shape
    assert a.heatmap().shape == inputs.shape[:-1]


def test_a_layer_that_is_called_twice_gives_two_maps():
    conv = layers.Conv2D(2, 3, padding="same", name="twice")
    x = keras.Input((6, 6, 2))
    y = layers.GlobalAveragePooling2D()(conv(conv(x)))
    a = xai.explain(keras.Model(x, layers.Dense(2)(y)), samples(6, 6, 2), xai.GradCAM(layer="twice"))
    assert [one.shape for one in a.values] == [(3, 6, 6)] * 2
    assert [one.shape for one in a.heatmap()] == [(3, 6, 6)] * 2
