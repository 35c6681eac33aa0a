"""What is no input is refused at once, by name."""

import keras
import numpy as np
import pytest
from keras import layers

import xai_widgets as xai


@pytest.mark.parametrize(
    ("inputs", "error", "says"),
    [
        (np.zeros((8, 8, 1)), ValueError, r"batch axis of shape \(None, 8, 8, 1\), got shape \(8, 8, 1\)"),
        (np.zeros((3, 8, 8)), ValueError, r"channel axis .* try inputs\[\.\.\., None\]"),
        (np.zeros((0, 8, 8, 1)), ValueError, "at least one sample"),
        (np.zeros((2, 8, 9, 1)), ValueError, r"must have shape \(None, 8, 8, 1\), got \(2, 8, 9, 1\)"),
        (np.full((1, 8, 8, 1), np.nan), ValueError, "64 NaN or infinite values"),
        (np.full((1, 8, 8, 1), "x"), TypeError, "inputs must be numbers"),
        (None, TypeError, "inputs must be numbers"),
        ([], ValueError, "at least one sample"),
        ([np.zeros((8, 8, 1)), np.zeros((8, 7, 1))], ValueError, "different shapes"),
    ],
)
def test_wrong_inputs_are_refused(zoo, inputs, error, says):
    with pytest.raises(error, match=says):
        xai.explain(zoo["functional"][0], inputs)


@pytest.mark.parametrize(
    ("name", "value"), [("batch_size", 0), ("batch_size", 1.5), ("names", "abc"), ("probability", 1)]
)
def test_wrong_options_are_refused(zoo, name, value):
    model, inputs = zoo["functional"]
    with pytest.raises((TypeError, ValueError), match=name):
        xai.explain(model, inputs, **{name: value})


def test_integers_lists_and_tensors_are_taken(zoo):
    import tensorflow as tf

    model, inputs = zoo["sequential"]
    whole = np.round(inputs).astype(int)
    expected = xai.explain(model, whole.astype("float32"), "saliency").values
    for same in (whole, whole.tolist(), list(whole), tf.constant(whole), [whole]):
        np.testing.assert_array_equal(xai.explain(model, same, "saliency").values, expected)


def test_several_inputs_keep_their_structure():
    a, b = keras.Input((4,), name="a"), keras.Input((6, 6, 1), name="b")
    y = layers.Dense(2)(layers.Concatenate()([a, layers.Flatten()(b)]))
    x = {"a": np.ones((2, 4), "float32"), "b": np.ones((2, 6, 6, 1), "float32")}
    model = keras.Model({"a": a, "b": b}, y)
    explained = xai.explain(model, x, xai.IntegratedGradients(steps=4))
    assert {name: value.shape for name, value in explained.values.items()} == {"a": (2, 4), "b": (2, 6, 6, 1)}
    np.testing.assert_allclose(explained.residual, 0, atol=1e-4)
    listed = xai.explain(keras.Model([a, b], y), [x["a"], x["b"]], xai.IntegratedGradients(steps=4), batch_size=1)
    np.testing.assert_allclose(listed.values[1], explained.values["b"], atol=1e-6)
    assert [heat.shape for heat in listed.heatmap()] == [(2, 4), (2, 6, 6)]
    with pytest.raises(ValueError, match="takes 2 inputs"):
        xai.explain(model, x["a"])
    with pytest.raises(ValueError, match="same number of samples"):
        xai.explain(model, {"a": x["a"], "b": x["b"][:1]})


class Bag(keras.Model):
    """Ten words, whose embedding no graph of layers shows."""

    def __init__(self):
        super().__init__()
        self.words = layers.Embedding(10, 2)

    def call(self, ids):
        return keras.ops.mean(self.words(ids), axis=1)


@pytest.mark.parametrize("subclassed", [False, True])
def test_ids_outside_of_the_vocabulary_are_refused_in_words(subclassed):
    x = keras.Input((4,), dtype="int32")
    model = Bag() if subclassed else keras.Model(x, layers.Flatten()(layers.Embedding(10, 2)(x)))
    model(np.zeros((1, 4)))
    says = "looks up row .* of a table of 10: the inputs, or" if subclassed else "token ids from 0 to 9"
    ids = np.array([[1, 2, 3, 9]])
    for unknown in (10, -11):
        with pytest.raises(ValueError, match=says) as raised:
            xai.explain(model, np.where(ids == 3, unknown, ids), "saliency", target=0)
        assert len(str(raised.value)) < 200
    with pytest.raises(ValueError, match=says):
        xai.explain(model, ids, "occlusion", target=0, baseline=10)
    xai.explain(model, -ids, "saliency", target=0)  # Keras counts them from the end
    assert xai.explain(model, ids, xai.IntegratedGradients(steps=2, baseline=10), target=0).values.shape == (1, 4)
