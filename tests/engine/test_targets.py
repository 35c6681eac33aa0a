"""Targets as values."""

import keras
import numpy as np
import pytest
from keras import layers
from models import samples

import xai_widgets as xai


@pytest.fixture(scope="module")
def two_outputs():
    x = keras.Input((4,))
    outputs = {"kind": layers.Dense(3, "softmax")(x), "size": layers.Dense(1, name="size_")(x)}
    return keras.Model(x, outputs), samples(4)


@pytest.fixture(scope="module")
def dense_output():
    """A segmentation: (N, 6, 5, 3) with a softmax at each position."""
    x = keras.Input((6, 5, 2))
    return keras.Model(x, layers.Conv2D(3, 3, padding="same", activation="softmax", name="conv")(x)), samples(6, 5, 2)


def test_class_is_the_class(zoo):
    model, inputs = zoo["functional"]
    same = [xai.explain(model, inputs, "saliency", target=target) for target in (2, xai.Class(2))]
    np.testing.assert_array_equal(same[0].values, same[1].values)
    assert same[1].targets == ("class 2",) * 3


def test_margin_is_a_difference(zoo):
    model, inputs = zoo["functional"]
    names = ["a", "b", "c", "d", "e"]
    margin = xai.explain(model, inputs, "saliency", target=xai.Margin("b", 3), names=names)
    one, other = (xai.explain(model, inputs, "saliency", target=target) for target in (1, 3))
    np.testing.assert_allclose(margin.values, one.values - other.values, atol=1e-6)
    np.testing.assert_allclose(margin.score, one.score - other.score, atol=1e-5)
    assert margin.targets[0] == "b rather than d"
    np.testing.assert_array_equal(margin.target, -1)


def test_output_picks_one_of_several(two_outputs):
    model, inputs = two_outputs
    kind = xai.explain(model, inputs, "saliency", target=xai.Output("kind"))
    np.testing.assert_array_equal(kind.target, np.asarray(model(inputs)["kind"]).argmax(axis=1))
    assert kind.score_name == "logit"
    size = xai.explain(model, inputs, xai.IntegratedGradients(steps=4), target=xai.Output("size", 0))
    np.testing.assert_allclose(size.score, np.asarray(model(inputs)["size"])[:, 0], rtol=1e-5)
    np.testing.assert_allclose(size.residual, 0, atol=1e-5)
    with pytest.raises(ValueError, match=r"Output\.name 'kinds' is no output .* did you mean 'kind'"):
        xai.explain(model, inputs, target=xai.Output("kinds"))
    with pytest.raises(ValueError, match="target must be 0 to 2, got 3"):
        xai.explain(model, inputs, target=xai.Output("kind", 3))


def test_region_is_the_mean_score_inside(dense_output):
    model, inputs = dense_output
    mask = np.zeros((6, 5), bool)
    mask[2, 3] = mask[0, 0] = True
    a = xai.explain(model, inputs, "saliency", target=xai.Region(mask, 1))
    logits = model.get_layer("conv")
    plain = keras.ops.conv(inputs, logits.kernel, padding="same") + logits.bias
    np.testing.assert_allclose(a.score, np.asarray(plain)[:, mask, 1].mean(axis=1), rtol=1e-4)
    assert np.abs(a.values[0, 4:]).max() == 0  # nothing outside of the kernels' reach
    with pytest.raises(ValueError, match=r"Region.mask must have the shape \(6, 5\)"):
        xai.explain(model, inputs, target=xai.Region(np.ones((2, 2)), 1))
    with pytest.raises(ValueError, match=r"must be Region\(mask, class\)"):
        xai.explain(model, inputs)
    with pytest.raises(ValueError, match="True somewhere"):
        xai.Region(np.zeros((6, 5)), 1)


def test_neuron_is_what_a_layer_computes(zoo):
    model, inputs = zoo["functional"]
    activation = np.asarray(keras.Model(model.input, model.get_layer("conv").output)(inputs))
    unit = xai.explain(model, inputs, "saliency", target=xai.Neuron("conv", (1, 2, 3)))
    np.testing.assert_allclose(unit.score, activation[:, 1, 2, 3], rtol=1e-5)
    channel = xai.explain(model, inputs, xai.IntegratedGradients(steps=300), target=xai.Neuron("conv", 2))
    np.testing.assert_allclose(channel.score, activation[..., 2].mean(axis=(1, 2)), rtol=1e-4)
    np.testing.assert_allclose(channel.residual, 0, atol=1e-3)
    np.testing.assert_array_equal(channel.target, -1)
    for index in (4, (9, 0, 0), (0, 0)):
        with pytest.raises(ValueError, match=r"Neuron.index must lie within"):
            xai.explain(model, inputs, target=xai.Neuron("conv", index))
    with pytest.raises(ValueError, match="did you mean 'conv'"):
        xai.explain(model, inputs, target=xai.Neuron("convv", 0))
