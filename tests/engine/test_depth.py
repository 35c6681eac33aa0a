"""All layers by one pass: the same numbers as each layer alone, whichever is asked for."""

import keras
import numpy as np
import pytest
from keras import layers
from models import unchanged

import xai_widgets as xai
from xai_widgets.engine import cam
from xai_widgets.engine.gradients import gradient, gradients_of_group
from xai_widgets.methods import EigenCAM, GradCAM, GradCAMPlusPlus, HiResCAM, LayerCAM, XGradCAM
from xai_widgets.task import Subject, Task


def asked(task):
    view, inputs = task.subject.view, task.subject.inputs
    return view, task.score, view.enter(inputs.arrays, inputs.structure), inputs.structure


@pytest.fixture
def task():
    """A nested block that is called twice, and some layers around it."""
    keras.utils.set_random_seed(0)
    x = inputs = keras.Input((12, 10, 3))
    x = layers.Conv2D(4, 3, activation="relu", name="first")(x)
    block = keras.Sequential([layers.Conv2D(4, 3, padding="same", name="conv"), layers.ReLU(name="relu")], name="block")
    x = layers.MaxPooling2D(name="pool")(block(block(x)))
    x = layers.Dense(5, name="head")(layers.Flatten()(layers.Conv2D(6, 2, name="last")(x)))
    model = keras.Model(inputs, x)
    with unchanged(model):
        samples = np.random.default_rng(0).normal(size=(3, 12, 10, 3)).astype(np.float32)
        yield Task(Subject(model, samples), GradCAM(), target=3)


def test_the_gradients_of_a_group_are_those_of_each_layer(task):
    view, *rest = asked(task)
    paths = task.places.layers
    assert paths == ("first", "block/conv", "block/relu", "pool", "last")
    assert task.places.shapes[0] == (10, 8, 4)
    together = view.alongside([paths])
    count = len(view._compiled.functions)
    for layer in paths:
        alone, grouped = gradient(view.at(layer), *rest), gradient(together.at(layer), *rest)
        for one, other in zip((*alone.site, *alone.gradients), (*grouped.site, *grouped.gradients), strict=True):
            np.testing.assert_allclose(other, one, rtol=1e-5, atol=1e-6 * np.abs(one).max())
        np.testing.assert_allclose(grouped.scores, alone.scores, rtol=1e-6)
    traced = len(view._compiled.functions) - count
    assert traced == len(paths) + 1, "one function for the group"


def test_looking_at_a_group_traces_once(task):
    view, *rest = asked(task)
    paths = task.places.layers
    together = view.alongside([paths])
    count = len(view._compiled.functions)
    for layer in paths:
        seen = cam.look(together.at(layer), *rest)
        assert set(seen.reads) == {(0,)}
    assert len(view._compiled.functions) - count <= 1
    alone = cam.look(view.at(paths[1]), *rest)
    np.testing.assert_allclose(cam.look(together.at(paths[1]), *rest).activations[0], alone.activations[0], rtol=1e-5)


def test_a_layer_that_the_score_does_not_depend_on_is_refused_only_when_it_is_asked_for(task):
    paths = task.places.layers
    neuron = Task(task.subject, GradCAM(), target=xai.Neuron("pool", 0))
    view, *rest = asked(neuron)
    found = gradients_of_group(view.alongside([paths]).at(paths[0]), *rest)
    assert found.of(paths[0]).gradients[0].any()
    with pytest.raises(ValueError, match=f"does not depend on the output of layer '{paths[-1]}'"):
        found.of(paths[-1])


def test_groups_hold_neighbours_up_to_a_size():
    paths = tuple("abcd")
    places = cam.Places(paths, (), frozenset(), ((4, 4, 2), (None, 4, 2), (2, 2, 8), (9, 9, 9)))
    assert places.groups(1000) == (paths,)
    assert places.groups(72) == (("a", "b", "c"), ("d",))
    assert places.groups(1) == (("a",), ("b",), ("c",), ("d",))
    assert cam.Places((), (), frozenset(), ()).groups() == ()


@pytest.mark.parametrize("method", [GradCAM, GradCAMPlusPlus, LayerCAM, HiResCAM, XGradCAM])
@pytest.mark.parametrize("sizes", [(5,), (4, 5), (2, 3, 4)])
def test_shares_of_the_channels_add_up_to_the_map(method, sizes):
    random = np.random.default_rng(0)
    activations, gradients = random.normal(size=(2, 2, *sizes, 6))
    map_of = method().map_of
    shares = cam.shares(map_of, activations, gradients)
    assert shares.shape == (2, 6)
    np.testing.assert_allclose(shares.sum(axis=1), map_of(activations, gradients).reshape(2, -1).sum(axis=1))


@pytest.mark.parametrize("shape", [(9, 100), (100, 9), (100, 100), (300, 70), (70, 300)])
def test_eigen_cam_is_the_first_singular_vector_at_every_size(shape):
    activations = np.random.default_rng(1).normal(size=(1, *shape)) + 0.2
    left, values, _ = np.linalg.svd(activations[0], full_matrices=False)
    expected = left[:, 0] * values[0]
    found = EigenCAM().map_of(activations, activations)[0]
    np.testing.assert_allclose(np.abs(found), np.abs(expected), rtol=1e-6, atol=1e-8)
    np.testing.assert_array_equal(found, EigenCAM().map_of(activations, activations)[0])
    assert not EigenCAM().map_of(np.zeros((1, *shape)), activations).any()


def test_magnitude_is_the_mean_over_channels():
    np.testing.assert_array_equal(cam.magnitude(np.array([[[1.0, -3.0], [0.0, 2.0]]])), [[2.0, 1.0]])
