"""What `explain` hands back: maps, figures, files."""

import numpy as np
import pytest

import xai_widgets as xai


@pytest.fixture(scope="module")
def digit(digits):
    return xai.explain(digits.model, digits.inputs[:3], xai.IntegratedGradients(steps=16), names=digits.names)


def test_says_what_it_is(digit):
    assert "IntegratedGradients(steps=16" in repr(digit)
    assert len(digit) == 3
    assert digit.targets[2] == "2"
    assert digit.passes == 16
    assert digit.path[1].shape == (3, 16)
    assert (np.diff(digit.path[0]) > 0).all()


def test_heatmap_is_the_signed_sum_and_can_be_resized(digit):
    np.testing.assert_array_equal(digit.heatmap(), digit.values.sum(axis=-1))
    assert digit.heatmap(size=(14, 56)).shape == (3, 14, 56)


def test_saves_and_loads_without_pickle(digit, tmp_path):
    digit.save(tmp_path / "digit")
    again = xai.Attribution.load(tmp_path / "digit")
    assert again.method == digit.method
    assert again.targets == digit.targets
    assert again.notes == digit.notes
    for name in ("values", "inputs", "target", "score", "baseline_score", "residual", "change"):
        np.testing.assert_array_equal(getattr(again, name), getattr(digit, name))
    np.testing.assert_array_equal(again.path[1], digit.path[1])
    assert again.error is None


def test_saves_arrays_in_baselines_and_structures(zoo, tmp_path):
    model, inputs = zoo["shared_layer"]
    baseline = xai.Constant(np.arange(6.0))
    a = xai.explain(model, inputs, xai.IntegratedGradients(steps=3, baseline=baseline), wrt="shared")
    a.save(tmp_path / "a.npz")
    again = xai.Attribution.load(tmp_path / "a.npz")
    assert again.method.baseline == baseline
    np.testing.assert_array_equal(again.values[1], a.values[1])


def test_refuses_a_file_of_something_else(tmp_path):
    np.savez(tmp_path / "other.npz", a=np.ones(3))
    with pytest.raises(ValueError, match="holds no Attribution"):
        xai.Attribution.load(tmp_path / "other.npz")


def test_plots_pictures_and_tables(digit, tabular):
    assert len(digit.plot().axes) == 9  # picture, map and colour bar for each of three
    assert len(digit.plot(sample=1).axes) == 3
    assert digit.plot(sample=1)._repr_png_().startswith(b"\x89PNG")
    with pytest.raises(ValueError, match="sample must be 0 to 2, got 3"):
        digit.plot(sample=3)
    with pytest.raises(TypeError, match="sample must be an integer"):
        digit.plot(sample=1.5)
    table = xai.explain(tabular.model, tabular.inputs[:1], xai.IntegratedGradients(steps=4))
    assert len(table.plot().axes[0].patches) == 16


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")  # shap's own
def test_becomes_a_shap_explanation(digit):
    explanation = digit.to_shap()
    np.testing.assert_array_equal(explanation.values, digit.values)
    np.testing.assert_array_equal(explanation.data, digit.inputs)
