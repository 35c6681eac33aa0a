"""What a tensor is computed from, in a differentiable way."""

import pytest
import tensorflow as tf

from xai_widgets.engine.reach import reached, unwrapped


@pytest.mark.parametrize(
    ("function", "depends"),
    [
        (lambda x, y: x * 2 + y, (True, True)),
        (lambda x, y: tf.identity(x) * 2, (True, False)),
        (lambda x, y: tf.stop_gradient(x) + y, (False, True)),
        (lambda x, y: tf.gather(y, tf.cast(x, tf.int32)), (False, True)),
        (lambda x, y: tf.zeros(tf.shape(x)) + y, (False, True)),
        (lambda x, y: tf.map_fn(lambda one: one * 2, x), (True, False)),
        (lambda x, y: tf.where(x > 0, y, 0.0), (False, True)),
    ],
)
def test_follows_what_carries_a_derivative(function, depends):
    found = []

    @tf.function(input_signature=[tf.TensorSpec([3])] * 2)
    def run(x, y):
        before = reached([function(x, y)])
        found.append((x.op in before, y.op in before))
        return x

    run.get_concrete_function()
    assert found == [depends]


def test_stops_at_walls_and_sees_through_identities():
    with tf.Graph().as_default():
        x = tf.compat.v1.placeholder(tf.float32, [3])
        wall = x * 2
        end = wall + 1
        assert x.op not in reached([end], {wall.op})
        assert end.op in reached([end], {wall.op})
        assert unwrapped(tf.identity(tf.identity(wall))).ref() == wall.ref()
