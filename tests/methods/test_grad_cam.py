"""Grad-CAM against published values and closed forms, and the layer that it finds."""

import keras
import numpy as np
import pytest
from keras import layers
from models import samples

import xai_widgets as xai


@pytest.fixture(scope="module")
def one_convolution():
    """A convolution, pooled, and a linear head."""
    x = keras.Input((8, 8, 2))
    y = layers.Conv2D(3, 3, name="last")(x)
    y = layers.GlobalAveragePooling2D()(y)
    return keras.Model(x, layers.Dense(4, name="head")(y)), samples(8, 8, 2)


def test_pooling_and_dense_give_the_original_cam(one_convolution):
    """Zhou et al., 2016: for this head Grad-CAM is CAM divided by the number of positions."""
    model, inputs = one_convolution
    activations = np.asarray(keras.Model(model.input, model.get_layer("last").output)(inputs))
    for target in range(4):
        weights = model.get_layer("head").kernel.numpy()[:, target]
        a = xai.explain(model, inputs, xai.GradCAM(relu=False), target=target)
        np.testing.assert_allclose(a.values, activations @ weights / 36, rtol=1e-4, atol=1e-6)
        kept = xai.explain(model, inputs, xai.GradCAM(), target=target)
        np.testing.assert_allclose(kept.values, np.maximum(a.values, 0), atol=1e-7)


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


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"layer": "convv"}, "did you mean 'conv'"),
        ({"layer": "dense"}, "has no positions"),
    ],
)
def test_wrong_layers_are_refused(arguments, says):
    x = keras.Input((6, 6, 2))
    y = layers.Dense(2, name="dense")(layers.Flatten()(layers.Conv2D(2, 3, name="conv")(x)))
    with pytest.raises(ValueError, match=says):
        xai.explain(keras.Model(x, y), samples(6, 6, 2), xai.GradCAM(**arguments))


def test_tables_and_wrt_are_refused(zoo):
    with pytest.raises(ValueError, match="no layer with more than one position"):
        xai.explain(*zoo["sequential"], xai.GradCAM())
    with pytest.raises(ValueError, match="give layer=, not wrt="):
        xai.explain(*zoo["functional"], xai.GradCAM(), wrt="conv")


def test_a_map_that_is_zero_everywhere_says_so():
    x = keras.Input((6, 6, 1))
    y = layers.GlobalAveragePooling2D()(layers.ReLU()(layers.Conv2D(1, 3, name="conv")(x)))
    model = keras.Model(x, layers.Dense(1, use_bias=False)(y))
    model.layers[-1].kernel.assign([[-1.0]])
    a = xai.explain(model, np.abs(samples(6, 6, 1)), xai.GradCAM())
    assert not a.values.any()
    assert any("zero everywhere" in note for note in a.notes)
