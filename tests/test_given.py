"""Any `shap.Explanation` becomes an attribution, and goes back as it came."""

import numpy as np
import pytest
from models import samples

import xai_widgets as xai
from xai_widgets.methods import METHODS
from xai_widgets.methods.given_shap import GivenSHAP

pytestmark = pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")  # shap's own


@pytest.fixture(scope="module")
def shap():
    return pytest.importorskip("shap")


def same(one, other):
    for name in ("values", "base_values", "data"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name), err_msg=name)
    assert one.feature_names == other.feature_names


@pytest.mark.parametrize(
    "method",
    [xai.IntegratedGradients(steps=4), xai.GradCAM(), xai.Occlusion(window=7, stride=7), xai.KernelSHAP(samples=30)],
    ids=lambda method: method.name,
)
def test_there_and_back_again(digits, method):
    a = xai.explain(digits.model, digits.inputs[:3], method)
    there = a.to_shap()
    b = xai.Attribution.from_shap(there)
    same(there, b.to_shap())
    np.testing.assert_array_equal(b.heatmap(), a.heatmap())
    assert len(b.plot().axes) == 9


def test_colours_keep_their_channels_and_maps_have_none(shap):
    x, values = samples(9, 10, 3), samples(9, 10, 3) ** 2
    a = xai.Attribution.from_shap(shap.Explanation(values, np.zeros(3, "float32"), x))
    assert a.values.shape == (3, 9, 10, 3)
    np.testing.assert_allclose(a.heatmap(), values.sum(axis=-1), rtol=1e-5)
    flat = xai.Attribution.from_shap(shap.Explanation(values[..., 0], np.zeros(3, "float32"), x))
    np.testing.assert_array_equal(flat.heatmap(), values[..., 0])
    same(flat.to_shap(), shap.Explanation(values[..., 0], np.zeros(3, "float32"), x))


def test_a_table_with_names_of_its_features(shap, tmp_path):
    x, values, names = samples(4), samples(4) * 2, ["age", "height", "weight", "hours"]
    a = xai.Attribution.from_shap(shap.Explanation(values, np.array([1.0, 2.0, 3.0]), x, feature_names=names))
    assert a.features == tuple(names)
    np.testing.assert_allclose(a.score, a.baseline_score + values.sum(axis=1), rtol=1e-6)
    assert np.isnan(a.residual).all()  # nothing was checked
    assert any("the score is what the base value and the values add up to" in note for note in a.notes)
    labels = [label.get_text() for label in a.plot(sample=0).axes[0].get_yticklabels()]
    assert sorted(labels) == sorted(names)
    same(a.to_shap(), xai.Attribution.from_shap(a.to_shap()).to_shap())
    a.save(tmp_path / "a.npz")
    again = xai.Attribution.load(tmp_path / "a.npz")
    assert (again.features, again.method, again.notes) == (a.features, a.method, a.notes)
    same(again.to_shap(), a.to_shap())


def test_one_of_several_outputs(shap):
    x, values, base = samples(4), np.stack([samples(4), samples(4) * 3], axis=-1), np.array([[1.0, 2.0]] * 3)
    explanation = shap.Explanation(values, base, x, output_names=["cat", "dog"])
    for target in (1, "dog", [1, "dog", np.int64(1)]):
        a = xai.Attribution.from_shap(explanation, target=target)
        np.testing.assert_array_equal(a.values, values[..., 1])
        np.testing.assert_array_equal(a.baseline_score, [2, 2, 2])
        assert a.target.tolist() == [1, 1, 1]
        assert a.targets == ("dog",) * 3
    mixed = xai.Attribution.from_shap(explanation, target=[0, 1, 0])
    np.testing.assert_array_equal(mixed.values, np.stack([values[0, :, 0], values[1, :, 1], values[2, :, 0]]))
    np.testing.assert_array_equal(mixed.baseline_score, [1, 2, 1])
    shared = xai.Attribution.from_shap(shap.Explanation(values, np.array([1.0, 2.0]), x), target=0)
    assert shared.baseline_score.tolist() == [1, 1, 1]
    assert shared.targets == ("class 0",) * 3


@pytest.mark.parametrize(
    ("target", "error", "says"),
    [
        (None, ValueError, "has 2 outputs: target must choose one of 'cat', 'dog'"),
        (2, ValueError, "target must be one of 'cat', 'dog', got 2"),
        ("dg", ValueError, "did you mean 'dog'"),
        (1.5, TypeError, "a number or name|number or name, got 1.5"),
        ([0, 1], ValueError, r"one for each sample \(3\), got 2"),
    ],
)
def test_which_output_must_be_told(shap, target, error, says):
    explanation = shap.Explanation(np.zeros((3, 4, 2)), np.zeros((3, 2)), samples(4), output_names=["cat", "dog"])
    with pytest.raises(error, match=says):
        xai.Attribution.from_shap(explanation, target=target)


@pytest.mark.slow
def test_what_shaps_explainers_give(shap, tabular):
    x, background = tabular.inputs[:3], tabular.inputs[20:40]
    weights = np.arange(x.shape[1])
    linear = shap.explainers.Exact(lambda rows: rows[:, :4] @ weights[:4], background[:, :4])
    a = xai.Attribution.from_shap(linear(x[:, :4], silent=True))
    np.testing.assert_allclose(a.values, (x - background.mean(axis=0))[:, :4] * weights[:4], atol=1e-3)
    np.testing.assert_allclose(a.score, x[:, :4] @ weights[:4], rtol=1e-5)


def test_without_data_or_base_values(shap):
    a = xai.Attribution.from_shap(shap.Explanation(samples(4)))
    assert np.isnan(a.score).all()
    assert a.inputs.shape == (3, 4)
    assert any("no data" in note for note in a.notes)
    assert a.plot(sample=1)


def test_one_row_of_a_table_gets_its_batch_axis(shap):
    explanation = shap.Explanation(samples(4), np.array([1.0, 2.0, 3.0]), samples(4), feature_names=list("abcd"))
    a = xai.Attribution.from_shap(explanation[1])
    np.testing.assert_array_equal(a.values, samples(4)[1:2])
    assert a.baseline_score.tolist() == [2]


@pytest.mark.parametrize(
    ("make", "error", "says"),
    [
        (lambda shap: samples(4), TypeError, "must be a shap.Explanation, got ndarray"),
        (lambda shap: shap.Explanation(samples(4), 0.0, samples(5)), ValueError, r"the shape \(3, 5\) of its data"),
        (lambda shap: shap.Explanation(samples(4), np.zeros(2), samples(4)), ValueError, "one for each sample, 3"),
        (lambda shap: shap.Explanation(samples(4), 0.0, samples(4, count=2)), ValueError, "got 3 and 2"),
        (lambda shap: shap.Explanation(samples(4), 0.0, np.full((3, 4), "x")), ValueError, "data must be one array of"),
        (
            lambda shap: shap.Explanation(samples(8, 8, 1)[0], 0.0, samples(8, 8, 1)[0]),
            ValueError,
            r"explanation\[0:1\]",
        ),
    ],
    ids=["array", "shape", "base", "rows", "text", "one picture"],
)
def test_what_cannot_be_taken_is_refused(shap, make, error, says):
    with pytest.raises(error, match=says):
        xai.Attribution.from_shap(make(shap))


def test_it_cannot_be_run_again_and_is_on_no_menu(digits):
    assert GivenSHAP not in METHODS
    with pytest.raises(ValueError, match=r"GivenSHAP came in a shap.Explanation and cannot be run"):
        xai.explain(digits.model, digits.inputs[:1], GivenSHAP())
    with pytest.raises(ValueError, match=r"GivenSHAP came in a shap.Explanation and cannot be run: choose"):
        xai.explain(digits.model, digits.inputs[:1], "given_shap")


def test_metrics_judge_it_on_a_model(digits):
    x = digits.inputs[:2]
    a = xai.explain(digits.model, x, xai.IntegratedGradients(steps=8), target=0)
    b = xai.Attribution.from_shap(a.to_shap(), target=0)
    one, two = (xai.deletion(digits.model, x, given, steps=6) for given in (a, b))
    np.testing.assert_allclose(one.scores, two.scores, atol=1e-5)
