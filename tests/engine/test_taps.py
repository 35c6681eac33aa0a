"""A tap is seen by its own thread only and leaves nothing behind."""

import threading

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from models import Wrapped, samples, unchanged

import xai_widgets as xai
from xai_widgets.engine.taps import tapped


def test_replaces_the_output_in_this_thread_only_and_is_undone():
    layer, x = layers.Dense(2), np.ones((1, 3), "float32")
    plain = layer(x).numpy()
    elsewhere = []
    with tapped(layer, lambda output: output * 0):
        assert not layer(x).numpy().any()
        other = threading.Thread(target=lambda: elsewhere.append(layer(x).numpy()))
        other.start()
        other.join()
    np.testing.assert_array_equal(elsewhere[0], plain)
    np.testing.assert_array_equal(layer(x).numpy(), plain)
    assert "call" not in layer.__dict__


def test_is_undone_after_an_error_and_keeps_what_a_user_had_put_there():
    layer = layers.Dense(2)
    own = layer.call
    layer.__dict__["call"] = own
    with pytest.raises(KeyboardInterrupt), tapped(layer, lambda output: output):
        raise KeyboardInterrupt
    assert layer.__dict__["call"] is own


@pytest.mark.parametrize("traced_before", [False, True])
def test_layers_within_a_tf_function_are_reached_and_the_function_stays_the_users(traced_before):
    model, inputs = Wrapped(), samples(8, 8, 2)
    model(inputs if traced_before else inputs[:1].astype("float64"))
    with unchanged(model):
        a = xai.explain(model, inputs, xai.IntegratedGradients(steps=64), wrt="conv")
        assert a.score_name == "logit"
        assert a.values.shape == (3, 6, 6, 4)
        np.testing.assert_allclose(a.residual, 0, atol=1e-3)
        assert xai.explain(model, inputs, "grad_cam").values.shape == (3, 6, 6)
    by_hand = tf.nn.softmax(model.head(tf.reduce_mean(model.conv(inputs), (1, 2))))
    np.testing.assert_allclose(model(inputs), by_hand, atol=1e-6)


def test_a_tf_function_that_needs_autograph_keeps_it():
    model, inputs = Wrapped(loops=True), samples(8, 8, 2)
    model(inputs)
    a = xai.explain(model, inputs, xai.IntegratedGradients(steps=64))
    np.testing.assert_allclose(a.residual, 0, atol=1e-3)


def test_what_a_graph_within_computes_stays_there():
    inner = layers.Dense(2, name="inner")
    inner.build((None, 3))
    within = tf.function(lambda x: inner(x))

    class Outer(keras.Model):
        def __init__(self):
            super().__init__()
            self.inner = inner

        def call(self, x):
            return within(x)

    model, inputs = Outer(), samples(3)
    expected = model(inputs).numpy()
    with unchanged(model):
        assert np.isfinite(xai.explain(model, inputs, xai.IntegratedGradients(steps=4)).values).all()
        for method in ("saliency", "integrated_gradients"):
            with pytest.raises(ValueError, match="layer 'inner'"):
                xai.explain(model, inputs, method, wrt="inner")
    for count in (1, 3):
        np.testing.assert_allclose(model(inputs[:count]), expected[:count], atol=1e-6)
