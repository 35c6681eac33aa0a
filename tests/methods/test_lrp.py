"""Layer-wise relevance propagation: each rule against its slow form, known values, what is kept and what is not."""

import gc
import weakref

import keras
import numpy as np
import pytest
import relevance_by_matrix
import tensorflow as tf
from keras import layers, ops
from models import function_model, samples, unchanged

import xai_widgets as xai
from xai_widgets.composites import RULE_NAMES, read_rule, write_rule
from xai_widgets.engine import unrolled
from xai_widgets.engine.compiled import _COMPILED

ROUNDING = 1e-5


@pytest.fixture(autouse=True)
def same_weights():
    keras.utils.set_random_seed(4)


def drawn(model, seed=0, scale=0.5):
    """The model with weights drawn at random, biases too; variances stay positive."""
    random = np.random.default_rng(seed)
    for variable in model.variables:
        values = random.normal(size=variable.shape) * scale
        variable.assign(np.abs(values) + 0.5 if "variance" in variable.path else values)
    return model


def in_double_precision(build):
    """What a function builds, in float64 and with weights drawn at random."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float64")
    try:
        return drawn(build())
    finally:
        keras.config.set_dtype_policy(before)


LAYERS = {
    "dense": ((7,), lambda: layers.Dense(5, name="layer")),
    "dense_of_series": ((4, 3), lambda: layers.Dense(5, name="layer")),
    "conv_1d": ((6, 3), lambda: layers.Conv1D(4, 3, dilation_rate=2, name="layer")),
    "conv_2d": ((6, 5, 2), lambda: layers.Conv2D(4, 3, strides=2, padding="valid", name="layer")),
    "conv_2d_groups": ((4, 4, 4), lambda: layers.Conv2D(6, 2, groups=2, name="layer")),
    "conv_2d_group_of_one": ((4, 4, 3), lambda: layers.Conv2D(6, 2, groups=3, name="layer")),
    "conv_3d": ((3, 4, 3, 2), lambda: layers.Conv3D(2, 2, name="layer")),
    "depthwise": ((5, 5, 2), lambda: layers.DepthwiseConv2D(3, depth_multiplier=2, name="layer")),
    "transposed": ((3, 3, 2), lambda: layers.Conv2DTranspose(3, 2, strides=2, name="layer")),
    "einsum": ((4, 3), lambda: layers.EinsumDense("abc,cde->abde", (4, 2, 3), bias_axes="de", name="layer")),
}
KINDS = [(kind, "alpha2_beta1") for kind in LAYERS]
KINDS += [("dense", rule) for rule in relevance_by_matrix.RULES]
KINDS += [("transposed", rule) for rule in ("gamma(0.7)", "flat", "w_square", "z_box")]


@pytest.mark.parametrize(("kind", "rule"), dict.fromkeys(KINDS))
@pytest.mark.slow
def test_each_rule_is_its_slow_form(kind, rule):
    shape, make = LAYERS[kind]

    def build():
        x = keras.Input(shape)
        hidden = layers.ReLU(name="relu")(make()(x))
        return keras.Model(x, layers.Dense(3, name="head")(layers.Flatten()(hidden)))

    model = in_double_precision(build)
    inputs = samples(*shape, count=2).astype("float64")
    a = xai.explain(model, inputs, xai.LRP(rules={"layer": rule}, low=-4.0, high=5.0), target=1)
    layer, head = model.get_layer("layer"), model.get_layer("head")

    def outputs(values):
        return np.asarray(layer(values)).reshape(len(values), -1)

    size = int(np.prod(shape))
    bias = outputs(np.zeros((1, *shape)))[0]
    matrix = outputs(np.eye(size).reshape(-1, *shape)) - bias
    low, high = np.full(size, -4.0), np.full(size, 5.0)
    for x, score, values in zip(inputs, a.score, a.values, strict=True):
        hidden = np.maximum(x.ravel() @ matrix + bias, 0)
        kernel, head_bias = (np.asarray(weight) for weight in head.weights)
        above = relevance_by_matrix.propagate("epsilon", hidden, kernel, head_bias, [0, score, 0])
        connected = matrix != 0
        expected = np.zeros(size)
        for j, r in enumerate(above):  # what a window does not reach is no input of the sum
            at = connected[:, j]
            weights = matrix[at][:, [j]]
            expected[at] += relevance_by_matrix.propagate(
                rule, x.ravel()[at], weights, bias[[j]], [r], low[at], high[at]
            )
        np.testing.assert_allclose(values.ravel(), expected, atol=1e-9 * np.abs(expected).max())


def simple(first=2.0):
    """Captum's: three twos, three times over, then three threes."""
    x = keras.Input((3,))
    hidden = layers.Dense(3, "relu", use_bias=False, name="first")(x)
    model = keras.Model(x, layers.Dense(1, use_bias=False, name="second")(hidden))
    kernel = np.full((3, 3), 2.0)
    kernel[0, 0] = first
    model.set_weights([kernel, np.full((3, 1), 3.0)])
    return model


@pytest.mark.parametrize(
    ("first", "rule", "second", "expected"),
    [
        (2, "epsilon", "epsilon", [18, 36, 54]),
        (-2, "gamma(1)", "gamma(1)", [28 / 3, 104 / 3, 52]),
        (-2, "alpha1_beta0", "alpha1_beta0", [12, 33.6, 50.4]),
        (-2, "z_plus", "z_plus", [12, 33.6, 50.4]),
        (-2, "pass", "epsilon", [24, 36, 36]),
    ],
)
def test_values_of_captum(first, rule, second, expected):
    method = xai.LRP(rules={"first": rule, "second": second})
    a = xai.explain(simple(first), [[1.0, 2.0, 3.0]], method, target=0)
    np.testing.assert_allclose(a.values, [expected], rtol=1e-5)
    assert a.baseline_score == 0
    np.testing.assert_allclose(a.residual, 0, atol=1e-3)


def test_a_skip_connection():
    x = keras.Input((2,))
    model = keras.Model(x, layers.Add()([layers.Dense(2, use_bias=False)(x), x]))
    model.set_weights([np.full((2, 2), 5.0)])
    np.testing.assert_allclose(xai.explain(model, [[2.0, 3.0]], xai.LRP(), target=1).values, [[10, 18]], rtol=1e-6)


class Inline(keras.Model):
    """No layer but those with weights."""

    def __init__(self):
        super().__init__()
        self.convs = [layers.Conv2D(4, 3, use_bias=False, padding="same") for _ in range(2)]
        self.head = layers.Dense(3, use_bias=False)

    def call(self, x):
        y = ops.relu(self.convs[0](x))
        y = tf.nn.relu(self.convs[1](y)) + y
        y = ops.concatenate([ops.max_pool(y, 2), ops.average_pool(y, 2)], axis=-1)
        return self.head(ops.mean(ops.pad(y, [[0, 0], [1, 1], [1, 1], [0, 0]]), axis=(1, 2)))


def inline():
    model = Inline()
    model(np.zeros((1, 8, 8, 2), "float32"))
    return model


def convolutional():
    x = keras.Input((8, 8, 2))
    y = layers.Conv2D(4, 3, use_bias=False, activation="relu")(x)
    y = layers.SeparableConv2D(5, 2, use_bias=False, activation="relu")(layers.MaxPooling2D()(y))
    return keras.Model(x, layers.Dense(3, use_bias=False)(layers.Flatten()(layers.UpSampling2D()(y))))


def residual():
    x = keras.Input((8, 8, 2))
    y = layers.Conv2D(4, 3, use_bias=False, activation="relu", padding="same")(x)
    z = layers.Conv2D(4, 3, use_bias=False, padding="same")(y)
    y = layers.ReLU()(layers.Add()([y, z]))
    y = layers.Concatenate()([layers.AveragePooling2D(2)(y), layers.MaxPooling2D()(y)])
    return keras.Model(x, layers.Dense(3, use_bias=False)(layers.GlobalAveragePooling2D()(y)))


def normed():
    x = keras.Input((8, 8, 2))
    # With neither a mean nor a beta nothing but a factor is left to fold.
    norms = [layers.BatchNormalization(center=False) for _ in range(2)]
    y = layers.LeakyReLU()(norms[0](layers.Conv2D(4, 3, use_bias=False)(x)))
    y = layers.ReLU()(norms[1](layers.DepthwiseConv2D(3, use_bias=False)(y)))
    model = keras.Model(x, layers.Dense(3, use_bias=False)(layers.GlobalAveragePooling2D()(y)))
    for norm in norms:
        norm.moving_variance.assign([0.5, 2, 3, 0.1])
    return model


def nested():
    outer, inner = keras.Input((8, 8, 2)), keras.Input((8, 8, 2))
    stem = keras.Model(inner, layers.Conv2D(4, 3, use_bias=False, activation="relu", name="a.b")(inner), name="stem")
    return keras.Model(outer, layers.Dense(3, use_bias=False)(layers.GlobalMaxPooling2D()(stem(outer))))


def attention():
    x = keras.Input((5, 4))
    y = layers.Add()([x, layers.MultiHeadAttention(2, 3, use_bias=False)(x, x)])
    y = layers.LayerNormalization(center=False)(y)
    y = layers.Add()([y, layers.Dense(4, "gelu", use_bias=False)(y)])
    return keras.Model(x, layers.Dense(3, use_bias=False)(layers.GlobalAveragePooling1D()(y)))


def recurrent():
    x = keras.Input((5, 4))
    y = layers.Bidirectional(layers.LSTM(4, return_sequences=True, use_bias=False))(x)
    y = layers.GRU(4, use_bias=False, return_sequences=True)(y)
    y = layers.SimpleRNN(4, use_bias=False)(y)
    return keras.Model(x, layers.Dense(3, use_bias=False)(y))


def gated():
    x = keras.Input((6,))
    y = layers.Dense(8, "silu", use_bias=False)(x)
    y = layers.Multiply()([y, layers.Dense(8, "sigmoid")(x)])
    y = layers.RMSNormalization()(layers.Dense(8, "hard_silu", use_bias=False)(y))
    return keras.Model(x, layers.Dense(3, use_bias=False)(layers.PReLU()(y)))


def table():
    x = keras.Input((6,))
    y = layers.Dense(8, "relu", use_bias=False)(x)
    return keras.Model(x, layers.Dense(3, use_bias=False)(layers.Dense(8, "elu", use_bias=False)(y)))


GATED = (attention, recurrent, gated)
WITHOUT_BIAS = (inline, convolutional, residual, normed, nested, attention, recurrent, gated, table)


@pytest.mark.parametrize("build", WITHOUT_BIAS, ids=lambda build: build.__name__)
@pytest.mark.parametrize("composite", ["epsilon", pytest.param("epsilon_plus", marks=pytest.mark.slow)])
@pytest.mark.slow
def test_without_bias_everything_is_kept(build, composite):
    model = build()
    shape = model.input_shape[1:] if getattr(model, "inputs", None) else (8, 8, 2)
    # Scores and sums well above the stabilisers; z+ loses what has no positive part, as ELUs far below zero have none.
    size = 3 if build is table and composite == "epsilon_plus" else 100
    inputs = size * (np.abs(samples(*shape)) if composite == "epsilon" else samples(*shape))
    model(inputs)  # some Keras layers make attributes of their own in their first call
    with unchanged(model):
        a = xai.explain(model, inputs, xai.LRP(composite=composite))
    assert not any("plain gradient" in note for note in a.notes)
    within = ROUNDING * np.abs(a.score)
    if build in GATED:
        # What is divided by may come near to zero: there the sum has no more digits than its parts.
        within = np.maximum(10 * within, ROUNDING * np.abs(a.values).reshape(3, -1).sum(axis=1))
    assert (np.abs(a.values.reshape(3, -1).sum(axis=1) - a.score) <= within).all()
    assert (np.abs(a.residual) <= within).all()


@pytest.mark.parametrize("build", [inline, convolutional, residual, nested], ids=lambda build: build.__name__)
def test_epsilon_to_zero_is_gradient_times_input(build):
    model = in_double_precision(build)
    inputs = samples(8, 8, 2)
    ours = xai.explain(model, inputs, xai.LRP(composite="epsilon", epsilon=1e-12)).values
    theirs = xai.explain(model, inputs, "gradient_input").values
    # Sums without weights keep their own stabiliser.
    np.testing.assert_allclose(ours, theirs, atol=(1e-4 if build is residual else 1e-6) * np.abs(theirs).max())


NORMED = {
    "conv": ((5, 5, 2), lambda: layers.Conv2D(3, 3, name="layer")),
    "conv_1d": ((6, 2), lambda: layers.Conv1D(3, 3, name="layer")),
    "depthwise": ((5, 5, 2), lambda: layers.DepthwiseConv2D(3, depth_multiplier=2, name="layer")),
    "transposed": ((3, 3, 2), lambda: layers.Conv2DTranspose(3, 2, name="layer")),
    "dense": ((7,), lambda: layers.Dense(3, name="layer")),
    "dense_of_series": ((4, 7), lambda: layers.Dense(3, name="layer")),
}


@pytest.mark.parametrize("kind", NORMED)
@pytest.mark.slow
def test_a_batch_norm_is_folded_into_what_it_follows(kind):
    shape, make = NORMED[kind]

    def build(norm):
        x = keras.Input(shape)
        y = layers.BatchNormalization(name="norm")(make()(x)) if norm else make()(x)
        return keras.Model(x, layers.Dense(2, name="head")(layers.Flatten()(layers.ReLU()(y))))

    model, merged = in_double_precision(lambda: build(True)), in_double_precision(lambda: build(False))
    norm = model.get_layer("norm")
    gamma, beta, mean, variance = (np.asarray(weight) for weight in norm.weights)
    scale = gamma / np.sqrt(variance + norm.epsilon)
    kernel, bias = (np.asarray(weight) for weight in model.get_layer("layer").weights)
    along = {"depthwise": scale.reshape(2, 2) if kind == "depthwise" else None, "transposed": scale[:, None]}
    merged.get_layer("layer").set_weights([kernel * along.get(kind, scale), bias * scale + beta - mean * scale])
    merged.get_layer("head").set_weights(model.get_layer("head").get_weights())
    inputs = samples(*shape).astype("float64")
    for rule in ("alpha2_beta1", "w_square"):
        method = xai.LRP(rules={"layer": rule})
        ours, theirs = (xai.explain(one, inputs, method, target=0).values for one in (model, merged))
        np.testing.assert_allclose(ours, theirs, atol=1e-9 * np.abs(theirs).max())


def test_a_batch_norm_that_follows_nothing_linear_passes_relevance_as_it_is():
    x = keras.Input((6,))
    y = layers.ReLU()(layers.BatchNormalization(name="norm")(x))
    model = drawn(keras.Model(x, layers.Dense(2)(y)))
    flow = xai.relevance_flow(model, samples(6), layers=["norm"])
    np.testing.assert_allclose(xai.explain(model, samples(6), xai.LRP()).values, flow.relevance["norm"][0])


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda x: x[:, :1] * tf.sigmoid(x[:, 1:]), [1, 0]),  # a gate is a constant
        (lambda x: x[:, :1] * (1 - tf.sigmoid(2 * x[:, 1:])), [1, 0]),
        (lambda x: tf.tanh(x[:, :1]) * tf.sigmoid(x[:, 1:]), [1, 0]),
        (lambda x: x[:, :1] * tf.tanh(x[:, 1:]), [1, 0]),
        (lambda x: x[:, :1] * tf.nn.relu6(x[:, 1:] + 3) / 6, [1, 0]),
        (lambda x: x[:, :1] / tf.sqrt(x[:, 1:] + 9), [1, 0]),
        (lambda x: x[:, :1] * x[:, 1:], [0.5, 0.5]),
        (lambda x: tf.sigmoid(x[:, :1]) * tf.sigmoid(x[:, 1:]), [0.5, 0.5]),
        (lambda x: tf.nn.silu(x[:, :1]) + 0 * x[:, 1:], [1, 0]),
        (lambda x: tf.maximum(x[:, :1], x[:, 1:]), [1, 0]),
        (lambda x: tf.minimum(x[:, :1], 0.5) + 0 * x[:, 1:], [1, 0]),
        (lambda x: x[:, :1] ** 2 + 0 * x[:, 1:], [1, 0]),
        (lambda x: tf.stop_gradient(tf.exp(x[:, :1])) + 0 * x[:, 1:], [1, 0]),
    ],
)
def test_who_takes_the_relevance(function, expected):
    a = xai.explain(function_model(function, 2), [[2.0, 1.5]], xai.LRP(), target=0)
    np.testing.assert_allclose(a.values[0], np.multiply(expected, a.score[0]), rtol=1e-5)


def test_attention_hands_relevance_to_the_values_alone():
    query, value = keras.Input((3, 4)), keras.Input((5, 4))
    y = layers.MultiHeadAttention(2, 3, use_bias=False)(query, value)
    model = keras.Model([query, value], layers.Dense(1, use_bias=False)(layers.GlobalAveragePooling1D()(y)))
    a = xai.explain(model, [samples(3, 4), 9 * samples(5, 4)], xai.LRP(), target=0)
    assert not a.values[0].any()
    np.testing.assert_allclose(a.values[1].sum(axis=(1, 2)), a.score, rtol=1e-4)


def test_the_margin_is_shared_out_between_both_its_classes():
    model = table()
    one, other = (xai.explain(model, samples(6), xai.LRP(), target=place).values for place in (0, 2))
    a = xai.explain(model, samples(6), xai.LRP(epsilon=1e-9), target=xai.Margin(0, 2))
    np.testing.assert_allclose(a.values, one - other, atol=1e-4)


def test_z_box_takes_its_bounds_through_preprocess():
    x = keras.Input((4, 4, 1))
    y = layers.Conv2D(3, 3, activation="relu", name="conv")(layers.Rescaling(-1 / 255.0, offset=1)(x))
    model = drawn(keras.Model(x, layers.Dense(2)(layers.Flatten()(y))))
    inner = keras.Input((4, 4, 1))
    plain = keras.Model(inner, layers.Dense(2)(layers.Flatten()(layers.Conv2D(3, 3, activation="relu")(inner))))
    plain.set_weights(model.get_weights())
    raw = np.random.default_rng(0).uniform(0, 255, (2, 4, 4, 1)).astype("float32")
    method = xai.LRP(composite="epsilon_gamma_box")
    within = xai.explain(model, raw, method).values
    np.testing.assert_allclose(within, xai.explain(plain, 1 - raw / 255, method).values, atol=1e-5)
    outside = xai.explain(plain, raw, method, preprocess=lambda values: 1 - values / 255).values
    np.testing.assert_allclose(within, outside, atol=1e-6)
    wide = xai.explain(model, raw, method.replace(low=-255, high=510)).values
    assert np.abs(wide - within).max() > 1e-3
    with pytest.raises(ValueError, match=r"LRP.low must be a number, 1 values .* \(4, 4, 1\), got shape \(3,\)"):
        xai.explain(model, raw, method.replace(low=[0, 0, 0]))


def boxed_picture():
    x = keras.Input((8, 8, 3))
    y = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3, activation="relu", name="conv")(x))
    return keras.Model(x, layers.Dense(3, activation="softmax", name="head")(y))


class TestBox:
    def test_of_pictures_it_is_told_and_does_not_jump_at_one(self):
        model, x = boxed_picture(), np.random.default_rng(0).random((1, 8, 8, 3)).astype("float32")
        method = xai.LRP(composite="epsilon_gamma_box")
        over = x.copy()
        over[0, 0, 0, 0] = 1.001
        one, other = (xai.explain(model, values, method, target=0) for values in (x, over))
        np.testing.assert_allclose(one.values[:, 1:], other.values[:, 1:], atol=0.05 * np.abs(one.values).max())
        assert "The z-box rule takes the inputs to lie in the range 0 to 1." in one.notes
        bright = xai.explain(model, 255 * x, method, target=0)
        assert "The z-box rule takes the inputs to lie in the range 0 to 255." in bright.notes

    def test_of_a_table_it_is_the_rows_own(self):
        keras.utils.set_random_seed(0)
        x = keras.Input((5,))
        model = keras.Model(x, layers.Dense(2)(layers.Dense(16, "relu")(x)))
        row = np.array([[0.9, 0.3, 0.5, 0.25, 0.75]], "float32")
        method = xai.LRP(composite="deep_taylor")
        a = xai.explain(model, row, method, target=0)
        given = xai.explain(model, row, method.replace(low=0.25, high=0.9), target=0)
        np.testing.assert_allclose(a.values, given.values, rtol=1e-5)
        assert "The z-box rule takes the inputs to lie in the range 0.25 to 0.9." in a.notes

    def test_what_cannot_be_or_does_nothing_is_told(self):
        model, x = boxed_picture(), samples(8, 8, 3)
        with pytest.raises(ValueError, match=r"LRP.low must be below high everywhere, got 1 and 0"):
            xai.explain(model, x, xai.LRP(composite="epsilon_gamma_box", low=1.0, high=0.0))
        assert any("do nothing here" in note for note in xai.explain(model, x, xai.LRP(low=0.0)).notes)
        boxed = xai.explain(model, x, xai.LRP(composite="epsilon_gamma_box", low=-9.0, high=9.0))
        assert not any("do nothing" in note for note in boxed.notes)


class Plus(layers.Layer):
    """Adds weights of a shape to what has another one."""

    def __init__(self, shape):
        super().__init__()
        self.weight = self.add_weight(shape=shape, initializer="random_normal")

    def call(self, x):
        return x + self.weight


@pytest.mark.parametrize("composite", ["epsilon", "epsilon_plus", "epsilon_alpha2_beta1"])
def test_what_copies_a_sum_is_no_bias_of_it(composite):
    """A number for each class on one sum (CORAL), and one for each of several positions."""
    x = keras.Input((4,))
    ranks = Plus((5,))(layers.Dense(1, use_bias=False)(layers.Dense(6, "relu", use_bias=False)(x)))
    y = Plus((7, 6))(layers.Reshape((1, 6))(layers.Dense(6, use_bias=False)(x)))
    placed = layers.Dense(2, use_bias=False)(layers.Flatten()(layers.ReLU()(y)))
    for head in (ranks, placed):
        a = xai.explain(keras.Model(x, head), 5 * samples(4), xai.LRP(composite=composite, epsilon=1e-9), target=1)
        np.testing.assert_allclose(a.values.sum(axis=1), a.score, rtol=1e-3)
        np.testing.assert_allclose(a.residual, 0, atol=1e-3 * np.abs(a.score).max())


def test_a_hard_sigmoid_keeps_as_much_as_a_sigmoid():
    for activation in ("sigmoid", "hard_sigmoid"):
        x = keras.Input((4,))
        y = layers.Dense(8, activation, use_bias=False)(x)
        model = keras.Model(x, layers.Dense(2, use_bias=False)(y))
        a = xai.explain(model, 2 * samples(4), xai.LRP(composite="epsilon", epsilon=1e-9), target=0)
        np.testing.assert_allclose(a.residual, 0, atol=1e-4)


def test_parts_that_cancel_are_told():
    x = keras.Input((2,))
    model = keras.Model(x, layers.Dense(1, use_bias=False)(x))
    model.set_weights([np.array([[100.0], [-99.9]])])
    a = xai.explain(model, np.ones((1, 2)), xai.LRP(composite="epsilon"), target=0)
    assert any("Parts of the map cancel" in note for note in a.notes)
    b = xai.explain(model, np.array([[1.0, -1.0]]), xai.LRP(composite="epsilon"), target=0)
    assert not any("cancel" in note for note in b.notes)


def test_a_product_along_an_axis_is_shared_out_equally():
    model = function_model(lambda x: ops.prod(x, axis=1, keepdims=True), 3)
    a = xai.explain(model, np.array([[2.0, -3.0, 4.0]]), xai.LRP(), target=0)
    np.testing.assert_allclose(a.values, [[-8, -8, -8]], rtol=1e-5)
    assert not any("plain gradient" in note for note in a.notes)


def test_rules_are_found_by_path_by_name_and_by_what_holds_the_layer():
    model = nested()
    inputs = samples(8, 8, 2)
    plain = xai.explain(model, inputs, xai.LRP()).values
    ruled = [xai.explain(model, inputs, xai.LRP(rules={name: "flat"})).values for name in ("stem/a.b", "a.b", "stem")]
    np.testing.assert_array_equal(ruled[0], ruled[1])
    np.testing.assert_array_equal(ruled[0], ruled[2])
    assert np.abs(plain - ruled[0]).max() > 1e-3
    flat = xai.explain(model, inputs, xai.LRP(composite="epsilon_plus_flat")).values
    np.testing.assert_allclose(ruled[0], flat, atol=1e-6)
    more = xai.explain(model, inputs, xai.LRP(rules={"stem": "gamma", "a.b": "flat"})).values
    np.testing.assert_array_equal(more, ruled[0])  # the innermost name counts


def test_a_shared_layer_has_its_rule_at_each_call():
    x = keras.Input((4,))
    dense = layers.Dense(4, "elu", name="shared")
    model = keras.Model(x, layers.Dense(2, name="head")(dense(dense(x))))
    inputs = samples(4)
    values = [xai.explain(model, inputs, xai.LRP(rules={"shared": rule})).values for rule in ("flat", "w_square")]
    assert all(np.ptp(values[0], axis=1) < 1e-5)
    assert np.ptp(values[1], axis=1).max() > 1e-3


def test_what_cannot_be_ruled_is_refused():
    model = nested()
    for rules, match in [
        ({"nothing": "gamma"}, "LRP.rules 'nothing' names no single layer"),
        ({"global_max_pooling2d": "gamma"}, "names no single layer|has no weighted sum"),
    ]:
        with pytest.raises(ValueError, match=match):
            xai.explain(model, samples(8, 8, 2), xai.LRP(rules=rules))
    pooling = next(layer.name for layer in model.layers if "pooling" in layer.name)
    with pytest.raises(ValueError, match=f"layer '{pooling}' has no weighted sum"):
        xai.explain(model, samples(8, 8, 2), xai.LRP(rules={pooling: "gamma"}))
    with pytest.raises(ValueError, match=r"LRP.rules of layer 'a': unknown rule 'gama'; did you mean 'gamma'"):
        xai.LRP(rules={"a": "gama"})
    with pytest.raises(ValueError, match="alpha - beta must be 1"):
        xai.LRP(rules={"a": "alpha2_beta2"})
    with pytest.raises(ValueError, match="the number of rule"):
        xai.LRP(rules={"a": "epsilon(0)"})
    with pytest.raises(ValueError, match=r"the number of rule 'gamma\(-1\)' must be > 0"):
        xai.LRP(rules={"a": "gamma(-1)"})
    with pytest.raises(TypeError, match=r"LRP.rules must be a mapping from text to text"):
        xai.LRP(rules={"a": 3})
    only = keras.Sequential([keras.Input((6,)), layers.Dense(2, name="only")])
    with pytest.raises(ValueError, match="pass needs an output of the input's shape"):
        xai.explain(only, samples(6), xai.LRP(rules={"only": "pass"}))


def test_rules_are_a_value():
    one, same = xai.LRP(rules={"a": "flat", "b": "gamma"}), xai.LRP(rules={"b": "gamma", "a": "flat"})
    assert one == same
    assert hash(one) == hash(same)
    assert one != xai.LRP(rules={"a": "flat"})
    assert eval(repr(one), {"LRP": xai.LRP}) == one
    assert one.rules["a"] == "flat"


@pytest.mark.slow
def test_numbers_never_retrace_and_models_are_freed():
    model = table()
    inputs = samples(6)
    small = xai.explain(model, inputs, xai.LRP()).values
    traced = len(_COMPILED[model].functions)
    large = xai.explain(model, inputs[:2], xai.LRP(epsilon=0.5, gamma=1), target=[0, 1]).values
    assert len(_COMPILED[model].functions) == traced
    assert np.abs(large).sum() < np.abs(small[:2]).sum()
    there = weakref.ref(model)
    del model
    gc.collect()
    assert there() is None


@pytest.mark.slow
def test_a_loop_gets_its_plain_gradient_and_a_note(monkeypatch):
    model = recurrent()
    inputs = samples(5, 4)
    by_steps = xai.explain(model, inputs, xai.LRP())
    monkeypatch.setattr(unrolled, "LONGEST", 4)
    other = recurrent()
    other.set_weights(model.get_weights())
    other(inputs)
    with unchanged(other):
        a = xai.explain(other, inputs, xai.LRP())
    (note,) = [note for note in a.notes if "plain gradient" in note]
    assert all(kind in note for kind in ("lstm", "gru", "simple_rnn"))
    assert np.isfinite(a.values).all()
    assert np.abs(a.values - by_steps.values).max() > 1e-6
    np.testing.assert_allclose(a.score, by_steps.score, atol=1e-5)


def test_functions_are_read_as_if_written_out():
    class Called(keras.Model):
        def __init__(self, function):
            super().__init__()
            self.hidden, self.head = layers.Dense(8, name="hidden"), layers.Dense(3)
            # In a list, where nothing makes it plain Python.
            self.function = [function]

        def call(self, x):
            return self.head(self.function[0](self.hidden(x)))

    def plain(x):
        first, second = tf.split(tf.nn.relu(x), 2, axis=1)
        return tf.concat([second * tf.sigmoid(first), first + second], axis=1)

    models = [Called(function) for function in (plain, tf.function(tf.function(plain)))]
    for model in models:
        model(samples(6))
        model.set_weights(models[0].get_weights())
    with unchanged(models[1]):
        ours, theirs = (xai.explain(model, samples(6), xai.LRP()) for model in models)
    np.testing.assert_allclose(ours.values, theirs.values, atol=1e-6)
    assert not any("plain gradient" in note for note in theirs.notes)


def test_a_flat_rule_on_a_table_says_that_it_tells_nothing(tabular):
    a = xai.explain(tabular.model, tabular.inputs[:2], xai.LRP(composite="epsilon_plus_flat"))
    assert any("same relevance" in note for note in a.notes)
    assert not any("same relevance" in note for note in xai.explain(tabular.model, tabular.inputs[:2], "lrp").notes)


def test_half_precision_is_shared_out_in_float32():
    x = keras.Input((8, 8, 1))
    y = layers.Conv2D(4, 3, activation="relu", use_bias=False, dtype="mixed_float16")(x)
    model = keras.Model(x, layers.Dense(3, use_bias=False, dtype="mixed_float16")(layers.Flatten()(y)))
    a = xai.explain(model, samples(8, 8, 1), xai.LRP())
    assert a.values.dtype == np.float32
    # The score itself is rounded to float16.
    np.testing.assert_allclose(a.residual, 0, atol=1e-3 * np.abs(a.values).sum(axis=(1, 2, 3)).max())


@pytest.mark.parametrize("composite", ["epsilon", "epsilon_gamma_box"])
def test_plain_gradients_are_what_they_were(composite):
    model, inputs = residual(), samples(8, 8, 2)
    before = xai.explain(model, inputs, "saliency").values
    xai.explain(model, inputs, xai.LRP(composite=composite))
    with tf.GradientTape() as tape:
        x = tf.constant(inputs)
        tape.watch(x)
        outputs = model(x)
        scores = tf.gather(outputs, tf.argmax(outputs, axis=1), axis=1, batch_dims=1)
    np.testing.assert_allclose(tape.gradient(scores, x), before, atol=1e-6)


def test_smooth_grad_of_lrp():
    model = table()
    method = xai.SmoothGrad(of=xai.LRP(), samples=4, noise=1e-6)
    a = xai.explain(model, samples(6), method)
    np.testing.assert_allclose(a.values, xai.explain(model, samples(6), xai.LRP()).values, atol=1e-3)


def test_to_a_layer():
    model = nested()
    a = xai.explain(model, samples(8, 8, 2), xai.LRP(), wrt="a.b")
    flow = xai.relevance_flow(model, samples(8, 8, 2), xai.LRP(), layers=["a.b"])
    np.testing.assert_allclose(a.values, flow.relevance["stem/a.b"][0], atol=1e-6)
    np.testing.assert_allclose(a.residual, 0, atol=1e-5)


class TestFlow:
    def test_a_head_with_its_softmax_has_what_enters_that(self):
        model, x = boxed_picture(), np.abs(samples(8, 8, 3))
        flow = xai.relevance_flow(model, x)
        assert flow.layers[-1] == "head"
        np.testing.assert_allclose(flow.sums[-1], flow.score)
        scores = np.take_along_axis(flow.relevance["head"][0], model(x).numpy().argmax(axis=1)[:, None], axis=1)
        np.testing.assert_allclose(scores[:, 0], flow.score)

    def test_a_layer_without_relevance_is_refused_where_it_is_asked_for(self, zoo):
        x = keras.Input((4,))
        gate = layers.Dense(3, "sigmoid", name="gate")(x)
        model = keras.Model(x, layers.Dense(2)(layers.Multiply()([gate, layers.Dense(3)(x)])))
        with pytest.raises(ValueError, match="layers: 'gate' has no relevance"):
            xai.relevance_flow(model, samples(4), layers=["gate"])
        assert "gate" not in xai.relevance_flow(model, samples(4)).layers

    def test_each_layer_keeps_what_it_gets(self):
        model = residual()
        flow = xai.relevance_flow(model, samples(8, 8, 2), xai.LRP(composite="epsilon"))
        a = xai.explain(model, samples(8, 8, 2), xai.LRP(composite="epsilon"))
        np.testing.assert_array_equal(flow.score, a.score)
        assert flow.layers[-1] == model.layers[-1].name
        sums = dict(zip(flow.layers, flow.sums, strict=True))
        for layer in ("add", "re_lu", "concatenate", "global_average_pooling2d", "dense"):
            path = next(path for path in flow.layers if path.startswith(layer))
            np.testing.assert_allclose(sums[path], flow.score, rtol=1e-4)
        assert [array.shape for array in flow.relevance[model.layers[-1].name]] == [(3, 3)]
        assert flow.sums.shape == (len(flow.layers), 3)

    def test_what_is_lost_is_seen_where_it_is_lost(self):
        x = keras.Input((6,))
        y = layers.Dense(8, "relu", use_bias=False, name="kept")(x)
        y = layers.Dense(8, "relu", name="biased")(y)
        model = keras.Model(x, layers.Dense(2, use_bias=False, name="head")(y))
        model.get_layer("biased").bias.assign(np.ones(8))
        flow = xai.relevance_flow(model, samples(6), "lrp", target=0, epsilon=1e-7)
        sums = dict(zip(flow.layers, flow.sums, strict=True))
        np.testing.assert_allclose(sums["head"], flow.score, rtol=1e-5)
        np.testing.assert_allclose(sums["biased"], flow.score, rtol=1e-4)
        values = xai.explain(model, samples(6), xai.LRP(epsilon=1e-7), target=0).values
        np.testing.assert_allclose(sums["kept"], values.sum(axis=1), rtol=1e-3)
        assert np.abs(sums["kept"] - flow.score).min() > 0.01

    def test_shared_layers_have_an_array_for_each_call(self, zoo):
        flow = xai.relevance_flow(*zoo["siamese"], layers=["conv"])
        assert [array.shape for array in flow.relevance["backbone/conv"]] == [(3, 6, 6, 4)] * 2

    def test_tokens(self, zoo):
        specimen = zoo["tokens"]
        flow = xai.relevance_flow(*specimen)
        a = xai.explain(*specimen, xai.LRP())
        np.testing.assert_allclose(flow.relevance["words"][0].sum(axis=2), a.values, atol=1e-7)

    def test_what_is_wrong_is_refused(self):
        model = table()
        with pytest.raises(TypeError, match="method must be an LRP"):
            xai.relevance_flow(model, samples(6), "saliency")
        with pytest.raises(ValueError, match="layers 'nothing' names no single layer"):
            xai.relevance_flow(model, samples(6), layers=["nothing"])
        with pytest.raises(TypeError, match="layers must be a sequence"):
            xai.relevance_flow(model, samples(6), layers="dense")


@pytest.mark.parametrize("text", [*RULE_NAMES, "alpha1.5_beta0.5", "epsilon(1e-06)"])
def test_the_text_of_a_rule_reads_as_that_rule(text):
    assert read_rule(write_rule(read_rule(text))) == read_rule(text)
