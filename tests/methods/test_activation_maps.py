"""Class activation maps against published values, closed forms and plain loops; the layer, the sign, the notes."""

import functools
import re

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops
from models import samples, unchanged

import xai_widgets as xai
from xai_widgets.engine import cam
from xai_widgets.methods.activation_map import ActivationMap
from xai_widgets.task import Subject, Task

# Of the maps at the resolution of the layer: guided Grad-CAM lays its own over the input.
EVERY = tuple(cls for cls in xai.methods.METHODS if issubclass(cls, ActivationMap) and not cls.per_channel)
SIGNED = (xai.CAM, xai.GradCAM, xai.HiResCAM, xai.XGradCAM, xai.AblationCAM)
every = pytest.mark.parametrize("cls", EVERY, ids=lambda cls: cls.name)


def arrays(shape=(2, 3, 4, 5), seed=0):
    random = np.random.default_rng(seed)
    return random.normal(size=shape), random.normal(size=shape)


def output_of(model, layer, inputs):
    return np.asarray(keras.Model(model.input, model.get_layer(layer).output)(inputs))


def pooled_dense(y):
    return layers.Dense(3)(layers.GlobalAveragePooling2D()(y))


# The network of captum's test_grad_cam.py (BSD): two filters of ones, a ReLU, a linear layer of ones and minus ones.


@pytest.fixture(scope="module")
def published():
    x = keras.Input((4, 4, 1))
    y = layers.ReLU(name="relu1")(layers.Conv2D(2, 3, name="conv1")(x))
    y = layers.Dense(4, name="fc1")(layers.Flatten()(layers.Permute((3, 1, 2))(y)))
    model = keras.Model(x, layers.ReLU(name="relu2")(y))
    model.get_layer("conv1").set_weights([np.ones((3, 3, 1, 2)), np.array([-50.0, -75.0])])
    model.get_layer("fc1").set_weights([np.repeat([[1.0]] * 5 + [[-1.0]] * 3, 4, axis=1), np.zeros(4)])
    return model, np.arange(16, dtype="float32").reshape(1, 4, 4, 1)


@pytest.mark.parametrize(
    ("layer", "expected"), [("conv1", [[11.25, 13.5], [20.25, 22.5]]), ("relu1", [[0, 4], [28, 32.5]])]
)
def test_published_values_of_grad_cam(published, layer, expected):
    a = xai.explain(*published, xai.GradCAM(layer=layer), target=0)
    np.testing.assert_allclose(a.values, [expected], rtol=1e-6)


# Each formula in plain loops.


def loops(weight):
    """A map from a rule that gives, for A and g of one channel, a weight or an array of them."""

    def map_of(activations, gradients):
        maps = np.zeros(activations.shape[:-1])
        for n in range(len(activations)):
            for k in range(activations.shape[-1]):
                values, slopes = activations[n, ..., k], gradients[n, ..., k]
                maps[n] += weight(values, slopes) * values
        return maps

    return map_of


def equation_19(values, slopes):
    total = 0.0
    for slope in slopes.ravel():
        total += max(slope, 0) * slope**2 / (2 * slope**2 + values.sum() * slope**3)
    return total


@pytest.mark.parametrize("shape", [(2, 6, 3), (2, 3, 4, 5), (2, 2, 3, 4, 5)], ids=["1-D", "2-D", "3-D"])
@pytest.mark.parametrize(
    ("ours", "weight"),
    [
        (cam.cam, lambda values, slopes: slopes.sum()),
        (cam.grad_cam, lambda values, slopes: slopes.mean()),
        (cam.grad_cam_plus_plus, equation_19),
        (cam.layer_cam, lambda values, slopes: np.maximum(slopes, 0)),
        (cam.hi_res_cam, lambda values, slopes: slopes),
        (cam.x_grad_cam, lambda values, slopes: (values * slopes).sum() / values.sum()),
    ],
    ids=lambda rule: getattr(rule, "__name__", ""),
)
def test_formulas_are_what_plain_loops_give(ours, weight, shape):
    activations, gradients = arrays(shape)
    np.testing.assert_allclose(ours(activations, gradients), loops(weight)(activations, gradients), rtol=1e-9)


def test_zero_denominators_give_zero():
    activations, gradients = np.zeros((1, 2, 2, 3)), np.ones((1, 2, 2, 3))
    activations[0, :, :, 1] = [[1, -1], [2, -2]]  # sums to zero
    activations[0, :, :, 2] = -0.5  # 2 + sum(A) g is zero
    for rule in (cam.x_grad_cam, cam.grad_cam_plus_plus):
        assert np.isfinite(rule(activations, gradients)).all()
    assert not cam.grad_cam_plus_plus(np.ones((1, 2, 2, 1)), np.zeros((1, 2, 2, 1))).any()


def test_equation_19_does_not_underflow():
    activations, gradients = (np.abs(one).astype("float32") for one in arrays())
    tiny = cam.grad_cam_plus_plus(activations, gradients * np.float32(1e-25))
    np.testing.assert_allclose(tiny / 1e-25, cam.weighted(activations, gradients.sum(axis=(1, 2)) / 2), rtol=1e-5)


@pytest.mark.parametrize("shape", [(3, 7, 20), (3, 8, 8, 5), (3, 3, 3, 3, 40)], ids=["1-D", "2-D", "3-D"])
def test_eigen_cam_is_the_first_singular_vector(shape):
    activations, _ = arrays(shape)
    activations += 0.3
    for values, ours in zip(activations, cam.eigen_cam(activations), strict=True):
        matrix = values.reshape(-1, shape[-1])
        left, sizes, _ = np.linalg.svd(matrix, full_matrices=False)
        expected = left[:, 0] * sizes[0]
        assert ours.ravel() @ matrix.mean(axis=1) > 0
        np.testing.assert_allclose(ours.ravel() * np.sign(ours.ravel() @ expected), expected, atol=1e-9)
    np.testing.assert_allclose(cam.eigen_cam(-activations), cam.eigen_cam(activations) * -1, atol=1e-9)
    assert not cam.eigen_cam(np.zeros(shape)).any()


def test_eigen_cam_is_the_same_for_every_target_and_says_so(pooled):
    model, inputs = pooled
    one, other = (xai.explain(model, inputs, xai.EigenCAM(), target=target) for target in (0, 1))
    np.testing.assert_array_equal(one.values, other.values)
    assert any("does not look at the class" in note for note in one.notes)


# A pooled head, where the maps are one another's multiples.


@pytest.fixture(scope="module")
def pooled():
    """A convolution with a ReLU, pooled, and a linear head."""
    x = keras.Input((8, 8, 2))
    y = layers.Conv2D(6, 3, activation="relu", name="last")(x)
    model = keras.Model(x, layers.Dense(4, bias_initializer="ones", name="head")(layers.GlobalAveragePooling2D()(y)))
    return model, samples(8, 8, 2)


@pytest.mark.parametrize("target", range(4))
def test_on_a_pooled_head_the_family_agrees(pooled, target):
    model, inputs = pooled
    activations = output_of(model, "last", inputs)
    kernel = model.get_layer("head").kernel.numpy()[:, target]
    original = activations @ kernel

    def values(cls):
        return xai.explain(model, inputs, cls(relu=False), target=target).values

    np.testing.assert_allclose(values(xai.CAM), original, rtol=1e-4, atol=1e-5)
    for cls in (xai.GradCAM, xai.HiResCAM, xai.XGradCAM):
        np.testing.assert_allclose(values(cls), original / 36, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(values(xai.LayerCAM), activations @ np.maximum(kernel, 0) / 36, rtol=1e-4, atol=1e-6)


def test_the_mean_of_cam_and_the_bias_are_the_score(pooled):
    a = xai.explain(*pooled, xai.CAM(relu=False))
    np.testing.assert_allclose(a.values.mean(axis=(1, 2)) + 1, a.score, rtol=1e-4)


def test_hi_res_cam_and_the_bias_add_up_to_the_score_of_any_linear_head():
    x = keras.Input((6, 6, 2))
    y = layers.Flatten()(layers.Conv2D(3, 3, name="last")(x))
    model = keras.Model(x, layers.Dense(3, bias_initializer="ones")(y))
    a = xai.explain(model, samples(6, 6, 2), xai.HiResCAM(relu=False))
    np.testing.assert_allclose(a.values.sum(axis=(1, 2)) + 1, a.score, rtol=1e-4, atol=1e-5)


@every
def test_relu_keeps_the_positive_part(pooled, cls):
    signed, kept = (xai.explain(*pooled, cls(relu=relu)).values for relu in (False, True))
    np.testing.assert_allclose(kept, np.maximum(signed, 0), atol=1e-6)


@functools.cache
def sigmoid(bias):
    x = keras.Input((6, 6, 1))
    y = layers.GlobalAveragePooling2D()(layers.Conv2D(3, 3, activation="relu")(x))
    return keras.Model(x, layers.Dense(1, "sigmoid", bias_initializer=keras.initializers.Constant(bias))(y))


@pytest.mark.parametrize("cls", SIGNED, ids=lambda cls: cls.name)
@pytest.mark.parametrize("bias", [-3.0, 3.0])
def test_the_two_classes_of_a_sigmoid_are_opposite_whatever_the_sign_of_the_logit(cls, bias):
    model = sigmoid(bias)
    zero, one = (xai.explain(model, samples(6, 6, 1), cls(relu=False), target=target).values for target in (0, 1))
    np.testing.assert_allclose(zero, -one, atol=1e-6)
    up = xai.explain(model, samples(6, 6, 1), xai.GradCAM(relu=False), target=1).values
    assert (one * up).sum() > 0


# CAM, where it is defined and where not.


def test_cam_of_a_layer_that_is_pooled_into_the_logits():
    x = keras.Input((8, 8, 1))
    y = layers.Conv2D(4, 3, name="last")(x)
    model = keras.Model(x, layers.Softmax()(layers.GlobalAveragePooling2D()(y)))
    for target in range(4):
        a = xai.explain(model, samples(8, 8, 1), xai.CAM(relu=False), target=target)
        np.testing.assert_allclose(a.values, output_of(model, "last", samples(8, 8, 1))[..., target], atol=1e-5)


HEADS = {
    "averaged by hand": (lambda y: layers.Dense(3)(ops.mean(y, axis=(1, 2))), True),
    "pooled in two steps": (lambda y: layers.Dense(3)(layers.Flatten()(layers.AveragePooling2D(6)(y))), True),
    "normalised, then pooled": (lambda y: layers.Dense(3)(layers.GlobalAveragePooling2D()(_affine(y))), True),
    "softmax": (lambda y: layers.Dense(3, "softmax")(layers.GlobalAveragePooling2D()(y)), True),
    "flattened": (lambda y: layers.Dense(3)(layers.Flatten()(y)), False),
    "greatest": (lambda y: layers.Dense(3)(layers.GlobalMaxPooling2D()(y)), False),
    "hidden relu": (lambda y: layers.Dense(3)(layers.Dense(16, "relu")(layers.GlobalAveragePooling2D()(y))), False),
    "hidden tanh": (lambda y: layers.Dense(3)(layers.Dense(16, "tanh")(layers.GlobalAveragePooling2D()(y))), False),
    "layer norm": (lambda y: layers.Dense(3)(layers.LayerNormalization()(layers.GlobalAveragePooling2D()(y))), False),
    "inline relu": (lambda y: layers.Dense(3)(ops.mean(ops.relu(y), axis=(1, 2))), False),
    "length": (lambda y: layers.Dense(3)(layers.UnitNormalization()(layers.GlobalAveragePooling2D()(y))), False),
}


def _affine(y):
    return layers.BatchNormalization(beta_initializer="ones", moving_variance_initializer="zeros", epsilon=4.0)(y)


@pytest.mark.parametrize("name", HEADS)
@pytest.mark.slow
def test_cam_is_told_from_what_is_computed(name):
    head, is_cam = HEADS[name]
    x = keras.Input((8, 8, 1))
    model = keras.Model(x, head(layers.Conv2D(4, 3, name="last")(x)))
    method = xai.CAM(layer="last")
    if is_cam:
        xai.explain(model, samples(8, 8, 1), method)
        with pytest.raises(ValueError, match="probability is computed in another way"):
            xai.explain(keras.Model(x, layers.Softmax()(model.output)), samples(8, 8, 1), method, probability=True)
        return
    with unchanged(model), pytest.raises(ValueError, match=r"'last' the (logit|output) .*GradCAM works"):
        xai.explain(model, samples(8, 8, 1), method)


# Score-CAM.


def score_cam_by_hand(model, activations, x, score_of, baseline=0.0):
    """Score-CAM of one sample in plain loops."""
    gains = []
    for k in range(activations.shape[-1]):
        mask = tf.image.resize(activations[..., k : k + 1], x.shape[:2]).numpy()
        low, high = activations[..., k].min(), activations[..., k].max()
        mask = np.zeros_like(mask) if high == low else (mask - mask.min()) / (mask.max() - mask.min())
        gains.append(score_of(baseline + mask * (x - baseline)) - score_of(np.full_like(x, baseline)))
    weights = np.exp(gains - np.max(gains))
    return np.maximum(activations @ (weights / weights.sum()), 0)


@pytest.mark.parametrize("baseline", [0.0, 1.5])
def test_score_cam_is_one_softmax_of_the_increases(pooled, baseline):
    model, inputs = pooled
    a = xai.explain(model, inputs, xai.ScoreCAM(baseline=baseline), target=2)
    for x, values, activations in zip(inputs, a.values, output_of(model, "last", inputs), strict=True):
        by_hand = score_cam_by_hand(model, activations, x, lambda one: model(one[None])[0, 2].numpy(), baseline)
        np.testing.assert_allclose(values, by_hand, rtol=1e-3, atol=1e-5)
    expected = model(np.full_like(inputs, baseline))[:, 2]
    np.testing.assert_allclose(a.baseline_score, expected, rtol=1e-5)
    assert a.passes == 7


@pytest.mark.parametrize("shape", [(12, 2), (6, 5, 4, 1)], ids=["1-D", "3-D"])
def test_score_cam_of_one_channel_is_that_channel(shape):
    x = keras.Input(shape)
    y = {2: layers.Conv1D, 4: layers.Conv3D}[len(shape)](1, 2, name="last")(x)
    model = keras.Model(x, layers.Dense(2)(layers.Flatten()(y)))
    a = xai.explain(model, samples(*shape), xai.ScoreCAM())
    np.testing.assert_allclose(a.values, np.maximum(output_of(model, "last", samples(*shape))[..., 0], 0), atol=1e-6)


def test_constant_channels_give_no_nan_and_count_as_no_increase(pooled):
    model, inputs = keras.models.clone_model(pooled[0]), pooled[1]
    kernel, bias = model.get_layer("last").get_weights()
    kernel[..., :3], bias[:3] = 0, [0, 0.3, 0.7]
    model.get_layer("last").set_weights([kernel, bias])
    a = xai.explain(model, inputs, xai.ScoreCAM(), target=1)
    assert a.passes == 4  # three channels are worth a trial
    for x, values, activations in zip(inputs, a.values, output_of(model, "last", inputs), strict=True):
        by_hand = score_cam_by_hand(model, activations, x, lambda one: model(one[None])[0, 1].numpy())
        np.testing.assert_allclose(values, by_hand, rtol=1e-3, atol=1e-5)
    kernel[:] = 0
    model.get_layer("last").set_weights([kernel, bias])
    assert np.isfinite(xai.explain(model, inputs, xai.ScoreCAM(), target=1).values).all()


def test_score_cam_masks_the_inputs_that_the_layer_reads():
    """Of two pictures and a table only the second picture is seen through the channels of its own layer."""
    i, j, t = keras.Input((8, 8, 1)), keras.Input((8, 8, 1)), keras.Input((3,))
    branches = [layers.Conv2D(4, 3, activation="relu", name=name)(x) for name, x in (("first", i), ("second", j))]
    y = layers.Concatenate()([*map(layers.GlobalAveragePooling2D(), branches), t])
    model = keras.Model([i, j, t], layers.Dense(2)(y))
    inputs = [samples(8, 8, 1), samples(8, 8, 1)[::-1], samples(3)]
    a = xai.explain(model, inputs, xai.ScoreCAM(layer="second"), target=0)
    second = np.asarray(keras.Model([i, j, t], branches[1])(inputs))
    for n, values in enumerate(a.values):

        def score(x, n=n):
            return model([inputs[0][n : n + 1], x[None], inputs[2][n : n + 1]])[0, 0].numpy()

        by_hand = score_cam_by_hand(model, second[n], inputs[1][n], score)
        np.testing.assert_allclose(values, by_hand, rtol=1e-3, atol=1e-5)


def test_score_cam_refuses_what_it_cannot_mask():
    x = keras.Input((7,), dtype="int32")
    y = layers.GlobalAveragePooling1D()(layers.Embedding(9, 5, name="tokens")(x))
    model, ids = keras.Model(x, layers.Dense(2)(y)), np.arange(14).reshape(2, 7) % 9
    with pytest.raises(ValueError, match=r"'tokens' reads no input .*GradCAM works without"):
        xai.explain(model, ids, xai.ScoreCAM())
    assert xai.explain(model, ids, xai.GradCAM()).values.shape == (2, 7)


# Ablation-CAM.


@pytest.mark.parametrize("target", range(4))
def test_ablation_weights_of_a_pooled_head_are_shares_of_the_score(pooled, target):
    model, inputs = pooled
    activations = output_of(model, "last", inputs)
    a = xai.explain(model, inputs, xai.AblationCAM(relu=False), target=target)
    parts = activations.mean(axis=(1, 2)) * model.get_layer("head").kernel.numpy()[:, target]
    expected = np.einsum("nhwk,nk->nhw", activations, parts / np.abs(a.score)[:, None])
    np.testing.assert_allclose(a.values, expected, rtol=1e-3, atol=1e-5)


class Counted(keras.layers.Layer):
    """Hands on what it gets, and counts the rows."""

    rows = 0

    def call(self, x):
        def count(values):
            type(self).rows += len(values)
            return values

        counted = tf.numpy_function(count, [x], x.dtype, stateful=False)
        counted.set_shape(x.shape)
        return counted


@pytest.mark.parametrize("cls", [xai.AblationCAM, xai.CAM])
def test_what_comes_before_the_layer_is_run_once(cls):
    def last(x):
        return layers.Conv2D(6, 3, name="last")(x)

    x = keras.Input((8, 8, 1))
    model = keras.Model(x, pooled_dense(Counted()(last(x))))
    front = keras.Model(x, pooled_dense(last(Counted()(x))))
    if cls is xai.AblationCAM:
        Counted.rows = 0
        xai.explain(model, samples(8, 8, 1), cls("last"), target=0)
        assert Counted.rows == 3 + 3 * 6
    Counted.rows = 0
    xai.explain(front, samples(8, 8, 1), cls("last"), target=0)
    assert Counted.rows == 3


def test_dead_channels_need_no_trial():
    x = keras.Input((8, 8, 1))
    y = layers.Conv2D(6, 3, activation="relu", name="last")(x)
    model = keras.Model(x, layers.Dense(2)(layers.Flatten()(y)))
    kernel, bias = model.get_layer("last").get_weights()
    bias[:4] = -100
    model.get_layer("last").set_weights([kernel, bias])
    assert xai.explain(model, samples(8, 8, 1), xai.AblationCAM()).passes == 3


# Channels in turn.


@pytest.mark.parametrize("cls", [xai.ScoreCAM, xai.AblationCAM])
def test_every_prefix_is_the_map_of_the_channels_tried_so_far(digits, cls):
    frames = list(Task(Subject(digits.model, digits.inputs[:1]), cls(channels=9)).frames())
    assert frames[-1][1].passes == 10
    whole = [frame for frame, _ in Task(Subject(digits.model, digits.inputs[:2]), cls()).frames()]
    changes = [float(frame.change.max()) for frame in whole]
    assert changes == sorted(changes, reverse=True)
    assert changes[-1] == 0 < frames[-1][0].change[0]
    assert any("may still change" in note for note in frames[-1][1].notes)


@pytest.mark.parametrize("cls", [xai.ScoreCAM, xai.AblationCAM])
def test_the_map_does_not_depend_on_how_channels_are_grouped(digits, cls, monkeypatch):
    from xai_widgets.engine.model import ModelView

    whole = xai.explain(digits.model, digits.inputs[:1], cls())
    monkeypatch.setattr(ModelView, "chunk", lambda *_: 5)
    grouped = xai.explain(digits.model, digits.inputs[:1], cls())
    np.testing.assert_allclose(grouped.values, whole.values, atol=1e-5 * whole.values.max())


@pytest.mark.parametrize("cls", [xai.ScoreCAM, xai.AblationCAM])
def test_stopping_in_between_leaves_the_model_whole(digits, cls):
    with unchanged(digits.model):
        frames = Task(Subject(digits.model, digits.inputs[:1]), cls()).frames()
        next(frames)
        frames.close()


# The layer.


class Block(layers.Layer):
    """Two convolutions and a way around them; what they give together no inner layer returns."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.first, self.second = layers.Conv2D(4, 3, padding="same"), layers.Conv2D(4, 3, padding="same")

    def call(self, x):
        return ops.relu(x + self.second(ops.relu(self.first(x))))


class Patches(keras.Model):
    """A small vision transformer, whose tokens have a size that tracing does not tell."""

    def __init__(self):
        super().__init__()
        self.embed, self.attend = layers.Conv2D(6, 4, strides=4), layers.MultiHeadAttention(2, 3)
        self.normalise, self.head = layers.LayerNormalization(name="tokens"), layers.Dense(3)

    def call(self, x):
        tokens = self.embed(x)
        tokens = tf.reshape(tokens, (tf.shape(tokens)[0], -1, 6))
        return self.head(tf.reduce_mean(self.normalise(tokens + self.attend(tokens, tokens)), axis=1))


def residual():
    x = keras.Input((8, 8, 4))
    return keras.Model(x, pooled_dense(Block(name="block")(layers.Conv2D(4, 1)(x)))), samples(8, 8, 4)


def with_decoder():
    """The mask's layers come last, but the class does not depend on them."""
    x = keras.Input((8, 8, 1))
    y = layers.Conv2D(4, 3, padding="same", activation="relu", name="encoder")(x)
    return keras.Model(x, {"class": pooled_dense(y), "mask": layers.Conv2D(2, 3, name="decoder")(y)}), samples(8, 8, 1)


def vision_transformer():
    model, inputs = Patches(), samples(16, 16, 3)
    model(inputs)
    return model, inputs


def over_time():
    x = keras.Input((5, 8, 8, 1))
    y = layers.TimeDistributed(layers.Conv2D(3, 3, activation="relu"))(x)
    y = layers.TimeDistributed(layers.GlobalAveragePooling2D())(y)
    y = layers.Bidirectional(layers.LSTM(4, return_sequences=True), name="both_ways")(y)
    return keras.Model(x, layers.Dense(2)(layers.GlobalAveragePooling1D()(y))), samples(5, 8, 8, 1)


def without_a_channel_axis():
    x = keras.Input((28, 28))
    y = layers.Conv2D(3, 3, activation="relu", name="last")(layers.Reshape((28, 28, 1))(x))
    return keras.Model(x, pooled_dense(y)), samples(28, 28)


@pytest.mark.parametrize(
    ("build", "target", "layer", "shape"),
    [
        (residual, None, "block", (8, 8)),
        (with_decoder, xai.Output("class", 1), "encoder", (8, 8)),
        (with_decoder, xai.Neuron("encoder", 1), "encoder", (8, 8)),
        (with_decoder, lambda outputs: outputs["mask"][:, 2, 2, 1], "decoder", (6, 6)),
        (vision_transformer, None, "tokens", (16,)),
        (over_time, None, "both_ways", (5,)),
        (without_a_channel_axis, None, "last", (26, 26)),
    ],
)
def test_the_last_layer_with_positions_that_the_score_depends_on(build, target, layer, shape):
    model, inputs = build()
    model(inputs)  # some Keras layers make attributes of their own in their first call
    for method in (xai.GradCAM(relu=False), xai.AblationCAM(relu=False)):
        with unchanged(model):
            a = xai.explain(model, inputs, method, target=target)
        assert any(f"layer {layer!r}, {' x '.join(map(str, shape))}" in note for note in a.notes)
        assert a.values.shape == (3, *shape)
        assert np.abs(a.values).max() > 0


def test_a_grey_picture_without_a_channel_axis_is_masked_too():
    model, inputs = without_a_channel_axis()
    activations = output_of(model, "last", inputs)
    a = xai.explain(model, inputs, xai.ScoreCAM(), target=0)

    def score(x):
        return model(x[None, ..., 0])[0, 0].numpy()

    by_hand = score_cam_by_hand(model, activations[0], inputs[0][..., None], score)
    np.testing.assert_allclose(a.values[0], by_hand, rtol=1e-3, atol=1e-5)


def test_an_activation_without_a_layer_is_no_part_of_the_layer():
    """`ops.relu` in a subclassed model: the map is that of the same network with ReLU layers, at the convolution."""
    from models import Subclassed

    written, inputs = Subclassed(), samples(8, 8, 2)
    written(inputs)
    x = keras.Input((8, 8, 2))
    y = layers.ReLU()(layers.Conv2D(4, 3)(x))
    y = layers.ReLU()(layers.Conv2D(4, 3, name="last")(y))
    laid = keras.Model(x, layers.Dense(4, "softmax")(layers.GlobalAveragePooling2D()(y)))
    laid.set_weights(written.get_weights())
    for cls in EVERY:
        if cls is not xai.CAM:
            one, other = (
                xai.explain(model, inputs, cls(layer=layer, relu=False), target=1).values
                for model, layer in ((written, None), (laid, "last"))
            )
            np.testing.assert_allclose(one, other, atol=1e-5 * np.abs(other).max())


@pytest.fixture(scope="module")
def siamese():
    """One backbone for two pictures, and a linear head."""
    x = keras.Input((8, 8, 1))
    y = layers.GlobalAveragePooling2D()(layers.Conv2D(4, 3, activation="relu", name="deep.conv")(x))
    backbone = keras.Model(x, y, name="backbone")
    i, j = keras.Input((8, 8, 1)), keras.Input((8, 8, 1))
    model = keras.Model([i, j], layers.Dense(2, name="head")(layers.Concatenate()([backbone(i), backbone(j)])))
    return model, [samples(8, 8, 1), samples(8, 8, 1)[::-1] * 2]


@every
@pytest.mark.parametrize(
    "layer", [None, *(pytest.param(name, marks=pytest.mark.slow) for name in ("deep.conv", "backbone/deep.conv"))]
)
def test_a_siamese_network_has_a_map_for_each_call_in_order(siamese, cls, layer):
    model, inputs = siamese
    with unchanged(model):
        a = xai.explain(model, inputs, cls(layer, relu=False), target=0)
    assert [one.shape for one in a.values] == [(3, 6, 6)] * 2
    assert [one.shape for one in a.heatmap()] == [(3, 8, 8)] * 2
    conv = model.get_layer("backbone").get_layer("deep.conv")
    kernel = model.get_layer("head").kernel.numpy()[:, 0]
    for place, (x, values) in enumerate(zip(inputs, a.values, strict=True)):
        activations = conv(x).numpy()
        expected = activations @ kernel[4 * place : 4 * place + 4]
        if cls in (xai.CAM, xai.GradCAM, xai.HiResCAM, xai.XGradCAM):
            np.testing.assert_allclose(values * (1 if cls is xai.CAM else 36), expected, rtol=1e-4, atol=1e-5)
        elif cls is xai.EigenCAM:
            np.testing.assert_allclose(values, cam.eigen_cam(activations), atol=1e-5)
        elif cls is xai.AblationCAM:
            parts = activations.mean(axis=(1, 2)) * kernel[4 * place : 4 * place + 4] / np.abs(a.score)[:, None]
            np.testing.assert_allclose(values, np.einsum("nhwk,nk->nhw", activations, parts), rtol=1e-3, atol=1e-5)


@pytest.fixture(scope="module")
def precisions():
    """The same network in half and in single precision."""

    def build(dtype):
        x = keras.Input((8, 8, 1))
        y = layers.Conv2D(6, 3, activation="relu", dtype=dtype)(x)
        y = layers.Dense(3, dtype=dtype)(layers.GlobalAveragePooling2D(dtype=dtype)(y))
        return keras.Model(x, layers.Activation("softmax", dtype="float32")(y))

    half, single = build("mixed_float16"), build("float32")
    single.set_weights(half.get_weights())
    return half, single


@every
def test_half_precision_is_near_single_precision(precisions, cls):
    half, single = precisions
    one, other = (xai.explain(model, samples(8, 8, 1), cls(relu=False), target=1).values for model in (half, single))
    assert one.dtype == np.float32
    np.testing.assert_allclose(one, other, atol=2e-2 * np.abs(other).max())


@every
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ({"layer": "lsat"}, "layer 'lsat' .*did you mean 'last'"),
        ({"layer": "head"}, "layer 'head' has no positions"),
    ],
)
def test_wrong_layers_are_refused_by_name(pooled, cls, arguments, says):
    with pytest.raises(ValueError, match=f"{cls.__name__}.{says}"):
        xai.explain(*pooled, cls(**arguments))


@every
def test_tables_and_wrt_are_refused(zoo, pooled, cls):
    with pytest.raises(ValueError, match=f"no layer with more than one position.* {cls.__name__} needs one"):
        xai.explain(*zoo["sequential"], cls())
    with pytest.raises(ValueError, match=f"{cls.__name__} looks at .* give layer=, not wrt="):
        xai.explain(*pooled, cls(), wrt="last")


# The notes.


def notes_of(model, method):
    return " ".join(xai.explain(model, np.abs(samples(8, 8, 1)), method).notes)


def ending_in(head):
    x = keras.Input((8, 8, 1))
    return keras.Model(x, head(x))


@functools.cache
def positive(weight):
    """A layer whose activations are positive, and a score that falls or rises with each of them."""
    x = keras.Input((8, 8, 1))
    y = layers.GlobalAveragePooling2D()(layers.Conv2D(2, 3, kernel_initializer="ones", name="last")(x))
    return keras.Model(x, layers.Dense(1, kernel_initializer=keras.initializers.Constant(weight))(y))


@pytest.mark.parametrize("cls", SIGNED, ids=lambda cls: cls.name)
def test_a_map_that_is_nowhere_positive_says_so(cls):
    assert "zero everywhere: all of the layer speaks against" in notes_of(positive(-1), cls())
    assert "nowhere positive: all of the layer speaks against" in notes_of(positive(-1), cls(relu=False))
    assert "everywhere: no channel counts" in notes_of(positive(0), cls())
    assert "everywhere" not in notes_of(positive(1), cls())


def test_a_note_tells_how_many_samples_it_is_about():
    inputs = np.abs(samples(8, 8, 1)) * np.array([1, -1, 1]).reshape(3, 1, 1, 1)
    notes = xai.explain(positive(1), inputs, xai.GradCAM()).notes
    assert any("everywhere in 1 of 3 samples" in note for note in notes)


def test_few_places_signs_and_other_ways_are_pointed_out():
    coarse = ending_in(lambda x: pooled_dense(layers.Conv2D(4, 3, strides=3, activation="relu")(x)))
    signed = ending_in(lambda x: pooled_dense(layers.Conv2D(4, 3, name="last")(x - 0.8)))
    branches = ending_in(lambda x: layers.Add()([pooled_dense(layers.Conv2D(2, size)(x)) for size in (3, 5)]))
    assert "So few places" in notes_of(coarse, xai.GradCAM())
    assert re.search("So few places|way around", notes_of(positive(1), xai.GradCAM())) is None
    assert "% of the activation of layer 'last' is negative. Score-CAM" in notes_of(signed, xai.ScoreCAM())
    assert "is negative" not in notes_of(signed, xai.GradCAM())
    assert "is negative" not in notes_of(coarse, xai.ScoreCAM())
    assert re.search("depends on layer 'conv2d.*' on a way around 'conv2d", notes_of(branches, xai.GradCAM()))
