"""Another derivative for chosen operations: in one graph, for one derivative, and nowhere else."""

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers

from xai_widgets.engine.rules import Overriding, listed


class Doubling:
    """Twice the gradient of one kind of operation."""

    name, paired = "doubling", False

    def __init__(self, kind):
        self.kind = kind

    def rule(self, operation, moves):
        return self._doubled if operation.type == self.kind else None

    def misses(self, operation, moves):
        return operation.type == "Exp"

    def _doubled(self, operation, *gradients):
        return [2 * gradients[0], *([None] * (len(operation.inputs) - 1))]


def derivative(function, x, rules, after=lambda: None):
    """The gradient of a function by rules, and where they held."""
    overriding = Overriding(rules, ("", "stem/head"))

    @tf.function(autograph=False)
    def run(x):
        found = overriding(function(x), [x])
        after()
        return found

    return run(tf.constant(x))[0].numpy(), overriding.reach


def test_only_between_the_site_and_the_score():
    def function(x):
        return tf.identity(x) * tf.identity(tf.constant([3.0])) + tf.stop_gradient(tf.identity(x))

    found, reach = derivative(function, [1.0], Doubling("Identity"))
    np.testing.assert_array_equal(found, [6])
    assert reach.replaced == 1


def test_a_rule_that_is_never_asked_does_not_count():
    """What the winner of an argmax depends on carries no derivative."""

    def function(x):
        stopped = tf.exp(tf.stop_gradient(tf.nn.relu(x)))
        return tf.nn.relu(x) + stopped * tf.cast(tf.argmax(tf.nn.relu(x)), x.dtype)

    _, reach = derivative(function, [1.0], Doubling("Relu"))
    assert reach.replaced == 1


def test_what_keeps_its_own_is_told_with_its_place():
    def function(x):
        with tf.name_scope("xai-0."), tf.name_scope("xai-1."):
            return tf.exp(tf.identity(x))

    _, reach = derivative(function, [0.0], Doubling("Identity"))
    assert reach.missed == ("Exp in 'stem/head'",)
    assert listed("abcde") == "a; b; c and 2 more"


def test_the_turns_of_a_loop():
    def function(x):
        return tf.while_loop(lambda i, _: i < 3, lambda i, y: (i + 1, tf.nn.relu(y)), (0, x))[1]

    found, reach = derivative(function, [1.0], Doubling("Relu"))
    np.testing.assert_array_equal(found, [8])
    assert reach.replaced == 1


def test_what_a_loop_only_carries_does_not_move():
    """A weight goes through the loop beside the state; whether the state moves is known only after a turn."""
    moving = {}

    class Looking(Doubling):
        def rule(self, operation, moves):
            if operation.type == "Mul":
                moving[operation.name] = [moves(one) for one in operation.inputs]

    def function(x):
        turn = lambda i, y, z, w: (i + 1, x, y * w, w)  # noqa: E731
        return tf.while_loop(lambda i, *_: i < 3, turn, (0, tf.ones(1), tf.ones(1), tf.constant([2.0])))[2]

    derivative(function, [1.0], Looking("Mul"))
    assert list(moving.values()) == [[True, False]]


@pytest.mark.parametrize("fails", [False, True])
def test_operations_have_their_own_derivative_again(fails):
    traced = []

    class Failing(Doubling):
        def _doubled(self, operation, gradient):
            traced.append(operation)
            if fails:
                raise KeyboardInterrupt
            return 2 * gradient

    def function(x):
        return tf.nn.relu(x)

    try:
        derivative(function, [1.0], Failing("Relu"))
    except KeyboardInterrupt:
        assert fails
    (operation,) = traced
    assert operation._gradient_function is None
    plain, _ = derivative(function, [1.0], Doubling("None"))
    np.testing.assert_array_equal(plain, [1])


def test_a_function_of_the_users_is_left_as_it_is():
    @tf.function
    def users(x):
        return tf.nn.relu(x)

    found, reach = derivative(users, [1.0], Doubling("Relu"))
    np.testing.assert_array_equal(found, [1])
    assert reach.replaced == 0
    with tf.GradientTape() as tape:
        x = tf.constant([1.0])
        tape.watch(x)
        y = users(x)
    np.testing.assert_array_equal(tape.gradient(y, x), [1])


def test_recurrent_layers_of_every_kind_are_reached():
    inputs = keras.Input((5, 3))
    both = layers.Bidirectional(layers.GRU(2, activation="relu", return_sequences=True))(inputs)
    model = keras.Model(inputs, layers.SimpleRNN(2, activation="relu")(both))
    _, reach = derivative(lambda x: model(x), np.ones((2, 5, 3), "float32"), Doubling("Relu"))
    assert reach.replaced == 3
