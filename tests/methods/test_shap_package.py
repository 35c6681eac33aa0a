"""The shap package behind `explain`: the numbers are its own, and nothing of the process is changed for them."""

import contextlib
import importlib
import itertools
import math
import threading
import time
import warnings

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops
from models import function_model, samples, unchanged
from tensorflow.python.eager import execute
from tensorflow.python.framework import ops as framework
from tensorflow.python.ops import gradients_util

import xai_widgets as xai
from xai_widgets.methods.shap_package import halves, joined, private

METHODS = (xai.PartitionSHAP(samples=40), xai.DeepSHAP(), xai.GradientSHAP(samples=20))
each = pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
WEIGHTS = np.array([1.0, -2.0, 0.5, 4.0], "float32")
ROWS = samples(4)


def linear():
    return function_model(lambda x: x @ WEIGHTS[:, None] + 3, 4)


def convolutional(last=None):
    keras.utils.set_random_seed(5)
    x = keras.Input((8, 8, 2))
    y = layers.MaxPooling2D()(layers.Conv2D(4, 3, activation="relu", bias_initializer="normal")(x))
    y = layers.Dense(6, "tanh", bias_initializer="normal")(layers.Flatten()(y))
    return keras.Model(x, layers.Dense(3, last)(y))


def mobile():
    """What shap's DeepExplainer fails on, and leaves every later gradient of the process broken."""
    x = keras.Input((8, 8, 3))
    y = layers.ReLU(max_value=6)(layers.Conv2D(4, 3)(x))
    y = layers.GlobalAveragePooling2D()(layers.DepthwiseConv2D(3, activation="relu")(y))
    return keras.Model(x, layers.Dense(2, "softmax")(y))


def by_hand(explain):
    """What shap says itself; seeded as it is here."""
    shap = pytest.importorskip("shap")
    state = np.random.get_state()
    np.random.seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            return explain(shap)
        finally:
            np.random.set_state(state)


# The values


@pytest.mark.parametrize("baseline", [xai.Constant(0.5), xai.Samples(samples(4, count=5))], ids=["one", "several"])
def test_of_an_additive_game_partition_shap_gives_shapley_values(baseline):
    a = xai.explain(linear(), ROWS, xai.PartitionSHAP(baseline=baseline))
    mean = 0.5 if isinstance(baseline, xai.Constant) else baseline.samples.mean(axis=0)
    np.testing.assert_allclose(a.values, WEIGHTS * (ROWS - mean), atol=1e-5)
    np.testing.assert_allclose(a.residual, 0, atol=1e-5)
    if baseline.count == 1:
        assert a.passes == 12  # none and all, two pairs, each player alone and beside the other pair
    assert "Every part was split down to single values." in a.notes


def owen(game):
    """Owen values of four players in two pairs: the mean over the orders in which no pair is interrupted."""
    orders = [
        (*one, *two)
        for pair in (((0, 1), (2, 3)), ((2, 3), (0, 1)))
        for one, two in itertools.product(*map(itertools.permutations, pair))
    ]
    values = np.zeros(4)
    for order in orders:
        for place, player in enumerate(order):
            values[player] += game(set(order[: place + 1])) - game(set(order[:place]))
    return values / len(orders)


def test_partition_shap_gives_owen_values_of_the_balanced_tree():
    x = np.array([[1.0, 2.0, -1.0, 3.0]], "float32")
    model = function_model(lambda x: x[:, :1] * x[:, 2:3] * x[:, 3:] + 2 * x[:, :1] * x[:, 1:2], 4)
    a = xai.explain(model, x, "partition_shap")

    def game(present):
        y = [value if place in present else 0.0 for place, value in enumerate(x[0])]
        return y[0] * y[2] * y[3] + 2 * y[0] * y[1]

    np.testing.assert_allclose(a.values[0], owen(game), atol=1e-5)


@pytest.mark.slow
def test_partition_shap_is_shaps_own_of_a_picture():
    model, x = convolutional(), samples(8, 8, 2)
    a = xai.explain(model, x, xai.PartitionSHAP(samples=60, baseline=0.25), target=1)

    def own(shap):
        masker = shap.maskers.Image(np.full((8, 8, 2), 0.25, "float32"), (8, 8, 2))
        explainer = shap.PartitionExplainer(lambda rows: model(rows.astype("float32")).numpy()[:, 1], masker)
        return [explainer(x[i : i + 1], max_evals=60, silent=True) for i in range(3)]

    found = by_hand(lambda shap: own(shap)[0])
    np.testing.assert_allclose(a.values[:1], found.values, atol=1e-5)
    np.testing.assert_allclose(a.baseline_score[0], found.base_values, atol=1e-5)
    np.testing.assert_allclose(a.residual, 0, atol=1e-5)


def test_partition_shap_joins_features_of_data_as_shap_does(tabular):
    data, x = tabular.inputs[:40], tabular.inputs[50:51]
    a = xai.explain(tabular.model, x, xai.PartitionSHAP(samples=200, baseline=xai.Samples(data)), target=1)

    def own(shap):
        masker = shap.maskers.Partition(data, clustering="correlation")
        score = xai.explain(tabular.model, x, "saliency", target=1).score[0] - logit(x)[0]
        return shap.PartitionExplainer(lambda rows: logit(rows) + score, masker)(x, max_evals=200, silent=True)

    from xai_widgets.task import Subject, Task

    def logit(rows):
        return Task(Subject(tabular.model, rows), xai.Saliency(), target=1).scores

    found = by_hand(own)
    np.testing.assert_allclose(a.values, found.values, atol=1e-4)


@pytest.mark.slow
def test_deep_shap_is_shaps_own():
    model, x, background = convolutional(), samples(8, 8, 2), samples(8, 8, 2, count=5)[3:]
    found = by_hand(lambda shap: shap.DeepExplainer(model, background).shap_values(x))
    for target in (0, 2):
        a = xai.explain(model, x, xai.DeepSHAP(xai.Samples(background)), target=target)
        np.testing.assert_allclose(a.values, found[..., target], atol=1e-5)
        np.testing.assert_allclose(a.residual, 0, atol=1e-5)
        softmax = keras.Sequential([model, layers.Softmax()])
        again = xai.explain(softmax, x, xai.DeepSHAP(xai.Samples(background)), target=target)
        np.testing.assert_allclose(again.values, a.values, atol=1e-5)


@pytest.mark.slow
def test_deep_shap_explains_whatever_is_a_score():
    model, x = convolutional("softmax"), samples(8, 8, 2)
    one, two = (xai.explain(model, x, "deep_shap", target=target) for target in (0, 2))
    margin = xai.explain(model, x, "deep_shap", target=xai.Margin(0, 2))
    np.testing.assert_allclose(margin.values, one.values - two.values, atol=1e-5)
    function = xai.explain(model, x, "deep_shap", target=lambda outputs: ops.square(outputs[:, 0]))
    np.testing.assert_allclose(function.residual, 0, atol=1e-4)
    probability = xai.explain(model, x, "deep_shap", target=0, probability=True)
    np.testing.assert_allclose(probability.residual, 0, atol=1e-4)
    path = next(layer.name for layer in model.layers if isinstance(layer, layers.Conv2D))
    inner = xai.explain(model, x, "deep_shap", target=0, wrt=path)
    assert inner.values.shape == (3, 6, 6, 4)
    np.testing.assert_allclose(inner.residual, 0, atol=1e-5)
    neuron = xai.explain(model, x, "deep_shap", target=xai.Neuron(path, (0, 1, 2)))
    np.testing.assert_allclose(neuron.residual, 0, atol=1e-5)
    assert not neuron.values[:, 5:].any()  # out of its sight


def test_gradient_shap_is_shaps_own():
    model, x, background = convolutional(), samples(8, 8, 2)[:1], samples(8, 8, 2, count=6)
    a = xai.explain(model, x, xai.GradientSHAP(samples=30, baseline=xai.Samples(background), seed=4), target=1)
    found, variances = by_hand(
        lambda shap: shap.GradientExplainer(model, background).shap_values(
            x, nsamples=30, rseed=4, return_variances=True
        )
    )
    np.testing.assert_allclose(a.values, found[..., 1], atol=1e-5)
    # Of the mean: shap divides the variance of a draw by the root of their number.
    np.testing.assert_allclose(a.error, np.sqrt(variances[1] / np.sqrt(30) * 30 / 29), rtol=1e-3, atol=1e-5)


def test_of_a_linear_model_gradient_shap_goes_to_what_expected_gradients_gives():
    background = samples(4, count=8)
    mean = background.mean(axis=0)
    a = xai.explain(linear(), ROWS, xai.GradientSHAP(samples=6000, baseline=xai.Samples(background)))
    b = xai.explain(linear(), ROWS, xai.ExpectedGradients(samples=64, baseline=xai.Samples(background)))
    np.testing.assert_allclose(b.values, WEIGHTS * (ROWS - mean), atol=1e-4)
    assert (np.abs(a.values - b.values) < 4 * a.error).all()
    assert a.error.max() < 0.08
    np.testing.assert_allclose(a.baseline_score, mean @ WEIGHTS + 3, rtol=1e-4)


def test_gradient_shap_takes_portions_of_draws_and_of_many_references():
    model, x = convolutional(), samples(8, 8, 2)[:1]
    many = xai.Samples(samples(8, 8, 2, count=150))
    few = xai.explain(model, x, xai.GradientSHAP(samples=64, baseline=many))
    more = xai.explain(model, x, xai.GradientSHAP(samples=640, baseline=many))
    assert few.passes == 64
    assert 2 < (few.error / more.error).mean() < 4.5
    np.testing.assert_allclose(more.residual, 0, atol=0.1)


def test_trees_are_balanced_and_joined():
    tree = joined([halves((2, 3, 1)), halves((1,)), halves((5, 2))])
    assert tree.shape == (16, 4)
    assert sorted(tree[:, :2].ravel()) == list(range(32))
    assert tree[-1, 3] == 17
    series = halves((8, 2))
    assert series[-1, 3] == 16
    leaves = {place: {place} for place in range(16)}
    for row, (one, two, *_) in enumerate(series):
        leaves[16 + row] = leaves[int(one)] | leaves[int(two)]
    halved = {frozenset(leaves[int(child)]) for child in series[-1, :2]}
    assert halved == {frozenset(range(8)), frozenset(range(8, 16))}  # steps, each with both channels
    assert len(halves((4, 4, 4, 1))) == 63


def test_a_round_begins_like_the_one_before_and_evaluates_nothing_twice():
    calls = []

    def counted(x):
        tf.py_function(lambda rows: calls.append(len(rows)), [x], [])
        return tf.reduce_sum(x**2 * tf.roll(x, 1, 1), axis=1, keepdims=True)

    with tf.device("cpu"):
        a = xai.explain(function_model(counted, 16), samples(16)[:1], xai.PartitionSHAP(samples=128))
    assert a.passes <= 128
    assert sum(calls) <= 128 + 10  # the samples themselves, for the score


# What stays as it was


def registered():
    return {name: entry["type"] for name, entry in framework._gradient_registry._registry.items()}


def hooks():
    return execute.record_gradient, getattr(gradients_util, "_IsBackpropagatable", None)


def tape(model, x):
    """A gradient by the plain tape, traced anew."""

    @tf.function
    def run(values):
        with tf.GradientTape() as tape:
            tape.watch(values)
            scores = tf.reduce_sum(model(values)[:, 0])
        return tape.gradient(scores, values)

    with tf.GradientTape() as eager:
        eager.watch(values := tf.constant(x))
        scores = tf.reduce_sum(model(values)[:, 0])
    return run(values).numpy(), eager.gradient(scores, values).numpy()


@each
@pytest.mark.parametrize("make", [convolutional, mobile], ids=["works", "is refused"])
def test_gradients_of_the_process_are_what_they_were(method, make):
    model = make()
    x = samples(*model.inputs[0].shape[1:])
    before, names, patched = tape(model, x), registered(), hooks()
    with unchanged(model):
        refused = (method.name, make) == ("deep_shap", mobile)
        with pytest.raises(ValueError, match="no rule") if refused else contextlib.nullcontext():
            xai.explain(model, x, method)
    after = registered()
    assert {name: after[name] for name in names} == names
    assert all(name.startswith("xai_widgets_") for name in after.keys() - names.keys())
    assert hooks() == patched
    for one, other in zip(before, tape(model, x), strict=True):
        np.testing.assert_array_equal(one, other)


@each
def test_they_are_so_meanwhile_too(method):
    """Another thread may trace at any time, and what it traces stays."""
    model, x, seen = convolutional(), samples(8, 8, 2)[:1], []
    names, patched = registered(), hooks()

    def target(outputs):
        thread = threading.Thread(target=lambda: seen.append((registered(), hooks(), tape(other, y))))
        thread.start()
        thread.join()
        return outputs[:, 0]

    other, y = convolutional(), samples(8, 8, 2)[1:2]
    expected = tape(other, y)
    xai.explain(model, x, method, target=target)
    assert seen
    for registry, patches, gradients in seen:
        assert {name: registry[name] for name in names} == names
        assert patches == patched
        np.testing.assert_allclose(gradients, expected, rtol=1e-6)


@each
def test_nothing_is_printed_and_no_random_numbers_are_taken(method, capfd):
    model, x = convolutional(), samples(8, 8, 2)[:1]
    np.random.seed(3)
    expected = np.random.random(3)
    np.random.seed(3)
    xai.explain(model, x, method)
    np.testing.assert_array_equal(np.random.random(3), expected)
    assert capfd.readouterr() == ("", "")


@each
def test_another_thread_draws_and_filters_warnings_meanwhile(method):
    """One gets the numbers that one would get alone, and the filters that one set."""
    model, x, drawn, done = convolutional(), samples(8, 8, 2)[:1], [], threading.Event()
    xai.explain(model, x, method)
    filters = list(warnings.filters)

    def user():
        np.random.seed(3)
        while not done.is_set():
            with warnings.catch_warnings():
                drawn.append(np.random.random())
                time.sleep(1e-4)

    thread = threading.Thread(target=user)
    thread.start()
    try:
        for _ in range(4):
            xai.explain(model, x, method)
    finally:
        done.set()
        thread.join()
    np.testing.assert_array_equal(drawn, np.random.RandomState(3).random(len(drawn)))
    assert len(drawn) > 20
    assert warnings.filters == filters


@pytest.mark.parametrize("name", ["explainers._partition", "explainers._gradient", "utils._clustering"])
def test_shap_draws_from_a_generator_of_its_own(name):
    public = importlib.import_module(f"shap.{name}")
    assert public.np is np
    assert private(name).np.random is not np.random
    assert private(name) is private(name) is not public


@each
def test_it_works_in_a_thread(method):
    model, x, found = convolutional(), samples(8, 8, 2)[:1], []
    worker = threading.Thread(target=lambda: found.append(xai.explain(model, x, method)))
    worker.start()
    worker.join()
    np.testing.assert_array_equal(found[0].values, xai.explain(model, x, method).values)


# What cannot be done


def test_what_shap_has_no_rule_for_is_named_and_what_helps():
    with pytest.raises(ValueError, match=r"DeepSHAP: shap's .* no rule for DepthwiseConv2dNative, Relu6, .*DeepLift"):
        xai.explain(mobile(), samples(8, 8, 3), "deep_shap")


def test_every_model_that_is_refused_is_refused_for_its_operation(zoo):
    for name in ("siamese", "series"):
        specimen = zoo[name]
        with pytest.raises(ValueError, match=f"DeepSHAP.*{specimen.foreign[0]}"):
            xai.explain(*specimen, "deep_shap")


def test_a_rule_that_fails_is_told_and_the_next_run_works(monkeypatch):
    from shap.explainers._deep import deep_tf

    def fails(*_):
        raise Exception("TODO: cannot do this")

    model, x = convolutional(), samples(8, 8, 2)
    with monkeypatch.context() as patched:
        patched.setitem(deep_tf.op_handlers, "Relu", fails)
        with pytest.raises(ValueError, match=r"a rule of shap's .* \(TODO: cannot do this\); DeepLift"):
            xai.explain(model, x, "deep_shap")
    a = xai.explain(model, x, "deep_shap")
    np.testing.assert_allclose(a.residual, 0, atol=1e-5)


@pytest.mark.parametrize(
    ("method", "module", "name"),
    [
        ("deep_shap", "explainers._deep.deep_tf", "TFDeep"),
        ("gradient_shap", "explainers._gradient", "GradientExplainer"),
    ],
)
def test_a_shap_of_another_make_is_refused(method, module, name, monkeypatch):
    import shap

    class Other:
        def __init__(self, *_):
            self.explainer = object()

    monkeypatch.setattr(private(module), name, Other)
    with pytest.raises(RuntimeError, match=rf"does not know the explainer of shap {shap.__version__}"):
        xai.explain(convolutional(), samples(8, 8, 2), method)


def test_more_evaluations_split_further():
    model, x = convolutional(), samples(8, 8, 2)[:1]
    parts = [
        len(np.unique(xai.explain(model, x, xai.PartitionSHAP(samples=count)).values.round(7)))
        for count in (4, 64, 512)
    ]
    assert parts[0] == 2
    assert parts[0] < parts[1] < parts[2] <= math.prod(x.shape)
