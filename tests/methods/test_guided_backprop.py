"""Guided backprop and the deconvnet against the same by hand, and what they do not tell."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops
from models import function_model, samples

import xai_widgets as xai


@tf.custom_gradient
def guided_relu(x):
    return tf.nn.relu(x), lambda dy: tf.where(x > 0, tf.nn.relu(dy), tf.zeros_like(dy))


@tf.custom_gradient
def deconvolved_relu(x):
    return tf.nn.relu(x), tf.nn.relu


BY_HAND = {xai.GuidedBackprop: guided_relu, xai.Deconvnet: deconvolved_relu}


class Inline(keras.Model):
    """Rectifies inline, in two ways; `relu` in place of both gives the map by hand."""

    def __init__(self):
        super().__init__()
        self.convolutions = [layers.Conv2D(4, 3), layers.Conv2D(4, 3)]
        self.head = layers.Dense(3)

    def call(self, x, relu=None):
        first, second = (ops.relu, tf.nn.relu) if relu is None else (relu, relu)
        x = second(self.convolutions[1](first(self.convolutions[0](x))))
        return self.head(ops.mean(x, axis=(1, 2)))


@pytest.mark.parametrize("cls", BY_HAND)
def test_equals_a_tape_over_relus_by_hand_to_the_last_bit(cls):
    model, x = Inline(), samples(8, 8, 2)
    model(x)

    @tf.function
    def by_hand(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            score = model(x, relu=BY_HAND[cls])[:, 1]
        return tape.gradient(score, x)

    a = xai.explain(model, x, cls(), target=1)
    np.testing.assert_array_equal(a.values, by_hand(tf.constant(x)))
    assert np.abs(a.values - xai.explain(model, x, "saliency", target=1).values).max() > 1e-3


RELUS = {
    "layer": layers.ReLU(),
    "activation layer": layers.Activation("relu"),
    "function": ops.relu,
    "TensorFlow's": tf.nn.relu,
    "maximum": lambda x: ops.maximum(x, 0.0),
    "maximum turned": lambda x: tf.maximum(0.0, x),
    "relu6": ops.relu6,
    "capped layer": layers.ReLU(max_value=6.0),
    "where": lambda x: tf.where(x > 0, x, 0.0),
    "where turned": lambda x: ops.where(x >= 0.0, x, ops.zeros_like(x)),
    "maximum of arrays": lambda x: tf.maximum(x, tf.zeros_like(x)),
    "mask": lambda x: x * tf.cast(x > 0, x.dtype),
    "layer with a threshold": layers.ReLU(threshold=0.5),
    "leaky": layers.LeakyReLU(negative_slope=0.5),
    "leaky function": lambda x: ops.leaky_relu(x, 0.5),
}


@pytest.mark.parametrize("name", RELUS)
@pytest.mark.slow
def test_every_way_to_write_a_relu_is_reached(name):
    """y = sum of c * relu(x): where c is negative nothing passes, where x is, only as much as the ReLU's slope."""
    c = np.array([1.0, 1.0, -2.0, -2.0], "float32")
    x = np.array([[3.0, -3.0, 3.0, -3.0]], "float32")
    model = function_model(lambda x: ops.sum(c * RELUS[name](x), axis=1, keepdims=True), 4)
    below = 0.5 if "leaky" in name else 0
    np.testing.assert_array_equal(xai.explain(model, x, "saliency").values, [[1, below, -2, -2 * below]])
    np.testing.assert_array_equal(xai.explain(model, x, "guided_backprop").values, [[1, below, 0, 0]])
    np.testing.assert_array_equal(xai.explain(model, x, "deconvnet").values, [[1, 1, 0, 0]])


def test_relu6_lets_nothing_pass_above_its_cap():
    model = function_model(lambda x: ops.relu6(x), 1)
    x = np.array([[7.0]], "float32")
    assert xai.explain(model, x, "guided_backprop").values == 0
    assert xai.explain(model, x, "deconvnet").values == 1


def test_is_the_gradient_where_all_signals_and_activations_are_positive():
    keras.utils.set_random_seed(0)
    positive = {"kernel_initializer": keras.initializers.RandomUniform(0.1, 1), "activation": "relu"}
    model = keras.Sequential([keras.Input((5,)), layers.Dense(4, **positive), layers.Dense(2, **positive)])
    x = np.abs(samples(5))
    plain = xai.explain(model, x, "saliency").values
    for method in ("guided_backprop", "deconvnet"):
        np.testing.assert_array_equal(xai.explain(model, x, method).values, plain)


@pytest.mark.parametrize("name", ["nested", "shared_layer", "siamese", "mixed_precision", "wrapped", "dict_inputs"])
def test_rectifiers_at_any_depth_are_reached(name, zoo):
    specimen = zoo[name]
    plain, guided = (
        xai.explain(specimen.model, specimen.inputs, method, **specimen.keywords)
        for method in ("saliency", "guided_backprop")
    )
    differs = [
        np.abs(one - other).max()
        for one, other in zip(tf.nest.flatten(plain.values), tf.nest.flatten(guided.values), strict=True)
    ]
    assert min(differs) > 1e-3
    assert any("hardly depends on the class" in note for note in guided.notes)
    assert not any("No ReLU" in note or "Relu" in note for note in guided.notes)


PIECEWISE = {
    "Select": lambda x: tf.where(x > 0, x, 0.1 * x),
    "Maximum": lambda x: tf.maximum(x, -1.0),
    "Minimum": lambda x: tf.minimum(x, 1.0),
    "Abs": tf.abs,
    "Mul": lambda x: x * tf.cast(tf.roll(x, 1, 1) > 0, x.dtype),
}


@pytest.mark.parametrize("kind", PIECEWISE)
def test_what_else_is_piecewise_is_told(kind):
    model = function_model(lambda x: ops.sum(PIECEWISE[kind](tf.nn.relu(x)), axis=1, keepdims=True), 4)
    notes = xai.explain(model, samples(4), "guided_backprop").notes
    assert any("keeps its plain gradient" in note and kind in note for note in notes)


def test_layers_are_told_by_path_and_once():
    inner = keras.Sequential([keras.Input((4,)), layers.Dense(4, "tanh", name="enc")], name="tower")
    one, other = keras.Input((4,)), keras.Input((4,))
    y = layers.GRU(3, name="steps")(layers.Reshape((2, 2))(ops.relu(inner(one) - inner(other))))
    model = keras.Model([one, other], layers.Dense(2)(y))
    notes = xai.explain(model, [samples(4), samples(4) + 1], "guided_backprop", target=0).notes
    (told,) = [note for note in notes if "plain gradient" in note]
    assert "Tanh in 'tower/enc'" in told
    assert "Sigmoid, Tanh in 'steps'" in told
    assert told.count("tower/enc") == 1


def test_without_a_relu_it_says_that_it_is_the_plain_gradient(zoo):
    a = xai.explain(*zoo["sequential"], "guided_backprop")
    np.testing.assert_array_equal(a.values, xai.explain(*zoo["sequential"], "saliency").values)
    assert any("No ReLU was found" in note and "Tanh in 'dense" in note for note in a.notes)
    assert not any("hardly" in note for note in a.notes)


def test_what_keeps_its_plain_gradient_is_told(zoo):
    notes = xai.explain(*zoo["series"], "guided_backprop").notes
    assert any("Only ReLUs are treated" in note and "lstm" in note for note in notes)
    notes = xai.explain(*zoo["wrapped_with_autograph"], "deconvnet").notes
    assert any("PartitionedCall" in note for note in notes)


def test_the_relus_in_a_loop_are_reached():
    keras.utils.set_random_seed(1)
    x = keras.Input((6, 3))
    model = keras.Model(x, layers.Dense(2)(layers.SimpleRNN(4, activation="relu")(x)))
    rolled = xai.explain(model, samples(6, 3), "guided_backprop", target=0).values
    model.layers[1].unroll = True
    unrolled = keras.Model(model.input, model.output)
    np.testing.assert_allclose(
        rolled, xai.explain(unrolled, samples(6, 3), "guided_backprop", target=0).values, atol=1e-6
    )
    assert np.abs(rolled - xai.explain(model, samples(6, 3), "saliency", target=0).values).max() > 1e-3


def test_of_a_layer_and_smoothed(zoo):
    model, inputs = zoo["nested"]
    a = xai.explain(model, inputs, "guided_backprop", wrt="deep.conv")
    assert a.values.shape == (3, 6, 6, 4)
    smooth = xai.explain(model, inputs, xai.SmoothGrad(samples=4, of="guided_backprop"))
    assert smooth.values.shape == inputs.shape
    assert any("hardly depends" in note for note in smooth.notes)


def test_it_survives_random_weights_in_the_head_where_the_gradient_does_not(digits):
    """Adebayo et al., 2018: the head has learnt nothing any more, and the map is much the same."""
    inputs = digits.inputs[:8]
    similarity = {
        method: xai.randomization(digits.model, inputs, xai.explain(digits.model, inputs, method)).similarity
        for method in ("saliency", "guided_backprop", "deep_lift")
    }
    assert similarity["guided_backprop"][0] > 0.5
    assert abs(similarity["saliency"][0]) < 0.25
    assert abs(similarity["deep_lift"][0]) < 0.25
