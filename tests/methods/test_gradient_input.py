"""Input times gradient against published values and what it equals."""

import keras
import numpy as np
from keras import layers, ops
from models import function_model, samples

import xai_widgets as xai


def test_published_value():
    """relu(relu(x1 - 1) - relu(x2)) at (3, 1): DeepExplain's test network."""
    model = function_model(lambda x: ops.relu(ops.relu(x[:, 0] - 1) - ops.relu(x[:, 1]))[:, None], 2)
    np.testing.assert_array_equal(xai.explain(model, [[3.0, 1.0]], "gradient_input", target=0).values, [[3, -1]])


def test_without_biases_it_is_integrated_gradients_from_zero():
    x = keras.Input((6, 6, 2))
    y = layers.Conv2D(4, 3, activation="relu", use_bias=False)(x)
    y = layers.Dense(3, use_bias=False)(layers.Flatten()(layers.MaxPooling2D()(y)))
    model, inputs = keras.Model(x, y), samples(6, 6, 2)
    a = xai.explain(model, inputs, xai.GradientInput())
    np.testing.assert_allclose(a.values, xai.explain(model, inputs, xai.IntegratedGradients(steps=5)).values, atol=1e-5)
    np.testing.assert_allclose(a.values.reshape(3, -1).sum(axis=1), a.score, rtol=1e-4)
