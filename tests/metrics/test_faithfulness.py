"""Faithfulness: values that are known, and the same score, class and preprocessing as the attribution."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from keras import layers, ops
from models import function_model, samples, unchanged

import xai_widgets as xai
from xai_widgets.methods import GivenSHAP

WEIGHTS = np.array([3.0, -2.0, 0.5, 1.0, -1.5, 2.0], "float32")


def linear():
    return function_model(lambda x: ops.matmul(x, WEIGHTS[:, None]), 6)


def total(shape):
    return function_model(lambda x: ops.sum(ops.reshape(x, (-1, int(np.prod(shape)))), axis=1, keepdims=True), shape)


@pytest.mark.parametrize("shape", [(10,), (12, 12, 1), (9, 2)], ids=["table", "picture", "series"])
def test_mu_fidelity_of_a_sum_is_1_and_of_its_opposite_minus_1(shape):
    model, inputs = total(shape), samples(*shape)
    a = xai.explain(model, inputs, "gradient_input")
    np.testing.assert_allclose(xai.mu_fidelity(model, inputs, a, samples=40), 1, atol=1e-4)
    np.testing.assert_allclose(xai.mu_fidelity(model, inputs, replace(a, values=-a.values), samples=40), -1, atol=1e-4)
    noise = replace(a, values=np.random.default_rng(5).normal(size=a.values.shape))
    assert np.abs(xai.mu_fidelity(model, inputs, noise, samples=200)).max() < 0.9


def test_mu_fidelity_takes_the_values_as_they_are_and_is_nan_where_nothing_varies():
    model, inputs = total((10,)), samples(10)
    a = xai.explain(model, inputs, "saliency")
    assert np.isnan(xai.mu_fidelity(model, inputs, a)).all()  # a constant gradient: every subset sums to the same
    np.testing.assert_allclose(xai.mu_fidelity(model, inputs, replace(a, values=inputs), samples=40), 1, atol=1e-4)
    nothing = function_model(lambda x: ops.sum(x * 0, axis=1, keepdims=True), 10)
    a = xai.explain(nothing, inputs, "saliency")
    assert np.isnan(xai.mu_fidelity(nothing, inputs, replace(a, values=inputs))).all()


@pytest.mark.parametrize("baseline", [0.0, xai.Constant(WEIGHTS), xai.Samples(samples(6, count=4))], ids=str)
@pytest.mark.parametrize("method", ["saliency", "smooth_grad", "integrated_gradients"])
def test_infidelity_of_a_linear_model_is_0(method, baseline):
    model, inputs = linear(), samples(6)
    parameters = {"baseline": baseline} if method == "integrated_gradients" else {}
    a = xai.explain(model, inputs, method, **parameters)
    if method == "integrated_gradients" and isinstance(baseline, xai.Samples):
        return  # its contributions are to the mean of the samples, while each draw removes towards one of them
    np.testing.assert_allclose(xai.infidelity(model, inputs, a, baseline=baseline), 0, atol=1e-8)
    wrong = replace(a, values=a.values + 1)
    assert xai.infidelity(model, inputs, wrong, baseline=baseline).min() > 0.1


def test_infidelity_by_hand():
    """f = x0 * x1 at (1, 1): removing either or both takes 1 away, the gradient predicts 1 for one and 2 for both."""
    model = function_model(lambda x: x[:, :1] * x[:, 1:2], 2)
    inputs = np.ones((1, 2), "float32")
    a = xai.explain(model, inputs, "saliency")
    found = xai.infidelity(model, inputs, a, samples=4000)[0]
    # The fraction is uniform in (0, 1]: rounded to 0 or 1 of two parts up to 3/4, to both from there on.
    assert found == pytest.approx(0.25, abs=0.03)
    scaled = xai.infidelity(model, inputs, a, samples=4000, scaled=True)[0]
    factor = (0.75 + 0.5) / (0.75 + 1)
    assert scaled == pytest.approx(0.75 * (1 - factor) ** 2 + 0.25 * (1 - 2 * factor) ** 2, abs=0.02)


def test_infidelity_scaled_does_not_depend_on_the_unit_of_the_map(digits):
    inputs = digits.inputs[:3]
    a = xai.explain(digits.model, inputs, "grad_cam")
    much = replace(a, values=a.values * 100)
    first, second = (xai.infidelity(digits.model, inputs, one, scaled=True, samples=20) for one in (a, much))
    np.testing.assert_allclose(first, second, rtol=1e-4)
    np.testing.assert_array_equal(xai.infidelity(digits.model, inputs, much, samples=20), second)  # CAM has no unit
    assert (xai.infidelity(digits.model, inputs, much, scaled=False, samples=20) > second).all()


def test_windows_that_overlap_are_no_amounts_that_could_be_summed():
    """Each pixel of a sum of ones has the drop of whole windows, 16: proportional to the truth, and much too large."""
    model, inputs = total((12, 12, 1)), np.ones((1, 12, 12, 1), "float32")
    a = xai.explain(model, inputs, xai.Occlusion(window=4, stride=1))
    np.testing.assert_allclose(xai.infidelity(model, inputs, a, samples=20), 0, atol=1e-4)
    assert xai.infidelity(model, inputs, a, scaled=False, samples=20) > 1e4


def test_completeness_is_the_residual_and_tells_what_is_missing(digits):
    inputs = digits.inputs[:4]
    a = xai.explain(digits.model, inputs, xai.IntegratedGradients(steps=16))
    np.testing.assert_allclose(xai.completeness(digits.model, inputs, a), a.residual, atol=1e-3)
    more = replace(a, values=a.values + 1)
    np.testing.assert_allclose(xai.completeness(digits.model, inputs, more), a.residual + 784, rtol=1e-3)
    moved = xai.completeness(digits.model, inputs, a, baseline=0.5)
    other = xai.explain(digits.model, inputs, xai.IntegratedGradients(steps=2, baseline=0.5))
    np.testing.assert_allclose(moved, a.values.sum((1, 2, 3)) - (a.score - other.baseline_score), atol=1e-3)
    random = xai.explain(digits.model, inputs, xai.ExpectedGradients(samples=16))
    np.testing.assert_allclose(xai.completeness(digits.model, inputs, random), random.residual, atol=1e-3)


def test_completeness_is_nan_where_no_sum_is_claimed_and_the_residual_over_any_number_of_references():
    model, inputs = linear(), samples(6)
    for method in ("saliency", "occlusion"):
        a = xai.explain(model, inputs, method)
        np.testing.assert_array_equal(xai.completeness(model, inputs, a), a.residual)
        assert np.isnan(a.residual).all()
    a = xai.explain(model, inputs, xai.IntegratedGradients(steps=4, baseline=xai.Samples(samples(6, count=20))))
    np.testing.assert_allclose(xai.completeness(model, inputs, a), 0, atol=1e-4)
    given = replace(a, method=GivenSHAP(), residual=np.full(3, np.nan))
    np.testing.assert_allclose(xai.completeness(model, inputs, given), 0, atol=1e-4)


def test_sensitivity_of_a_constant_gradient_is_0_and_of_a_square_is_known():
    model, inputs = linear(), samples(6)
    np.testing.assert_allclose(xai.sensitivity(model, inputs, xai.explain(model, inputs, "saliency")), 0, atol=1e-6)
    square = function_model(lambda x: ops.sum(x**2, axis=1, keepdims=True) / 2, 6)
    a = xai.explain(square, inputs, "saliency")  # the map is x itself, and moves by what x moves
    found = xai.sensitivity(square, inputs, a, radius=0.1, samples=200)
    largest = 0.1 * np.linalg.norm(np.ptp(inputs, axis=0)) / np.linalg.norm(inputs, axis=1)
    assert (found <= largest + 1e-6).all()
    assert (found > 0.7 * largest).all()
    few = xai.sensitivity(square, inputs, a, radius=0.1, samples=5)
    assert (few <= found).all()
    np.testing.assert_array_equal(few, xai.sensitivity(square, inputs, a, radius=0.1, samples=5))


def test_sensitivity_does_not_depend_on_the_units_of_a_tables_columns():
    units, inputs = np.array([1, 1000, 0.01], "float32"), samples(3)
    found = []
    for unit in (np.ones(3, "float32"), units):
        model = function_model(lambda x, unit=unit: ops.sum((x / unit) ** 2, axis=1, keepdims=True), 3)
        a = xai.explain(model, inputs * unit, "gradient_input")
        found.append(xai.sensitivity(model, inputs * unit, a, samples=3))
    np.testing.assert_allclose(*found, rtol=1e-3)
    with pytest.warns(UserWarning, match="one range for all columns"):
        xai.sensitivity(model, inputs[:1] * unit, xai.explain(model, inputs[:1] * unit, "gradient_input"), samples=1)


def test_sensitivity_keeps_the_class_where_the_prediction_changes():
    model = function_model(lambda x: ops.concatenate([x[:, :1], -2 * x[:, :1]], axis=1), 2)
    inputs = np.array([[0.02, 1.0]], "float32")
    a = xai.explain(model, inputs, "saliency")
    np.testing.assert_array_equal(xai.sensitivity(model, inputs, a, radius=0.1), 0)


METRICS = (xai.infidelity, xai.mu_fidelity, xai.completeness, xai.sensitivity)


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.__name__)
def test_a_number_for_each_sample_the_same_every_time_and_no_trace_in_the_model(metric, digits):
    model, inputs = digits.model, digits.inputs[:3]
    a = xai.explain(model, inputs * 255, "saliency", preprocess=lambda x: x / 255)
    few = {} if metric is xai.completeness else {"samples": 4}
    with unchanged(model):
        first, again = (metric(model, inputs * 255, a, preprocess=lambda x: x / 255, **few) for _ in range(2))
    assert first.shape == (3,)
    np.testing.assert_array_equal(first, again)
    with pytest.raises(ValueError, match="give the inputs, preprocess="):
        metric(model, inputs * 255, a, **few)


@pytest.fixture(scope="module")
def bag():
    """Ten words, which the model takes the mean of: linear in the output of its embedding."""
    x = keras.Input((5,), dtype="int32")
    y = layers.GlobalAveragePooling1D()(layers.Embedding(10, 4, name="words")(x))
    model = keras.Model(x, layers.Dense(2)(y))
    model.get_layer("words").set_weights([samples(4, count=10)])
    return model, np.array([[1, 2, 3, 4, 5], [5, 4, 3, 2, 9]])


@pytest.mark.parametrize("wrt", [None, "words"])
@pytest.mark.parametrize("baseline", [0, 3, 99], ids=str)  # 99 is no id, but it may be what an embedding returns
def test_tokens_are_removed_at_the_output_of_their_embedding(bag, baseline, wrt):
    model, tokens = bag
    a = xai.explain(model, tokens, xai.IntegratedGradients(steps=4, baseline=baseline), wrt=wrt)
    curve = xai.deletion(model, tokens, a)
    np.testing.assert_allclose(curve.scores[:, [0, -1]], np.stack([a.score, a.baseline_score], axis=1), rtol=1e-4)
    np.testing.assert_allclose(xai.insertion(model, tokens, a).scores[:, 0], a.baseline_score, rtol=1e-4)
    np.testing.assert_allclose(xai.mu_fidelity(model, tokens, a, fraction=0.4), 1, atol=1e-4)
    np.testing.assert_allclose(xai.infidelity(model, tokens, a), 0, atol=1e-6)
    np.testing.assert_allclose(xai.completeness(model, tokens, a), a.residual, atol=1e-4)
    with pytest.raises(ValueError, match="token ids"):
        xai.sensitivity(model, tokens, a)


def test_slopes_at_an_embedding_predict_by_its_change_and_their_sums_by_proportion(bag):
    model, tokens = bag
    slopes = xai.explain(model, tokens, "saliency", wrt="words")
    np.testing.assert_allclose(xai.infidelity(model, tokens, slopes, baseline=0.5), 0, atol=1e-8)
    sums = xai.explain(model, tokens, "saliency")
    found = (xai.infidelity(model, tokens, sums, scaled=scaled) for scaled in (None, True))
    np.testing.assert_array_equal(*found)


def test_methods_that_mask_ids_are_judged_by_ids(bag):
    model, tokens = bag
    a = xai.explain(model, tokens, xai.Occlusion(window=1, stride=1, baseline=7), target=1)
    curve = xai.deletion(model, tokens, a)
    gone = model(np.full((2, 5), 7)).numpy()[:, 1]
    np.testing.assert_allclose(curve.scores[:, -1], gone, rtol=1e-4)
    np.testing.assert_allclose(xai.infidelity(model, tokens, a), 0, atol=1e-6)
    for metric in (xai.deletion, xai.infidelity):
        with pytest.raises(ValueError, match=r"baseline must be token ids from 0 to 9, .*, got 12"):
            metric(model, tokens, a, baseline=12)
    with pytest.raises(ValueError, match="token ids"):
        xai.sensitivity(model, tokens, a)


def test_bad_arguments_are_named(digits):
    a = xai.explain(digits.model, digits.inputs[:1], "saliency")
    for metric, wrong, error in (
        (xai.infidelity, {"samples": 1}, ValueError),
        (xai.infidelity, {"scaled": 2}, TypeError),
        (xai.mu_fidelity, {"fraction": 1.5}, ValueError),
        (xai.mu_fidelity, {"fraction": "all"}, TypeError),
        (xai.sensitivity, {"radius": 0}, ValueError),
        (xai.sensitivity, {"samples": 0}, ValueError),
        (xai.mu_fidelity, {"seed": -1}, ValueError),
    ):
        with pytest.raises(error, match=next(iter(wrong))):
            metric(digits.model, digits.inputs[:1], a, **wrong)
