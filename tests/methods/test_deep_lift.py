"""DeepLIFT: published values, closed forms, and sums that are exact whatever the network is made of."""

from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops
from models import function_model, samples

import xai_widgets as xai
from xai_widgets.trees import leaves

DATA = Path(__file__).parents[3] / "shared" / "data"


def explained(function, x, **keywords):
    """Of a function of one row."""
    model = function_model(lambda x: function(x)[:, None], len(x))
    return xai.explain(model, np.array([x], "float32"), xai.DeepLift(**keywords), target=0)


def adds_up(a, within=1e-4):
    """To a part of the difference of the scores; a difference has no more digits than the scores have."""
    rounding = 2e-6 * np.maximum(np.abs(a.score), np.abs(a.baseline_score))
    assert (np.abs(a.residual) <= within * np.abs(a.score - a.baseline_score) + rounding).all(), a.residual


def test_two_networks_that_are_the_same_function_have_the_published_values():
    """Integrated gradients cannot tell them apart (Sundararajan et al., 2017); the rescale rule can."""

    def one(x):
        return ops.relu(ops.relu(x[:, 0] - 1) - ops.relu(x[:, 1]))

    def same(x):
        return ops.relu(ops.relu(x[:, 0]) - 1 - ops.relu(x[:, 1]))

    np.testing.assert_allclose(explained(one, (3, 1)).values, [[2, -1]], atol=1e-6)
    np.testing.assert_allclose(explained(same, (3, 1)).values, [[1.5, -0.5]], atol=1e-6)


def test_published_values_of_a_sum_of_relus():
    a = explained(lambda x: 2 * ops.relu(x[:, 0]) + 2 * ops.relu(x[:, 1] - 1.5), (1, 2))
    np.testing.assert_allclose(a.values, [[2, 1]], atol=1e-6)
    np.testing.assert_allclose(a.residual, 0, atol=1e-6)
    assert a.score - a.baseline_score == pytest.approx(3)


CLOSED = {
    # f, x, baseline, values
    "linear": (lambda x: 2 * x[:, 0] - x[:, 1], (3, 1), 1, (4, 0)),
    "product": (lambda x: x[:, 0] * x[:, 1], (3, 4), 1, (5, 6)),  # half each of what both do together
    "quotient": (lambda x: x[:, 0] / x[:, 1], (3, 2), 1, (1.5, -1)),
    "square": (lambda x: x[:, 0] ** 2 + 0 * x[:, 1], (3, 1), 1, (8, 0)),
    "squared difference": (lambda x: tf.math.squared_difference(x[:, 0], x[:, 1]), (3, 1), 0, (6, -2)),
    "maximum": (lambda x: ops.maximum(x[:, 0], x[:, 1]), (3, 1), 0, (3, 0)),
    "maximum that changes": (lambda x: ops.maximum(x[:, 0], x[:, 1] + 1), (3, 0), 0, (2, 0)),
    "minimum": (lambda x: ops.minimum(x[:, 0], x[:, 1]), (3, 1), 0, (0, 1)),
    "largest": (lambda x: ops.max(x, axis=1), (3, 1), 0, (3, 0)),
    "smallest": (lambda x: ops.min(x, axis=1), (-3, 1), 0, (-3, 0)),
    "where": (lambda x: ops.where(x[:, 0] > 1, x[:, 0], 0.5 * x[:, 1]), (3, 2), 0, (3, 0)),
    "root": (lambda x: ops.power(ops.relu(x[:, 0]), 0.5) + ops.power(ops.relu(x[:, 1]), 0.5), (4, -1), 0, (2, 0)),
    "product along": (lambda x: ops.prod(x, axis=1), (3, 4), 1, (5, 6)),
    "clip": (lambda x: ops.clip(x[:, 0], 1, 2) + x[:, 1], (3, 1), 0, (1, 1)),
    "stopped": (lambda x: x[:, 0] + tf.stop_gradient(x[:, 1]), (3, 1), 0, (3, 0)),
}


@pytest.mark.parametrize("name", CLOSED)
def test_closed_forms(name):
    function, x, baseline, values = CLOSED[name]
    np.testing.assert_allclose(explained(function, x, baseline=baseline).values, [values], atol=1e-5)


def test_softmax_is_blind_to_what_is_added_to_all_logits():
    """Its input moves by 5 everywhere and by 1 in one place: only that counts."""
    model = function_model(lambda x: ops.softmax(x) * 1.0, 3)
    x, baseline = np.array([[5.0, 5.0, 6.0]], "float32"), xai.Constant(0.0)
    a = xai.explain(model, x, xai.DeepLift(baseline), target=2)
    b = xai.explain(model, x - 5, xai.DeepLift(baseline), target=2)
    np.testing.assert_allclose(a.values.sum(), b.values.sum(), atol=1e-6)
    np.testing.assert_allclose(a.values[0] - b.values[0], 5 * b.values[0, 2] * np.array([-0.5, -0.5, 1]), atol=1e-5)


def as_layer(name):
    return lambda: layers.Activation(name)


ACTIVATIONS = {
    **{
        name: as_layer(name)
        for name in """celu elu exponential gelu hard_shrink hard_sigmoid hard_silu hard_tanh leaky_relu log_sigmoid
        log_softmax mish relu relu6 selu sigmoid silu soft_shrink softmax softplus softsign sparse_plus sparse_sigmoid
        squareplus tanh tanh_shrink""".split()
    },
    "LeakyReLU": lambda: layers.LeakyReLU(0.1),
    "PReLU": lambda: layers.PReLU("uniform", shared_axes=None),
    "ELU 0.5": lambda: layers.ELU(0.5),
    "ReLU with all": lambda: layers.ReLU(max_value=2.0, negative_slope=0.1, threshold=0.5),
    "gelu by erf": lambda: layers.Activation(lambda x: ops.gelu(x, approximate=False)),
    "threshold": lambda: layers.Activation(lambda x: ops.threshold(x, 0.3, -0.2)),
    "batch norm": lambda: layers.BatchNormalization(),
    "layer norm": lambda: layers.LayerNormalization(),
    "unit norm": lambda: layers.UnitNormalization(),
    "group norm": lambda: layers.GroupNormalization(2),
    "RMS norm": lambda: layers.RMSNormalization(),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.slow
def test_adds_up_through_activations(name):
    keras.utils.set_random_seed(0)
    bias = keras.initializers.RandomNormal(stddev=0.5, seed=0)
    x = y = keras.Input((6,))
    for _ in range(2):
        y = ACTIVATIONS[name]()(layers.Dense(8, bias_initializer=bias)(y))
    model = keras.Model(x, layers.Dense(3, "softmax")(y))
    a = xai.explain(model, samples(6, count=16), xai.DeepLift(xai.Constant(0.2)), target=1)
    adds_up(a)
    assert not any("multiplier" in note for note in a.notes)


@pytest.mark.parametrize(("scale", "size"), [(1, 1), (8, 1), (1, 1e-3)], ids=["plain", "saturated", "near"])
def test_of_sigmoids_the_sum_is_nearer_to_the_truth_than_the_scores_are(scale, size):
    """Where outputs hardly differ their difference has few digits; a divided difference has them all."""
    keras.utils.set_random_seed(3)
    dense = [layers.Dense(32, "sigmoid"), layers.Dense(32, "sigmoid"), layers.Dense(1)]
    model = keras.Sequential([keras.Input((20,)), *dense])
    for layer in dense[:-1]:
        layer.set_weights([scale * one for one in layer.get_weights()])
    x = size * samples(20, count=8)

    def exact(x):
        for layer in dense:
            kernel, bias = (one.astype(np.float64) for one in layer.get_weights())
            x = x @ kernel + bias
            x = x if layer is dense[-1] else 1 / (1 + np.exp(-x))
        return x[:, 0]

    a = xai.explain(model, x, "deep_lift")
    truth = exact(x.astype(np.float64)) - exact(np.zeros_like(x, np.float64))
    np.testing.assert_allclose(a.values.sum(axis=1, dtype=np.float64), truth, rtol=2e-5)
    adds_up(a)


POOLS = {
    "max 1d": ((12, 3), lambda: layers.MaxPooling1D(3, 2)),
    "max 2d": ((9, 8, 3), lambda: layers.MaxPooling2D(3, 2, padding="same")),
    "max 3d": ((6, 6, 6, 2), lambda: layers.MaxPooling3D(2)),
    "global max 1d": ((12, 3), layers.GlobalMaxPooling1D),
    "global max 3d": ((6, 6, 6, 2), layers.GlobalMaxPooling3D),
    "average": ((9, 8, 3), lambda: layers.AveragePooling2D(2)),
    "global average": ((9, 8, 3), layers.GlobalAveragePooling2D),
}


@pytest.mark.parametrize("name", POOLS)
def test_adds_up_through_pooling(name):
    shape, pool = POOLS[name]
    x = keras.Input(shape)
    model = keras.Model(x, layers.Dense(3)(layers.Flatten()(pool()(layers.Dense(4, "tanh")(x)))))
    a = xai.explain(model, samples(*shape), xai.DeepLift(xai.Constant(0.3)), target=0)
    adds_up(a)


def test_adds_up_on_every_model(any_model):
    a = xai.explain(any_model.model, any_model.inputs, "deep_lift", **any_model.keywords)
    if any("No multiplier is known for StatefulPartitionedCall" in note for note in a.notes):
        return  # a tf.function that only its autograph can run
    assert not any("multiplier" in note for note in a.notes)
    adds_up(a, 2e-3 if any_model.tolerance > 1e-3 else 1e-4)


@pytest.mark.slow
def test_adds_up_through_attention_recurrence_and_residuals():
    keras.utils.set_random_seed(5)
    x = keras.Input((8, 6))
    y = layers.Add()([x, layers.MultiHeadAttention(2, 4)(x, x)])
    y = layers.Add()([y, layers.Dense(6, "silu")(layers.LayerNormalization()(y))])
    y = layers.Bidirectional(layers.LSTM(4, return_sequences=True))(y)
    y = layers.GRU(5, go_backwards=True)(y)
    model = keras.Model(x, layers.Dense(3, "softmax")(y))
    a = xai.explain(model, samples(8, 6), xai.DeepLift(xai.Constant(0.5)), target=2)
    adds_up(a)
    assert not any("multiplier" in note for note in a.notes)


@pytest.mark.slow
def test_adds_up_on_an_imagenet_network():
    if not (DATA / "darknet_tiny.keras").exists():
        pytest.skip(f"{DATA} is not there")
    from PIL import Image

    picture = np.asarray(Image.open(DATA / "cat_and_dog.png").convert("RGB"), "float32")[None] / 255
    model = keras.models.load_model(DATA / "darknet_tiny.keras")
    for baseline in (xai.Constant(0.0), xai.Blur(10)):
        adds_up(xai.explain(model, picture, xai.DeepLift(baseline)))


def test_several_baselines_are_averaged(digits):
    inputs, data = digits.inputs[:2], digits.inputs[10:15]
    whole = xai.explain(digits.model, inputs, xai.DeepLift(xai.Samples(data)), target=3)
    single = [xai.explain(digits.model, inputs, xai.DeepLift(xai.Samples(data, only=i)), target=3) for i in range(5)]
    np.testing.assert_allclose(whole.values, np.mean([a.values for a in single], axis=0), atol=1e-6)
    np.testing.assert_allclose(whole.baseline_score, np.mean([a.baseline_score for a in single], axis=0), rtol=1e-6)
    adds_up(whole)
    assert whole.passes == 10


def test_equals_shaps_deep_explainer(digits):
    """On ReLUs, a maximum pooling and a softmax head; it averages over the same references."""
    pytest.importorskip("shap")
    inputs, baseline = digits.inputs[:3], xai.Samples(digits.inputs[10:14])
    ours, theirs = (xai.explain(digits.model, inputs, cls(baseline)) for cls in (xai.DeepLift, xai.DeepSHAP))
    np.testing.assert_allclose(ours.values, theirs.values, atol=1e-4 * np.abs(ours.values).max())
    np.testing.assert_allclose(ours.baseline_score, theirs.baseline_score, rtol=1e-5)


def test_the_predicted_class_is_read_of_the_baseline_too(digits):
    """One pass finds out which class that is, and its baseline may be of another one."""
    inputs, baseline = digits.inputs[:6], xai.Samples(digits.inputs[7:8])
    a = xai.explain(digits.model, inputs, xai.DeepLift(baseline))
    b = xai.explain(digits.model, inputs, xai.DeepLift(baseline), target=a.target)
    np.testing.assert_array_equal(a.baseline_score, b.baseline_score)
    np.testing.assert_array_equal(a.values, b.values)
    assert len(set(a.target.tolist())) > 1


@pytest.mark.parametrize("target", [xai.Margin(1, 0), xai.Neuron("conv", 2), lambda y: y[:, 0] ** 2])
def test_other_targets_add_up(target, zoo):
    a = xai.explain(*zoo["functional"], "deep_lift", target=target)
    adds_up(a)


def test_a_probability_adds_up(zoo):
    adds_up(xai.explain(*zoo["functional"], "deep_lift", probability=True))


def test_of_a_layer_it_adds_up_as_well(zoo):
    for name, layer in (("nested", "deep.conv"), ("tokens", "words")):
        a = xai.explain(zoo[name].model, zoo[name].inputs, "deep_lift", wrt=layer)
        assert a.values.ndim == len(zoo[name].maps[0]) + 2
        adds_up(a)


def test_preprocessing_counts_as_part_of_the_network(zoo):
    model, inputs = zoo["functional"]
    a = xai.explain(model, inputs, "deep_lift", preprocess=lambda x: tf.tanh(x) * 2 + 1, target=0)
    adds_up(a)


def test_what_has_no_multiplier_is_named_and_its_share_is_missed(zoo):
    def function(x):
        return tf.math.atan(x[:, 0]) + x[:, 1]

    a = explained(function, (3, 1))
    assert any("No multiplier is known for Atan" in note for note in a.notes)
    assert any("misses" in note and "without a rule" in note for note in a.notes)
    notes = xai.explain(*zoo["wrapped_with_autograph"], "deep_lift").notes
    assert any("No multiplier is known for StatefulPartitionedCall" in note for note in notes)


def test_a_product_along_axes_adds_up():
    model = function_model(lambda x: ops.reshape(ops.prod(x, axis=(1, 3)), (-1, 4)), (3, 4, 2))
    a = xai.explain(model, samples(3, 4, 2), xai.DeepLift(xai.Constant(0.7)), target=1)
    adds_up(a)
    assert not any("multiplier" in note for note in a.notes)


class Heads(layers.Layer):
    """Attention whose heads lie one after the other along the batch."""

    def call(self, x):
        heads = tf.concat(tf.split(x, 2, axis=-1), axis=0)
        mixed = tf.nn.softmax(heads @ tf.transpose(heads, (0, 2, 1))) @ tf.nn.relu(heads)
        return tf.concat(tf.split(mixed, 2, axis=0), axis=-1)


def heads():
    x = keras.Input((5, 8))
    return keras.Model(x, layers.Dense(2)(layers.GlobalAveragePooling1D()(Heads(name="heads")(x)))), samples(5, 8)


def twins():
    one, other = keras.Input((4,)), keras.Input((4,))
    encoded = layers.Dense(8, "tanh")(ops.concatenate([one, other], axis=0))
    y = layers.Dense(2)(ops.multiply(*ops.split(encoded, 2, axis=0)))
    return keras.Model([one, other], y), [samples(4), samples(4) + 1]


@pytest.mark.parametrize(("build", "told"), [(heads, "ConcatV2, Split in 'heads'"), (twins, "(ConcatV2, Split)")])
def test_samples_that_are_moved_within_the_batch_are_told(build, told):
    keras.utils.set_random_seed(0)
    model, inputs = build()
    a = xai.explain(model, inputs, "deep_lift", target=0)
    assert np.abs(a.residual).max() > 1e-3  # else the note would be too much
    assert any("moves samples within the batch" in note and told in note for note in a.notes)
    assert not any("multiplier" in note for note in a.notes)


def test_rows_that_stay_in_order_are_not_told(any_model):
    a = xai.explain(any_model.model, any_model.inputs, "deep_lift", **any_model.keywords)
    assert not any("within the batch" in note for note in a.notes)


def test_a_wall_whose_value_moves_is_told():
    def function(x):
        return ops.logsumexp(x, axis=1)

    notes = explained(function, (4, -1)).notes
    assert any("No multiplier is known for StopGradient" in note for note in notes)
    notes = explained(lambda x: x[:, 0] * tf.cast(x[:, 0] > 1, tf.float32) + x[:, 1], (4, -1)).notes
    assert any("No multiplier is known for Cast" in note for note in notes)
    notes = explained(lambda x: x[:, 0] * tf.stop_gradient(tf.constant(2.0)), (3, 1)).notes
    assert not any("multiplier" in note for note in notes)


def test_a_grouped_convolution_is_linear_though_keras_hides_it_in_a_function():
    x = keras.Input((8, 8, 4))
    y = layers.Conv2D(4, 3, groups=2, activation="tanh")(x)
    model = keras.Model(x, layers.Dense(2)(layers.Flatten()(y)))
    inputs = samples(8, 8, 4)
    a = xai.explain(model, inputs, "deep_lift", target=0)
    adds_up(a)
    assert not any("multiplier" in note for note in a.notes)
    notes = xai.explain(model, inputs, "guided_backprop", target=0).notes
    assert not any("PartitionedCall" in note for note in notes)


def test_equal_input_and_baseline_give_zeros_and_a_note(zoo):
    model, _ = zoo["functional"]
    a = xai.explain(model, np.zeros((1, 8, 8, 1)), "deep_lift")
    assert not a.values.any()
    assert any("the baseline equals the input" in note for note in a.notes)


def test_on_a_linear_network_it_is_integrated_gradients(zoo):
    specimen = zoo["log_softmax"]
    for one, other in zip(
        leaves(xai.explain(*specimen, "deep_lift", target=1).values),
        leaves(xai.explain(*specimen, "integrated_gradients", steps=2, target=1).values),
        strict=True,
    ):
        np.testing.assert_allclose(one, other, atol=1e-6)
