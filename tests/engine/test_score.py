"""Targets: the logit is found, and what is no target is refused."""

import keras
import numpy as np
import pytest
from keras import layers
from models import function_model, samples

import xai_widgets as xai


@pytest.mark.parametrize(
    ("name", "activation"),
    [
        ("functional", "softmax"),
        ("nested", "softmax"),
        ("subclassed", "softmax"),
        ("mixed_precision", "softmax"),
        ("double_precision", "softmax"),
        ("log_softmax", "log-softmax"),
    ],
)
def test_the_score_is_the_logit(zoo, name, activation):
    """The softmax of the scores of all classes is the model's own answer."""
    model, inputs = zoo[name]
    output = np.asarray(model(inputs), np.float64)
    probabilities = np.exp(output) if activation == "log-softmax" else output
    scores = [xai.explain(model, inputs, "saliency", target=i) for i in range(output.shape[1])]
    logits = np.stack([a.score for a in scores], axis=1).astype(np.float64)
    softmax = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(softmax, probabilities, atol=1e-3 if name == "mixed_precision" else 1e-5)
    assert scores[0].score_name == "logit"
    assert any(activation in note for note in scores[0].notes)
    raised = xai.explain(model, inputs, "saliency", target=1, probability=True)
    np.testing.assert_allclose(raised.score, probabilities[:, 1], atol=1e-6)
    assert raised.score_name == "probability"


def test_a_binary_head_has_two_classes(zoo):
    model, inputs = zoo["binary"]
    zero, one = (xai.explain(model, inputs, "saliency", target=target) for target in (0, 1))
    np.testing.assert_allclose(1 / (1 + np.exp(-one.score)), np.asarray(model(inputs))[:, 0], rtol=1e-5)
    np.testing.assert_array_equal(zero.score, -one.score)
    np.testing.assert_array_equal(zero.values, -one.values)
    np.testing.assert_array_equal(xai.explain(model, inputs).target, (one.score > 0).astype(int))
    with pytest.raises(ValueError, match="target must be 0 to 1, got 2"):
        xai.explain(model, inputs, target=2)


def test_a_regression_has_one_target(zoo):
    model, inputs = zoo["regression"]
    a = xai.explain(model, inputs, "saliency")
    np.testing.assert_array_equal(a.target, 0)
    np.testing.assert_allclose(a.score, np.asarray(model(inputs))[:, 0], rtol=1e-5)
    with pytest.raises(ValueError, match="target must be 0, the model's only value, got 1"):
        xai.explain(model, inputs, target=1)


def test_one_target_a_sample_names_and_callables(zoo):
    model, inputs = zoo["functional"]
    names = ["a", "b", "c", "d", "e"]
    each = xai.explain(model, inputs, "saliency", target=[2, "a", 1], names=names)
    np.testing.assert_array_equal(each.target, [2, 0, 1])
    assert each.targets == ("c", "a", "b")
    np.testing.assert_array_equal(each.values[1:2], xai.explain(model, inputs[1:2], "saliency", target=0).values)
    margin = xai.explain(model, inputs, "saliency", target=lambda logits: logits[:, 1] - logits[:, 0])
    parts = [xai.explain(model, inputs, "saliency", target=i).values for i in (1, 0)]
    np.testing.assert_allclose(margin.values, parts[0] - parts[1], atol=1e-6)
    np.testing.assert_array_equal(margin.target, -1)
    predicted = xai.explain(model, inputs)
    np.testing.assert_array_equal(predicted.target, np.asarray(model(inputs)).argmax(axis=1))


@pytest.mark.parametrize(
    ("target", "error", "says"),
    [
        (5, ValueError, "target must be 0 to 4, got 5"),
        (-1, ValueError, "target must be 0 to 4, got -1"),
        (True, TypeError, "target must be"),
        (1.5, TypeError, "target must be"),
        ([0, 1], ValueError, r"one per sample \(3\), got 2"),
        ("cat", ValueError, "give names"),
        (lambda outputs: outputs, ValueError, "one scalar per sample"),
        (lambda outputs: 3.0, ValueError, "one scalar per sample"),
    ],
)
def test_wrong_targets_are_refused(zoo, target, error, says):
    model, inputs = zoo["functional"]
    with pytest.raises(error, match=says):
        xai.explain(model, inputs, target=target)


def test_a_misspelt_name_is_corrected(zoo):
    model, inputs = zoo["functional"]
    with pytest.raises(ValueError, match="did you mean 'tiger cat'"):
        xai.explain(model, inputs, target="tigre cat", names=["dog", "tiger cat", "c", "d", "e"])
    with pytest.raises(ValueError, match="target 'crane' names 2 classes: give one of 1, 3"):
        xai.explain(model, inputs, target="crane", names=["dog", "crane", "c", "crane", "e"])


def test_several_outputs_are_listed_and_a_callable_picks():
    x = keras.Input((4,))
    model = keras.Model(x, {"kind": layers.Dense(3, "softmax")(x), "size": layers.Dense(1)(x)})
    inputs = samples(4)
    with pytest.raises(ValueError, match="'kind', 'size'"):
        xai.explain(model, inputs)
    a = xai.explain(model, inputs, "saliency", target=lambda outputs: outputs["size"][:, 0])
    np.testing.assert_allclose(a.score, np.asarray(model(inputs)["size"])[:, 0], rtol=1e-5)


def test_a_score_that_does_not_depend_on_the_input_is_refused():
    model = function_model(lambda x: x[:, :1] * 0 + 1, 2)
    assert not xai.explain(model, np.ones((1, 2)), "saliency").values.any()
    import tensorflow as tf

    stopped = function_model(lambda x: tf.stop_gradient(x), 2)
    with pytest.raises(ValueError, match="does not depend on its input"):
        xai.explain(stopped, np.ones((1, 2)))


def test_token_ids_are_explained_through_their_embedding():
    x = keras.Input((5,), dtype="int32")
    y = layers.GlobalAveragePooling1D()(layers.Embedding(10, 4, name="words")(x))
    model = keras.Model(x, layers.Dense(2, "softmax")(y))
    tokens = np.array([[1, 2, 3, 4, 5]])
    assert xai.explain(model, tokens, "saliency", wrt="words").values.shape == (1, 5, 4)
    for method in ("saliency", "gradient_input", "integrated_gradients", "expected_gradients", "smooth_grad"):
        a = xai.explain(model, tokens, method)
        inside = xai.explain(model, tokens, method, wrt="words")
        np.testing.assert_allclose(a.values, inside.values.sum(axis=-1), atol=1e-6)
        np.testing.assert_allclose(a.residual, inside.residual, atol=1e-5)
        assert any("their embedding 'words'" in note for note in a.notes)
        assert a.heatmap().shape == (1, 5)
    twice = keras.Model(x, y + layers.GlobalAveragePooling1D()(layers.Embedding(10, 4)(x)))
    with pytest.raises(ValueError, match="give wrt='words'"):
        xai.explain(twice, tokens, "saliency", target=0)


def test_names_of_a_wrong_number_are_refused(zoo):
    model, inputs = zoo["functional"]
    with pytest.raises(ValueError, match="names must name the 5 classes of the model, got 2"):
        xai.explain(model, inputs, names=["a", "b"])


def test_a_value_is_no_class(zoo):
    assert xai.explain(*zoo["regression"], "saliency").targets == ("the output",) * 3


def test_an_unsettled_map_says_so(digits):
    few = xai.explain(digits.model, digits.inputs[:1], xai.SmoothGrad(samples=8))
    assert any("may still change" in note for note in few.notes)
    many = xai.explain(digits.model, digits.inputs[:1], xai.IntegratedGradients(steps=128))
    assert not any("may still change" in note for note in many.notes)
