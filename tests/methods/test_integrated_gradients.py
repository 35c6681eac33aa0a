"""Integrated gradients against closed forms, published values, its axioms, and its own estimate of its error."""

import itertools

import numpy as np
import pytest
from keras import ops
from models import function_model

import xai_widgets as xai
from xai_widgets.trees import leaves

RULES = ("midpoint", "left", "right", "trapezoid", "gauss_legendre")
MATRIX = np.array([[2.0, 1.0, 0.0], [1.0, -1.0, 3.0], [0.0, 3.0, 0.5]], "float32")


def quadratic():
    """x A x / 2 with a symmetric A."""
    return function_model(lambda x: ops.sum(x * (x @ MATRIX), axis=1, keepdims=True) / 2, 3)


@pytest.mark.parametrize("rule", ["midpoint", "trapezoid", "gauss_legendre"])
@pytest.mark.parametrize("steps", [2, 7, 64])
def test_quadratic_is_exact_where_the_rule_is(rule, steps):
    """(x - b) * A (x + b) / 2: the gradient is linear along the path, which these rules integrate exactly."""
    x, b = np.array([[1.0, -2.0, 3.0]], "float32"), np.array([0.5, 1.0, -1.0])
    a = xai.explain(quadratic(), x, xai.IntegratedGradients(steps=steps, rule=rule, baseline=xai.Constant(b)))
    np.testing.assert_allclose(a.values, (x - b) * ((x + b) @ MATRIX) / 2, rtol=1e-5, atol=1e-5)
    assert a.residual[0] == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize("rule", RULES)
def test_every_rule_converges(rule):
    x = np.array([[1.0, -2.0, 3.0]], "float32")
    a = xai.explain(
        quadratic(),
        x,
        xai.IntegratedGradients(steps=4096, rule=rule)
        if rule != "gauss_legendre"
        else xai.IntegratedGradients(steps=64, rule=rule),
    )
    np.testing.assert_allclose(a.values, x * (x @ MATRIX) / 2, rtol=2e-3, atol=2e-3)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: ops.relu(ops.relu(x[:, 0] - 1) - ops.relu(x[:, 1]))[:, None],
        lambda x: ops.relu(ops.relu(x[:, 0]) - 1 - ops.relu(x[:, 1]))[:, None],
    ],
    ids=["relu(relu(x1 - 1) - relu(x2))", "relu(relu(x1) - 1 - relu(x2))"],
)
def test_implementation_invariance_at_a_published_value(function):
    """Two networks that are equal everywhere get (1.5, -0.5) at (3, 1) (Sundararajan et al., figure 7)."""
    a = xai.explain(function_model(function, 2), [[3.0, 1.0]], steps=3000, method="integrated_gradients", target=0)
    np.testing.assert_allclose(a.values, [[1.5, -0.5]], atol=1e-3)


@pytest.mark.parametrize(
    ("function", "x", "b", "expected"),
    [
        (lambda x: 2 * x[:, :1] + x[:, 1:], (10, 5), (-1, -3), (22, 8)),
        (lambda x: (2 * x[:, :1] + x[:, 1:]) ** 2, (3, 3), (0, 0), (54, 27)),
    ],
)
def test_published_values(function, x, b, expected):
    method = xai.IntegratedGradients(steps=64, baseline=xai.Constant(b))
    a = xai.explain(function_model(function, 2), np.array([x], "float32"), method, target=0)
    np.testing.assert_allclose(a.values, [expected], rtol=1e-4)


def test_completeness_on_every_model(any_model):
    specimen = any_model
    if specimen.tolerance > 1e-3:
        pytest.skip("float16 layers give the score itself only to three digits")
    a = xai.explain(specimen.model, specimen.inputs, xai.IntegratedGradients(steps=400), **specimen.keywords)
    summed = sum(array.reshape(3, -1).sum(axis=1, dtype=float) for array in leaves(a.values))
    np.testing.assert_allclose(a.residual, summed - (a.score - a.baseline_score), atol=1e-4)
    assert np.abs(a.residual).max() < 0.01 * np.abs(a.score - a.baseline_score).max() + 1e-3


def test_exact_on_a_small_relu_network_by_its_breakpoints():
    """Between two breakpoints of the path the gradient is constant, so the integral is a finite sum."""
    rng = np.random.default_rng(3)
    w1, b1, w2 = rng.normal(size=(4, 16)), rng.normal(size=16), rng.normal(size=16)

    def gradient(x):
        return w1 @ (w2 * (x @ w1 + b1 > 0))

    x, start = rng.normal(size=4) * 2, rng.normal(size=4)
    with np.errstate(divide="ignore"):
        crossings = -(start @ w1 + b1) / ((x - start) @ w1)
    edges = np.sort(np.concatenate([[0, 1], crossings[(crossings > 0) & (crossings < 1)]]))
    exact = sum(
        (right - left) * gradient(start + (left + right) / 2 * (x - start)) for left, right in itertools.pairwise(edges)
    ) * (x - start)
    model = function_model(
        lambda z: ops.relu(z @ w1.astype("float32") + b1.astype("float32")) @ w2.astype("float32")[:, None], 4
    )
    a = xai.explain(model, x[None], xai.IntegratedGradients(steps=4000, baseline=xai.Constant(start)), target=0)
    np.testing.assert_allclose(a.values[0], exact, atol=2e-3 * np.abs(exact).max())


@pytest.mark.parametrize("steps", [16, 64])
@pytest.mark.slow
def test_change_estimates_the_distance_to_the_limit(digits, steps):
    """Within a factor of two on average over twenty digits."""
    inputs = digits.inputs[:20]
    limit = xai.explain(digits.model, inputs, xai.IntegratedGradients(steps=2048)).values
    a = xai.explain(digits.model, inputs, xai.IntegratedGradients(steps=steps))
    axes = (1, 2, 3)
    true = np.abs(a.values - limit).sum(axes) / np.abs(limit).sum(axes)
    assert 0.5 < (a.change / true).mean() < 2


def test_a_baseline_that_is_the_input_gives_zeros_and_says_so(zoo):
    model, inputs = zoo["sequential"]
    a = xai.explain(model, inputs[:1], xai.IntegratedGradients(baseline=xai.Constant(inputs[0])))
    np.testing.assert_array_equal(a.values, np.zeros_like(inputs[:1]))
    assert any("equals the input" in note for note in a.notes)


def test_memory_and_result_do_not_depend_on_how_the_path_is_cut(digits, monkeypatch):
    from xai_widgets.engine.model import ModelView

    a = xai.explain(digits.model, digits.inputs[:1], xai.IntegratedGradients(steps=50))
    monkeypatch.setattr(ModelView, "chunk", lambda *_, **__: 7)
    b = xai.explain(digits.model, digits.inputs[:1], xai.IntegratedGradients(steps=50))
    np.testing.assert_allclose(a.values, b.values, atol=1e-6)
