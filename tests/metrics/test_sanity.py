"""Cascading randomisation: what is learnt goes, what is not stays, and the model is never touched."""

import threading
from dataclasses import dataclass, replace
from pathlib import Path

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers
from models import nested, samples, unchanged

import xai_widgets as xai
from xai_widgets.engine.model import ModelView
from xai_widgets.engine.weights import fresh_weights, own_variables, weighted_layers
from xai_widgets.methods.base import Frame, Method
from xai_widgets.metrics.case import Case
from xai_widgets.metrics.ranks import flat_maps
from xai_widgets.metrics.sanity import cascade

DATA = Path(__file__).parents[3] / "shared" / "data"


@dataclass(frozen=True, eq=False, repr=False)
class Edges(Method):
    """Edges of the input: a map that looks like an explanation and knows nothing of the model."""

    def frames(self, view, score, inputs):
        yield Frame(
            [np.abs(np.gradient(array, axis=1)) + np.abs(np.gradient(array, axis=2)) for array in inputs.arrays]
        )


def test_a_faithful_map_collapses_and_that_of_an_edge_detector_does_not(digits):
    inputs = digits.inputs[:6]
    learnt = xai.randomization(digits.model, inputs, xai.explain(digits.model, inputs, "saliency"))
    assert learnt.layers == ("probabilities", "hidden", "conv")
    assert (np.abs(learnt.similarity) < 0.4).all()
    edges = xai.randomization(digits.model, inputs, xai.explain(digits.model, inputs, Edges()))
    np.testing.assert_allclose(edges.samples, 1)
    assert edges.samples.shape == (6, 3)


def outlives(model, inputs) -> None:
    """Guided backprop keeps its map until the first layers go; gradients lose theirs with the head."""
    guided, *gradients = (
        xai.randomization(model, inputs, xai.explain(model, inputs, method)).similarity
        for method in (xai.GuidedBackprop(), xai.Saliency(), xai.IntegratedGradients(steps=4))
    )
    assert guided[:-1].min() > 0.5
    assert np.abs(gradients).max() < 0.25


def test_guided_backprop_outlives_what_was_learnt_where_gradients_do_not(digits):
    outlives(digits.model, digits.inputs[:20])


@pytest.mark.slow
@pytest.mark.skipif(not DATA.exists(), reason="needs ../shared/data: an ImageNet network and photographs")
def test_guided_backprop_outlives_what_was_learnt_of_photographs():
    photograph = keras.utils.img_to_array(keras.utils.load_img(DATA / "cat_and_dog.png"))[None] / 255
    outlives(keras.models.load_model(DATA / "darknet_tiny.keras"), photograph)


def test_putting_the_same_weights_back_changes_nothing(digits):
    inputs = digits.inputs[:3]
    a = xai.explain(digits.model, inputs, "integrated_gradients", steps=8)

    def same(layer, seed):
        return [(variable, variable.numpy()) for variable in own_variables(layer)]

    for _, found in cascade(Case(digits.model, inputs, a), 0, same):
        np.testing.assert_allclose(flat_maps(found), flat_maps(a), atol=1e-6)


def test_it_equals_a_model_that_has_the_fresh_weights(zoo):
    """With batch norm, nested: layer by layer the map is that of a model whose weights were replaced by hand."""
    model, inputs = nested()
    for variable in model.variables:
        variable.assign(np.random.default_rng(1).uniform(0.5, 1.5, variable.shape))
    a = xai.explain(model, inputs, "grad_cam", layer="deep.conv", relu=False)
    case = Case(model, inputs, a)
    with unchanged(model):
        found = list(cascade(case, 3))
    paths = [path for path, _ in found]
    assert [path.rstrip("_0123456789") for path in paths] == [
        "dense",
        "backbone/batch_normalization",
        "backbone/stem/deep.conv",
    ]
    for place, (path, after) in enumerate(found):
        for variable, value in fresh_weights(ModelView(model).layers[path], (3, place)):
            variable.assign(value)
        by_hand = xai.explain(model, inputs, a.method, target=list(a.target))
        np.testing.assert_allclose(after.values, by_hand.values, atol=1e-5)
        np.testing.assert_allclose(after.score, by_hand.score, atol=1e-5)


def test_weights_are_initialised_anew_not_shuffled_and_statistics_of_batch_norm_too():
    layer = layers.BatchNormalization()
    layer.build((None, 4))
    for variable in layer.variables:
        variable.assign([5.0, 6, 7, 8])
    assert [value.tolist() for _, value in fresh_weights(layer, (0, 0))] == [[1.0] * 4, [0.0] * 4, [0.0] * 4, [1.0] * 4]
    dense = layers.Dense(30, kernel_initializer=keras.initializers.RandomNormal(stddev=3.0, seed=7))
    dense.build((None, 40))
    draws = [dict(enumerate(value for _, value in fresh_weights(dense, (seed, 0)))) for seed in (0, 0, 1)]
    np.testing.assert_array_equal(draws[0][0], draws[1][0])
    assert not np.array_equal(draws[0][0], draws[2][0])
    assert draws[0][0].std() == pytest.approx(3, rel=0.1)
    assert not draws[0][1].any()


def test_layers_come_in_the_order_of_their_calls_whatever_holds_them():
    class Backwards(keras.Model):
        def __init__(self):
            super().__init__()
            self.last, self.lstm = layers.Dense(2, name="last"), layers.LSTM(3, name="lstm")
            self.first = layers.Dense(3, name="first")
            self.unused = layers.Dense(3)
            self.unused.build((None, 3))

        def call(self, x):
            return self.last(self.lstm(self.first(x)))

    model, inputs = Backwards(), samples(5, 2)
    model(inputs)
    view = ModelView(model)
    assert weighted_layers(view, [inputs], None) == ("first", "lstm/lstm_cell", "last")


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
def test_the_model_is_whole_at_every_moment_and_after_errors(error, zoo):
    model, inputs = zoo["nested"]
    a, expected = xai.explain(model, inputs, "saliency"), model(inputs).numpy()
    with unchanged(model):
        for number, _ in enumerate(cascade(Case(model, inputs, a), 0)):
            np.testing.assert_array_equal(model(inputs).numpy(), expected)
            if number == 1:
                break  # as a view does that is closed halfway

        def fails(layer, seed):
            raise error

        with pytest.raises(error):
            list(cascade(Case(model, inputs, a), 0, fails))


def test_other_threads_see_the_trained_model_meanwhile(digits):
    expected, wrong, stop = digits.model(digits.inputs[:2]).numpy(), [], threading.Event()

    def call():
        while not stop.is_set():
            if not np.allclose(digits.model(digits.inputs[:2]).numpy(), expected, atol=1e-6):
                wrong.append(1)
            stop.wait(0.001)

    caller = threading.Thread(target=call)
    caller.start()
    try:
        xai.randomization(digits.model, digits.inputs[:2], xai.explain(digits.model, digits.inputs[:2], "saliency"))
    finally:
        stop.set()
        caller.join()
    assert not wrong


def test_a_constant_map_ranks_nothing(digits):
    inputs = digits.inputs[:1]
    a = xai.explain(digits.model, inputs, "saliency")
    flat = replace(a, values=np.zeros_like(a.values))
    assert not xai.randomization(digits.model, inputs, flat).similarity.any()


weights = layers.Dense(3)


@tf.function
def elsewhere(x):
    return weights(x)


class Hidden(keras.Model):
    """Uses a layer in a tf.function that no layer holds."""

    def __init__(self):
        super().__init__()
        self.dense = weights

    def call(self, x):
        return elsewhere(x)


def test_weights_out_of_reach_are_told():
    model, inputs = Hidden(), samples(4)
    model(inputs)
    a = xai.explain(model, inputs, "saliency")
    with unchanged(model), pytest.raises(ValueError, match="where its weights cannot be replaced"):
        xai.randomization(model, inputs, a)
    x = keras.Input((4,))
    bare = keras.Model(x, keras.ops.sum(x, axis=1, keepdims=True))
    with pytest.raises(ValueError, match="no layer with weights"):
        xai.randomization(bare, inputs, xai.explain(bare, inputs, "saliency"))


def test_the_result_is_a_mapping_and_a_figure(digits):
    inputs = digits.inputs[:2]
    found = xai.randomization(digits.model, inputs, xai.explain(digits.model, inputs, "saliency"), absolute=True)
    assert list(found) == list(found.layers)
    assert found["hidden"] == pytest.approx(found.samples[:, 1].mean())
    assert repr(found).startswith("Cascade(probabilities: ")
    assert found.plot()._repr_png_().startswith(b"\x89PNG")
    with pytest.raises(KeyError):
        found["nothing"]
    with pytest.raises(TypeError, match="absolute"):
        xai.randomization(digits.model, inputs, xai.explain(digits.model, inputs, "saliency"), absolute=1)


def test_the_maps_of_all_stages_are_kept_on_request(digits):
    inputs = digits.inputs[:2]
    attribution = xai.explain(digits.model, inputs, "saliency")
    assert xai.randomization(digits.model, inputs, attribution).attributions == ()
    cascade = xai.randomization(digits.model, inputs, attribution, keep=True)
    assert len(cascade.attributions) == len(cascade.layers)
    last = xai.agreement([attribution, cascade.attributions[-1]])
    np.testing.assert_allclose(last.matrix[0, 1], cascade.similarity[-1], atol=1e-9)
