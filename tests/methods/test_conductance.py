"""Conductance against integrated gradients, hand-computed values, and its sums."""

import keras
import numpy as np
import pytest
from keras import layers
from models import samples, unchanged

import xai_widgets as xai

RULES = ("midpoint", "left", "right", "trapezoid", "gauss_legendre")


def sums(values):
    return values.reshape(len(values), -1).sum(axis=1)


@pytest.fixture(scope="module")
def convolutional():
    x = keras.Input((8, 8, 2))
    y = layers.Activation("linear", name="same")(x)
    y = layers.Conv2D(4, 3, activation="tanh", name="conv")(y)
    y = layers.Dense(5, activation="relu", name="hidden")(layers.Flatten()(y))
    return keras.Model(x, layers.Dense(3, activation="softmax")(y)), samples(8, 8, 2)


@pytest.mark.parametrize("rule", RULES)
def test_of_an_identity_it_is_integrated_gradients(convolutional, rule):
    model, inputs = convolutional
    a = xai.explain(model, inputs, xai.Conductance(layer="same", steps=5, rule=rule))
    expected = xai.explain(model, inputs, xai.IntegratedGradients(steps=5, rule=rule))
    np.testing.assert_allclose(a.values, expected.values, atol=1e-6)


@pytest.mark.parametrize("layer", ["conv", "hidden"])
def test_its_sum_is_that_of_integrated_gradients_point_for_point(convolutional, layer):
    """What flows in at each point of the path flows through the layer at that point, however few points there are."""
    model, inputs = convolutional
    a = xai.explain(model, inputs, xai.Conductance(layer=layer, steps=3))
    expected = xai.explain(model, inputs, xai.IntegratedGradients(steps=3))
    np.testing.assert_allclose(sums(a.values), sums(expected.values), atol=1e-5)
    np.testing.assert_allclose(a.residual, expected.residual, atol=1e-5)


def test_hand_computed_units():
    """tanh(x) through weights w: the conductance of unit i is w_i (tanh(x_i) - tanh(b_i))."""
    model = keras.Sequential([keras.Input((3,)), layers.Activation("tanh", name="units"), layers.Dense(1, name="w")])
    x, b = np.array([[1.0, -2.0, 0.5]], "float32"), np.array([0.2, 0.0, -1.0])
    a = xai.explain(model, x, xai.Conductance(layer="units", steps=200, baseline=xai.Constant(b)))
    w = model.get_layer("w").kernel.numpy()[:, 0]
    np.testing.assert_allclose(a.values[0], w * (np.tanh(x[0]) - np.tanh(b)), atol=1e-4)
    np.testing.assert_allclose(a.residual, 0, atol=1e-4)


def test_equals_differences_of_the_units_along_the_path(convolutional):
    """The definition without a derivative of the layer: gradients at its output times how far it moves at each step."""
    model, inputs = convolutional
    hidden = keras.Model(model.input, model.get_layer("hidden").output)
    head = keras.Sequential([keras.Input((5,)), layers.Dense(3)])
    head.layers[0].set_weights(model.layers[-1].get_weights())
    target = np.asarray(model(inputs)).argmax(axis=1)
    kernel = head.layers[0].kernel.numpy()
    alphas = np.linspace(0, 1, 201).reshape(-1, 1, 1, 1, 1)
    units = np.asarray(hidden((inputs * alphas).reshape(-1, *inputs.shape[1:]))).reshape(201, 3, 5)
    expected = np.diff(units, axis=0).sum(axis=0) * kernel[:, target].T
    a = xai.explain(model, inputs, xai.Conductance(layer="hidden", steps=200))
    np.testing.assert_allclose(a.values, expected, atol=4e-3 * np.abs(expected).max())


def test_what_goes_around_the_layer_is_the_residual_and_is_told():
    x = keras.Input((4,))
    branch = layers.Dense(4, kernel_initializer="ones", name="branch")(x)
    model = keras.Model(x, layers.Dense(1, kernel_initializer="ones")(layers.Add()([x, branch])))
    inputs = np.abs(samples(4))
    a = xai.explain(model, inputs, xai.Conductance(layer="branch", steps=4))
    kernel, around = model.layers[-1].kernel.numpy(), inputs @ model.layers[-1].kernel.numpy()
    np.testing.assert_allclose(a.residual, -around[:, 0], atol=1e-5)
    np.testing.assert_allclose(a.values, inputs @ model.get_layer("branch").kernel.numpy() * kernel[:, 0], atol=1e-5)
    assert any("goes around the layer" in note for note in a.notes)


def test_of_a_layer_called_twice_there_are_values_for_each_call(zoo):
    model, inputs = zoo["shared_layer"]
    a = xai.explain(model, inputs, xai.Conductance(layer="shared", steps=400))
    assert [array.shape for array in a.values] == [(3, 6), (3, 6)]
    for array in a.values:  # one after the other: each of them sees all that flows
        np.testing.assert_allclose(sums(array), a.score - a.baseline_score, atol=0.02)
    assert any("called 2 times" in note for note in a.notes)


@pytest.mark.parametrize("name", ["functional", "nested", "subclassed", "series", "volume", "mixed_precision"])
@pytest.mark.slow
def test_default_layer_on_awkward_models(zoo, name):
    model, inputs = zoo[name]
    with unchanged(model):
        a = xai.explain(model, inputs, xai.Conductance(steps=64))
    difference = a.score - a.baseline_score
    np.testing.assert_allclose(a.residual, 0, atol=0.02 * np.abs(difference).max() + 0.02)


def test_refusals(zoo):
    model, inputs = zoo["sequential"]
    with pytest.raises(ValueError, match=r"no layer with positions: give Conductance\(layer"):
        xai.explain(model, inputs, "conductance")
    with pytest.raises(ValueError, match="names no single layer"):
        xai.explain(model, inputs, xai.Conductance(layer="nothing"))
    model, inputs = zoo["functional"]
    with pytest.raises(ValueError, match="give layer=, not wrt="):
        xai.explain(model, inputs, "conductance", wrt="conv")


def test_of_token_ids_the_path_runs_in_their_embedding(zoo):
    model, ids = zoo["tokens"]
    with unchanged(model):
        expected = sums(xai.explain(model, ids, xai.IntegratedGradients(steps=8)).values)
        for layer in ("words", None):
            a = xai.explain(model, ids, xai.Conductance(layer=layer, steps=8))
            np.testing.assert_allclose(sums(a.values), expected, atol=1e-5)
            assert any("where the path runs" in note for note in a.notes)


def test_why_there_is_no_gradient_is_told(convolutional):
    model, inputs = convolutional
    with pytest.raises(ValueError, match=f"does not depend on the output of layer '{model.layers[-1].name}': it is"):
        xai.explain(model, inputs, xai.Conductance(layer=model.layers[-1].name))
    rounded = keras.Sequential([keras.Input((3,)), layers.Lambda(keras.ops.round), layers.Dense(2)])
    with pytest.raises(ValueError, match="by any differentiable way: rounding"):
        xai.explain(rounded, samples(3), "saliency")
