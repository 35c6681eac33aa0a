"""Some methods compute with other derivatives than TensorFlow's own: nobody else ever sees them."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from expected import few
from keras import layers
from models import samples
from tensorflow.python.framework.ops import gradient_registry

import xai_widgets as xai
from xai_widgets.methods import METHODS


@pytest.fixture(scope="module")
def bystander():
    """A model with everything that some method has a derivative of its own for, and samples."""
    keras.utils.set_random_seed(0)
    x = keras.Input((12, 2))
    y = layers.MaxPooling1D()(layers.LeakyReLU()(layers.BatchNormalization()(layers.Conv1D(4, 3)(x))))
    y = layers.GRU(3)(layers.Dense(4, "silu")(layers.ReLU(max_value=6)(layers.Conv1D(4, 2, activation="relu")(y))))
    return keras.Model(x, layers.Dense(3, "softmax")(layers.Dense(4, "tanh")(y))), samples(12, 2)


def plain_gradients(bystander):
    """With respect to inputs and weights, by a tape: eagerly, and in a function that is traced anew."""
    model, inputs = bystander

    def gradients(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = model(x, training=False) ** 2
        return tape.gradient(y, [x, *(one.value for one in model.trainable_variables)])

    x = tf.constant(inputs)
    return [one.numpy() for one in (*gradients(x), *tf.function(gradients)(x))]


@pytest.fixture(scope="module")
def gradients_before(bystander):
    return plain_gradients(bystander)


@pytest.mark.parametrize("cls", METHODS, ids=lambda cls: cls.name)
@pytest.mark.slow
def test_plain_gradients_and_the_registry_are_what_they_were(cls, zoo, bystander, gradients_before):
    before = {name: gradient_registry.lookup(name) for name in gradient_registry.list()}
    xai.explain(*zoo["nested"], few(cls), target=lambda outputs: outputs[:, 0])  # which every method applies to
    unchanged_for(cls, before, bystander, gradients_before)


# They weight a layer's channels without a slope.
SLOPELESS = (xai.EigenCAM, xai.ScoreCAM, xai.AblationCAM)
SLOPED = [cls for cls in METHODS if cls.differentiates and cls not in SLOPELESS]


def interrupts(*_, **__):
    raise KeyboardInterrupt("on purpose")


@pytest.mark.parametrize("cls", SLOPED, ids=lambda cls: cls.name)
@pytest.mark.slow
def test_they_are_so_after_an_interrupt_within_the_derivative(cls, zoo, bystander, gradients_before, monkeypatch):
    """Within a rule, while other operations have theirs, where the method has rules; else within the tape."""
    from xai_widgets.engine import relevance_walk, rules

    before = {name: gradient_registry.lookup(name) for name in gradient_registry.list()}
    with monkeypatch.context() as patched:
        patched.setattr(rules, "_counted", lambda rule, called: interrupts)
        patched.setattr(relevance_walk, "propagate", interrupts)
        patched.setattr(tf.GradientTape, "gradient", interrupts)
        if cls is xai.DeepSHAP:
            from shap.explainers._deep import deep_tf

            patched.setitem(deep_tf.op_handlers, "Relu", interrupts)
        with pytest.raises(KeyboardInterrupt, match="on purpose"):
            # A new function: nothing that was traced before is taken again.
            xai.explain(*zoo["nested"], few(cls), target=lambda outputs: outputs[:, 0])
    unchanged_for(cls, before, bystander, gradients_before)


def unchanged_for(cls, before, bystander, gradients_before):
    assert all(gradient_registry.lookup(name) is function for name, function in before.items())
    if cls.differentiates:
        for one, other in zip(plain_gradients(bystander), gradients_before, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7)
