"""Guided Grad-CAM: the product of two maps that are tested by themselves."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from models import samples

import xai_widgets as xai
from xai_widgets.engine.cam import enlarged


@pytest.mark.parametrize("relu", [True, False])
def test_is_guided_backprop_times_the_enlarged_map(relu, digits):
    model, inputs = digits.model, digits.inputs[:3]
    a = xai.explain(model, inputs, xai.GuidedGradCAM(relu=relu))
    cam = xai.explain(model, inputs, xai.GradCAM(relu=relu))
    guided = xai.explain(model, inputs, "guided_backprop")
    large = tf.image.resize(cam.values[..., None], (28, 28)).numpy()
    assert a.values.shape == inputs.shape
    np.testing.assert_allclose(a.values, guided.values * large, atol=1e-6 * np.abs(a.values).max())
    assert any("guided by the map of layer" in note for note in a.notes)


def test_maps_are_enlarged_along_each_axis():
    maps = np.arange(6.0).reshape(1, 2, 3)
    expected = tf.image.resize(maps[..., None], (4, 6)).numpy()[..., 0]
    np.testing.assert_allclose(enlarged(maps, (4, 6)), expected, atol=1e-6)


def test_a_named_layer(zoo):
    model, inputs = zoo["nested"]
    a, b = (xai.explain(model, inputs, xai.GuidedGradCAM(layer=layer)) for layer in (None, "deep.conv"))
    assert not np.array_equal(a.values, b.values)


def test_each_input_gets_the_map_of_what_reads_it(zoo):
    specimen = zoo["siamese"]
    a = xai.explain(specimen.model, specimen.inputs, xai.GuidedGradCAM(layer="conv"))
    cams = xai.explain(specimen.model, specimen.inputs, xai.GradCAM(layer="conv"))
    guided = xai.explain(specimen.model, specimen.inputs, "guided_backprop")
    apart = [
        [np.abs(value - slopes * tf.image.resize(cam[..., None], (8, 8))).max() for cam in cams.values]
        for value, slopes in zip(a.values, guided.values, strict=True)
    ]
    # Calls come in the order in which the model makes them, which need not be that of its inputs.
    assert {int(np.argmin(row)) for row in apart} == {0, 1}
    assert all(min(row) < 1e-6 < 1e-3 < max(row) for row in apart)


def test_an_input_that_the_layer_does_not_read_is_zero_and_said_so(zoo):
    specimen = zoo["dict_inputs"]
    a = xai.explain(specimen.model, specimen.inputs, "guided_grad_cam")
    assert not a.values["table"].any()
    assert a.values["picture"].any()
    assert any("The map of input 1 is zero" in note for note in a.notes)


def test_token_ids_have_one_value_each(zoo):
    model, ids = zoo["tokens_without_mask"]
    assert xai.explain(model, ids, "guided_grad_cam").values.shape == ids.shape


def test_a_layer_with_other_axes_than_the_input_is_refused():
    x = keras.Input((16,))
    y = layers.Conv2D(2, 3, activation="relu", name="conv")(layers.Reshape((4, 4, 1))(x))
    model = keras.Model(x, layers.Dense(2)(layers.Flatten()(y)))
    with pytest.raises(ValueError, match=r"GuidedGradCAM\.layer 'conv' reads no input with as many axes"):
        xai.explain(model, samples(16), "guided_grad_cam")
