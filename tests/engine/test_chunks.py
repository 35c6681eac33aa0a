"""How many rows a call takes, and that nothing else depends on it."""

import keras
import numpy as np
import pytest
from keras import layers

import xai_widgets as xai
from xai_widgets.engine.chunks import Work, chunk_of_places, chunk_of_rows, work_of
from xai_widgets.engine.model import ModelView


def test_each_weight_meets_every_position_that_its_layer_takes():
    pixels = keras.Input((8, 6, 2))
    inner = keras.Sequential([keras.Input((8, 6, 2)), layers.Conv2D(5, 3), layers.MaxPool2D()])
    model = keras.Model(pixels, layers.Dense(4)(layers.Flatten()(inner(pixels))))
    places, flat = 8 * 6, 3 * 2 * 5
    multiplications = places * (3 * 3 * 2 * 5 + 5) + (flat * 4 + 4)
    assert work_of((model, *ModelView(model).layers.values()), [(8, 6, 2)]) == Work(1 + multiplications, places * 5)


def test_what_does_not_tell_its_positions_counts_with_those_of_the_inputs():
    embedding, dense = layers.Embedding(100, 3), layers.Dense(2)
    x = keras.Input((None,), dtype="int32")
    keras.Model(x, dense(embedding(x)))
    assert work_of([embedding, dense], [(7,)]) == Work(1 + 7 * (3 * 2 + 2), 7 * 3)


@pytest.mark.parametrize("forward", [False, True])
def test_much_work_or_memory_takes_no_more_rows_than_the_size_of_an_input_tells(forward):
    small = Work(1000, 1000)
    assert chunk_of_places(150_528, Work(10**9, 10**6), forward) == 8
    assert chunk_of_places(784, Work(10**9, 784), forward) == chunk_of_places(784, Work(1, 10**9), forward)
    assert chunk_of_places(784, Work(10**9, 784), forward) < chunk_of_places(784, small, forward)
    assert chunk_of_places(784, small, forward) == (1024 if forward else 256)
    assert chunk_of_rows(30, Work(10**6, 30), forward) == (1000 if forward else 250)
    assert chunk_of_rows(30, Work(10**12, 30), forward) == 8


@pytest.mark.parametrize(
    "method",
    [
        xai.Occlusion(),
        xai.RISE(samples=300),
        xai.LIME(samples=300),
        xai.KernelSHAP(samples=300),
        xai.IntegratedGradients(steps=100),
        xai.SmoothGrad(samples=100),
        xai.ScoreCAM(),
        xai.AblationCAM(),
    ],
    ids=lambda method: method.name,
)
def test_values_do_not_depend_on_how_many_rows_a_call_takes(digits, method, monkeypatch):
    together = xai.explain(digits.model, digits.inputs[:2], method, target=3)
    monkeypatch.setattr(ModelView, "chunk", lambda *_, **__: 37)
    apart = xai.explain(digits.model, digits.inputs[:2], method, target=3)
    np.testing.assert_allclose(apart.values, together.values, atol=2e-4 * np.abs(together.values).max())
    np.testing.assert_allclose(apart.score, together.score, rtol=1e-5)
