"""The gradient against closed forms and differences."""

import numpy as np
import pytest
from keras import ops
from models import function_model

import xai_widgets as xai


def relu_pair():
    """relu(relu(x1 - 1) - relu(x2)): a network with published gradients (DeepExplain's tests)."""
    return function_model(lambda x: ops.relu(ops.relu(x[:, 0] - 1) - ops.relu(x[:, 1]))[:, None], 2)


@pytest.mark.parametrize(("x", "gradient"), [((-10, -5), (0, 0)), ((3, 1), (1, -1))])
def test_published_gradients(x, gradient):
    a = xai.explain(relu_pair(), np.array([x], "float32"), xai.Saliency(), target=0)
    np.testing.assert_array_equal(a.values, [gradient])


def test_a_linear_model_gives_its_weights():
    weights = np.array([1.0, -2.0, 0.5], "float32")
    a = xai.explain(function_model(lambda x: x @ weights[:, None], 3), np.ones((2, 3)), "saliency")
    np.testing.assert_array_equal(a.values, [weights, weights])
    assert np.isnan(a.residual).all()
    assert np.isnan(a.baseline_score).all()


def test_equals_central_differences_in_double_precision(zoo):
    model, inputs = zoo["double_precision"]
    a = xai.explain(model, inputs[:1], "saliency", target=1, probability=True)
    step = 1e-5
    for feature in range(6):
        moved = np.zeros(6)
        moved[feature] = step
        slope = (model(inputs[:1] + moved) - model(inputs[:1] - moved))[0, 1] / (2 * step)
        assert a.values[0, feature] == pytest.approx(float(slope), rel=1e-6)


@pytest.mark.parametrize(
    ("normalize", "size"), [("sum", np.sum), ("l1", lambda g: np.abs(g).sum()), ("l2", np.linalg.norm)]
)
def test_normalized_gradient_is_unit_and_scale_free(normalize, size):
    weights = np.array([[1.0], [-2.0], [0.5]], "float32")
    one, tenfold = (
        xai.explain(
            function_model(lambda x, c=c: c * (x @ weights) ** 2, 3), [[1.0, 2.0, 4.0]], "saliency", normalize=normalize
        )
        for c in (1.0, 10.0)
    )
    assert size(one.values) == pytest.approx(1, rel=1e-5)
    np.testing.assert_allclose(one.values, tenfold.values, rtol=1e-5)


def test_a_zero_gradient_normalizes_to_zero_with_a_note():
    a = xai.explain(relu_pair(), np.array([[-10.0, -5.0]]), xai.Saliency(normalize="sum"), target=0)
    np.testing.assert_array_equal(a.values, [[0, 0]])
    assert any("zero" in note for note in a.notes)
