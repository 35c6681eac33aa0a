"""ModelView: layers at any depth, compiled once, freed with the model, and never in the model's way."""

import gc
import threading
import weakref

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from models import Branching, functional, nested, samples, unchanged

import xai_widgets as xai
from xai_widgets.engine.compiled import _COMPILED, Traced
from xai_widgets.engine.model import ModelView


def test_layers_are_found_at_any_depth_once(zoo):
    assert {"backbone/stem/deep.conv", "backbone/stem", "backbone"} <= set(ModelView(zoo["nested"][0]).layers)
    assert sum(layer.name == "shared" for layer in ModelView(zoo["shared_layer"][0]).layers.values()) == 1


def test_a_layer_may_be_named_by_its_last_part_and_a_misspelt_one_is_corrected(zoo):
    model = zoo["nested"][0]
    assert ModelView(model, wrt="deep.conv").wrt == "backbone/stem/deep.conv"
    with pytest.raises(ValueError, match=r"did you mean 'backbone/stem/deep\.conv'"):
        ModelView(model, wrt="backbone/stem/deep.com")
    with pytest.raises(ValueError, match=r"did you mean 'deep\.conv'"):
        ModelView(model, wrt="deepconv")
    with pytest.raises(TypeError, match="wrt must be the name"):
        ModelView(model, wrt=3)


@pytest.mark.parametrize(
    ("model", "error", "says"),
    [
        (lambda x: x, TypeError, "must be a Keras 3 model"),
        (keras.Sequential([layers.Dense(3)]), ValueError, "not built"),
        (Branching(), ValueError, "not built"),
    ],
)
def test_what_is_no_built_model_is_refused(model, error, says):
    with pytest.raises(error, match=says):
        ModelView(model)


def test_a_model_that_cannot_be_traced_says_why():
    model, inputs = Branching(), samples(5)
    model(inputs)
    with pytest.raises(ValueError, match="uses a tensor as a Python bool"):
        xai.explain(model, inputs)


def test_a_new_target_or_batch_never_retraces(zoo):
    model, inputs = zoo["functional"]
    for target in range(5):
        for count in (1, 3):
            xai.explain(model, inputs[:count], xai.IntegratedGradients(steps=4), target=target)
            if target == 0 and count == 1:
                traced = len(_COMPILED[model].functions)
    assert len(_COMPILED[model].functions) == traced


def capturing(model):
    return lambda x: x * (1.0 if model is not None else 0.0)


@pytest.mark.parametrize("captured", [False, True], ids=["plain", "held by preprocess"])
def test_a_deleted_model_is_freed_with_its_functions(captured):
    model, inputs = functional()
    before = len(_COMPILED)
    preprocess = capturing(model) if captured else None
    for method in ("saliency", "integrated_gradients"):
        xai.explain(model, inputs, method, preprocess=preprocess)
    gone = weakref.ref(model)
    del model, preprocess
    gc.collect()
    assert gone() is None
    assert len(_COMPILED) <= before


@pytest.mark.parametrize("method", [xai.Saliency(), xai.RISE(samples=64), xai.AblationCAM(channels=4)])
def test_what_is_done_with_is_freed_at_once(method, digits):
    """No cycle is left for the collector, whose full rounds take longer than a small network's passes."""

    def explain():
        xai.explain(digits.model, digits.inputs[:1], method, target=3)

    explain()
    gc.collect()
    gc.disable()
    try:
        explain()
        assert gc.collect() == 0
    finally:
        gc.enable()


def test_a_traced_function_does_not_need_its_short_cut():
    factor = tf.Variable(2.0)
    traced = Traced(
        lambda x, y: {"sum": x + y, "product": [factor * x]}, [tf.TensorSpec([None]), tf.TensorSpec([None])]
    )
    given = tf.constant([1.0, 2.0]), tf.constant([3.0, 4.0])
    short = traced(*given)
    for other in (None, lambda tensors: tensors):  # not there, or of another signature
        traced._flat = other
        tf.nest.map_structure(np.testing.assert_array_equal, short, traced(*given))
    assert traced.variables == (factor,)


@pytest.mark.slow
def test_another_thread_may_call_the_model_meanwhile(zoo):
    """Taps are on the layer while tracing; a call from elsewhere sees the plain layer, and the model stays whole."""
    model, inputs = nested()
    model(inputs)
    expected = model(inputs).numpy()
    stop, wrong = threading.Event(), []

    def call():
        while not stop.is_set():
            if not np.allclose(model(inputs).numpy(), expected, atol=1e-6):
                wrong.append(1)

    caller = threading.Thread(target=call)
    with unchanged(model):
        caller.start()
        try:
            for _ in range(3):
                _COMPILED.pop(model, None)
                xai.explain(model, inputs, xai.IntegratedGradients(steps=3), wrt="deep.conv")
        finally:
            stop.set()
            caller.join()
    assert not wrong


def test_an_error_or_interrupt_while_tracing_leaves_the_model_whole():
    model, inputs = nested()
    model(inputs)

    def interrupted(_):
        raise KeyboardInterrupt

    with unchanged(model):
        with pytest.raises(KeyboardInterrupt):
            xai.explain(model, inputs, "saliency", target=interrupted, wrt="deep.conv")
        assert np.isfinite(xai.explain(model, inputs, "saliency", wrt="deep.conv").values).all()


def test_preprocess_is_traced_and_the_callers_data_stays(zoo):
    model, inputs = zoo["functional"]
    ours = inputs * 255
    before = ours.copy()

    def preprocess(x):
        return x / 255

    a = xai.explain(model, ours, xai.IntegratedGradients(steps=8), preprocess=preprocess)
    b = xai.explain(model, inputs, xai.IntegratedGradients(steps=8))
    np.testing.assert_allclose(a.values, b.values, atol=1e-5)
    np.testing.assert_array_equal(ours, before)


def test_a_numpy_only_preprocess_gets_a_copy_and_a_note(zoo):
    model, inputs = zoo["functional"]
    before = inputs.copy()

    def in_place(x):
        x = np.asarray(x)
        x *= 2
        return x

    a = xai.explain(model, inputs, "integrated_gradients", preprocess=in_place, steps=8)
    np.testing.assert_array_equal(inputs, before)
    assert any("only takes NumPy" in note for note in a.notes)
    assert a.values.shape == inputs.shape


@pytest.mark.parametrize("preprocess", [lambda x: x[:1], lambda x: np.asarray(x)[:1]], ids=["tensors", "arrays"])
def test_a_preprocess_that_changes_the_batch_is_refused(zoo, preprocess):
    model, inputs = zoo["functional"]
    with pytest.raises(ValueError, match=r"(keep|rows for 3 samples)"):
        xai.explain(model, inputs, "saliency", preprocess=preprocess)


def test_wrt_gives_the_layers_shape_and_is_complete(zoo):
    model, inputs = zoo["nested"]
    a = xai.explain(model, inputs, xai.IntegratedGradients(steps=200), wrt="deep.conv")
    assert a.values.shape == (3, 6, 6, 4)
    assert a.heatmap().shape == (3, 8, 8)
    np.testing.assert_allclose(a.residual, 0, atol=1e-3)
    shared, x = zoo["shared_layer"]
    assert [value.shape for value in xai.explain(shared, x, "saliency", wrt="shared").values] == [(3, 6), (3, 6)]


def test_losses_and_states_of_the_users_calls_stay():
    x = keras.Input((4, 2))
    y = layers.Dense(3, activity_regularizer="l2")(x)
    model = keras.Model(x, layers.Dense(2)(layers.Flatten()(y)))
    inputs = samples(4, 2)
    model(inputs)
    before = [float(loss) for loss in model.losses]
    xai.explain(model, inputs, xai.IntegratedGradients(steps=3))
    assert [float(loss) for loss in model.losses] == before
    assert before


class Counting(keras.Model):
    """Counts its calls in a variable."""

    def __init__(self):
        super().__init__()
        self.count = self.add_weight(shape=(), initializer="zeros", trainable=False)
        self.dense = layers.Dense(2)

    def call(self, x):
        self.count.assign(self.count + 1)
        return self.dense(x)


def test_a_model_that_writes_to_its_variables_does_not_write_here():
    model, inputs = Counting(), samples(4)
    model(inputs)
    with unchanged(model):
        for _ in range(3):
            xai.explain(model, inputs, xai.IntegratedGradients(steps=3))


def test_a_closure_over_other_values_is_another_function(zoo):
    model, inputs = zoo["functional"]

    def difference(first, second):
        return lambda logits: logits[:, first] - logits[:, second]

    for pair in ((0, 1), (2, 3)):
        a = xai.explain(model, inputs, "saliency", target=difference(*pair))
        b = xai.explain(model, inputs, "saliency", target=xai.Margin(*pair))
        np.testing.assert_allclose(a.values, b.values, atol=1e-6)


def test_layer_attribution_is_complete_past_a_skip_connection():
    x = keras.Input((6,))
    h = layers.Dense(6, activation="tanh", name="h")(x)
    model = keras.Model(x, layers.Dense(3)(layers.Add()([h, x])))
    a = xai.explain(model, samples(6), xai.IntegratedGradients(steps=64), wrt="h")
    np.testing.assert_allclose(a.residual, 0, atol=1e-3)


def test_embeddings_start_from_zeros_and_keep_the_mask():
    x = keras.Input((5,), dtype="int32")
    y = layers.LSTM(4)(layers.Embedding(10, 4, mask_zero=True, name="words")(x))
    model = keras.Model(x, layers.Dense(2, "softmax")(y))
    a = xai.explain(model, np.array([[1, 2, 3, 0, 0]]), xai.IntegratedGradients(steps=200), wrt="words")
    np.testing.assert_allclose(a.residual, 0, atol=1e-3)
    assert not a.values[0, 3:].any()


def test_one_model_at_two_sizes(zoo):
    x = keras.Input((None, None, 1))
    model = keras.Model(x, layers.Conv2D(2, 3, padding="same", activation="softmax")(x))
    for size in (5, 8, 5):
        mask = np.ones((size, size), bool)
        a = xai.explain(model, samples(size, size, 1), "saliency", target=xai.Region(mask, 1))
        assert a.values.shape == (3, size, size, 1)


def test_a_stateful_model_is_explained_from_a_fresh_state_and_keeps_its_own(zoo):
    model, inputs = zoo["stateful"]
    lstm = model.layers[1]
    lstm.reset_state()
    expected = model(inputs).numpy()  # leaves a state behind
    with unchanged(model):
        a = xai.explain(model, inputs, xai.IntegratedGradients(steps=64), probability=True)
        one = xai.explain(model, inputs[1:2], xai.IntegratedGradients(steps=64), probability=True)
    np.testing.assert_allclose(a.score, expected.max(axis=1), atol=1e-6)
    np.testing.assert_allclose(a.residual, 0, atol=1e-3)
    np.testing.assert_allclose(one.values, a.values[1:2], atol=1e-6)
    assert any("starts afresh" in note for note in a.notes)
    lstm.reset_state()
    assert not any("starts afresh" in note for note in xai.explain(model, inputs, "saliency").notes)


def test_a_closure_whose_variable_is_set_anew_is_never_stale(zoo):
    model, inputs = zoo["sequential"]

    def scaled():
        factor = 0.0

        def target(outputs):
            return outputs[:, 0] * factor

        def put(value):
            nonlocal factor
            factor = value

        return target, put

    target, put = scaled()
    plain = xai.explain(model, inputs, "saliency", target=0).score
    for step in range(12):
        put(step + 0.25)  # the last float is freed, and the next may take its place
        score = xai.explain(model, inputs, "saliency", target=target).score
        np.testing.assert_allclose(score, (step + 0.25) * plain, rtol=1e-5)


def test_channels_first_are_told_or_refused():
    inner = keras.Sequential(
        [
            keras.Input((3, 9, 8)),
            layers.Conv2D(2, 3, data_format="channels_first", name="first"),
            layers.GlobalAveragePooling2D(data_format="channels_first"),
        ]
    )
    outer = keras.Sequential([keras.Input((9, 8, 3)), layers.Permute((3, 1, 2)), inner])
    x, y = samples(3, 9, 8), samples(9, 8, 3)
    assert any("channels first" in note for note in xai.explain(inner, x, "saliency", target=0).notes)
    assert not any("channels first" in note for note in xai.explain(outer, y, "saliency", target=0).notes)
    entered = keras.Input((3, None, None))
    pooled = layers.GlobalAveragePooling2D(data_format="channels_first", name="first")(entered)
    for model in (inner, keras.Model(entered, pooled)):
        with pytest.raises(ValueError, match="Occlusion takes the last axis for channels, but layer 'first'"):
            xai.explain(model, x, "occlusion", target=0)
    assert xai.explain(outer, y, "occlusion", target=0).values.shape == (3, 9, 8, 1)
    with pytest.raises(ValueError, match="GradCAM takes the last axis of a layer"):
        xai.explain(outer, y, "grad_cam", target=0)


class Keeping(layers.Layer):
    """Keeps what it computed on itself, as tutorials on attention do."""

    def call(self, x):
        self.last = x * 2
        self.pair = {"x": x, 1: [x]}
        return x


def test_what_a_layer_keeps_of_the_users_own_call_stays():
    model = keras.Sequential([keras.Input((4,)), Keeping(), layers.Dense(2)])
    model(samples(4))
    kept = model.layers[0].__dict__["last"]
    xai.explain(model, samples(4), "saliency")
    assert model.layers[0].__dict__["last"] is kept
    np.testing.assert_array_equal(model.layers[0].pair["x"], samples(4))


def test_a_logit_behind_the_layer_is_refused_by_every_kind_of_method():
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3), layers.Dense(3, "softmax", name="head")])
    for method in (xai.Saliency(), xai.IntegratedGradients(steps=2), xai.Occlusion(), xai.KernelSHAP(samples=4)):
        with pytest.raises(ValueError, match="the logit"):
            xai.explain(model, samples(4), method, target=1, wrt="head")
    a = xai.explain(model, samples(4), xai.IntegratedGradients(steps=2), target=1, wrt="head", probability=True)
    np.testing.assert_allclose(a.score, model(samples(4)).numpy()[:, 1], rtol=1e-5)


def test_a_layer_within_a_loop_and_an_input_are_no_sites():
    model = keras.Sequential([keras.Input((5, 3)), layers.LSTM(4, name="lstm"), layers.Dense(2)])
    for method in (xai.Saliency(), xai.Occlusion()):
        with pytest.raises(ValueError, match="runs within a loop"):
            xai.explain(model, samples(5, 3), method, target=0, wrt="lstm/lstm_cell")
    entered = keras.Input((4,), name="pixels")
    with pytest.raises(ValueError, match="wrt 'pixels' is an input of the model"):
        xai.explain(keras.Model(entered, layers.Dense(2)(entered)), samples(4), "saliency", wrt="pixels")
