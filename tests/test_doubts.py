"""What may mislead is said in words, and nothing is said where nothing does."""

import keras
import numpy as np
import pytest
from keras import ops
from models import function_model

import xai_widgets as xai
from xai_widgets.doubts import early_share


def saturating(x):
    """Rises to 1 in the first tenth of the way to (1, 1), and stays there."""
    return ops.minimum(10 * ops.mean(x, axis=1, keepdims=True), 1.0) + 0.001 * ops.sum(x, axis=1, keepdims=True)


def test_a_score_that_saturates_on_the_path_is_said_so():
    a = xai.explain(function_model(saturating, 2), np.ones((1, 2)), xai.IntegratedGradients(steps=50))
    assert any("gained in the first fifth of the path" in note for note in a.notes)
    linear = function_model(lambda x: ops.sum(x, axis=1, keepdims=True), 2)
    assert xai.explain(linear, np.ones((1, 2)), xai.IntegratedGradients(steps=50)).notes == ()


def test_the_early_share_of_known_paths():
    alphas = np.linspace(0.01, 0.99, 99)
    scores = np.stack([3 * alphas - 1, np.minimum(5 * alphas, 1), np.ones(99), alphas**2])
    start, end = np.array([-1, 0, 1, 0]), np.array([2, 1, 1, 1])
    share = early_share(alphas, scores, start, end)
    np.testing.assert_allclose(share[:2], [0.2, 1], atol=1e-9)
    assert np.isnan(share[2])
    assert share[3] == pytest.approx(0.04, abs=0.01)


def test_a_probability_near_its_end_is_said_so():
    x = keras.Input((2,))
    model = keras.Model(x, keras.layers.Softmax()(keras.layers.Dense(2, use_bias=False)(x)))
    model.set_weights([np.array([[1, -1], [1, -1]], "float32")])
    for size, sure in ((5, True), (0.1, False)):
        inputs = np.full((1, 2), size, "float32")
        a = xai.explain(model, inputs, "saliency", probability=True)
        assert any("gradient all but vanishes" in note for note in a.notes) == sure
        assert not any("vanishes" in note for note in xai.explain(model, inputs, "saliency").notes)


@pytest.mark.parametrize("method", ["saliency", "integrated_gradients"])
def test_outputs_that_look_like_probabilities_are_said_so(method):
    hidden = function_model(lambda x: ops.exp(x) / ops.sum(ops.exp(x), axis=1, keepdims=True), 3)
    a = xai.explain(hidden, np.ones((2, 3)), method, target=1)
    assert any("look like probabilities" in note for note in a.notes)
    plain = function_model(lambda x: 2 * x, 3)
    assert not any("probabilities" in note for note in xai.explain(plain, np.ones((2, 3)), method, target=1).notes)


def test_a_model_that_ignores_its_input_is_refused_by_explain_and_by_the_widget():
    constant = function_model(lambda x: ops.ones((ops.shape(x)[0], 1)), 2)
    for ask in (xai.explain, xai.SaliencyWidget):
        with pytest.raises(ValueError, match=r"output of model '\w+' does not depend on its input"):
            ask(constant, np.ones((1, 2)))


def test_a_baseline_that_looks_like_the_input_is_said_so(zoo):
    model, inputs = zoo["functional"]
    for size, alike in ((1e-3, True), (0.5, False)):
        near = xai.Constant(inputs[0] + size)
        a = xai.explain(model, inputs[:1], xai.IntegratedGradients(steps=4, baseline=near))
        assert any("The baseline looks like the input" in note for note in a.notes) == alike


@pytest.mark.parametrize("method", [xai.SmoothGrad(samples=2), xai.ExpectedGradients(samples=2)])
def test_noise_of_one_size_on_columns_of_other_scales_is_said_so(tabular, method):
    def drowns(rows, method):
        return any("their scales are far apart" in note for note in xai.explain(tabular.model, rows, method).notes)

    rows = tabular.inputs[:1]
    assert drowns(rows, method)
    assert not drowns(np.ones_like(rows) + rows / rows.max(), method)
    assert not drowns(rows, xai.ExpectedGradients(samples=2, baseline=xai.Samples(tabular.inputs[1:3])))
