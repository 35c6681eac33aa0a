"""What `explain` hands back: maps, figures, files."""

import keras
import numpy as np
import pytest
from keras import layers, ops
from models import function_model, samples

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


def test_plots_pictures(digit):
    assert len(digit.plot().axes) == 9  # picture, map and colour bar for each of three
    assert len(digit.plot(sample=1).axes) == 3
    assert digit.plot(sample=1)._repr_png_().startswith(b"\x89PNG")
    with pytest.raises(ValueError, match="sample must be 0 to 2, got 3"):
        digit.plot(sample=3)
    with pytest.raises(TypeError, match="sample must be an integer"):
        digit.plot(sample=1.5)


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")  # shap's own
def test_becomes_a_shap_explanation(digit):
    explanation = digit.to_shap()
    np.testing.assert_array_equal(explanation.values, digit.values)
    np.testing.assert_array_equal(explanation.data, digit.inputs)


@pytest.mark.filterwarnings("ignore::PendingDeprecationWarning")  # shap's own
@pytest.mark.parametrize(
    "method", [xai.GradCAM(), xai.KernelSHAP(samples=30, segments=10)], ids=lambda method: method.name
)
def test_maps_of_layers_and_segments_become_shap_explanations_of_the_size_of_the_input(digits, method):
    a = xai.explain(digits.model, digits.inputs[:3], method)
    explanation = a.to_shap()
    assert explanation.shape == (3, 28, 28)
    np.testing.assert_array_equal(explanation.values, a.heatmap())
    np.testing.assert_array_equal(explanation.base_values, a.baseline_score)
    np.testing.assert_array_equal(explanation[1].values, a.heatmap()[1])


def test_what_is_no_map_of_one_input_becomes_no_shap_explanation(digits, zoo):
    a = xai.explain(digits.model, digits.inputs[:2], "saliency", wrt="hidden")
    with pytest.raises(ValueError, match=r"a map of the input, \(2, 28, 28, 1\), got values of shape \(2, 128\)"):
        a.to_shap()
    model, inputs = zoo["shared_layer"]
    with pytest.raises(ValueError, match="one map of one input, got 2 of 1"):
        xai.explain(model, inputs, "saliency", wrt="shared").to_shap()


def test_values_that_are_not_finite_are_said_so():
    model = function_model(lambda x: ops.sqrt(ops.sum(x**2, axis=1, keepdims=True)), 2)
    a = xai.explain(model, [[3.0, 4.0]], xai.IntegratedGradients(steps=4, rule="left"))
    assert not np.isfinite(a.values).all()
    assert any("not finite" in note for note in a.notes)


def test_a_grey_picture_without_a_channel_axis_is_a_picture():
    x = keras.Input((28, 28))
    model = keras.Model(x, layers.Dense(10)(layers.Flatten()(x)))
    a = xai.explain(model, samples(28, 28), xai.IntegratedGradients(steps=4, baseline=xai.Blur(2)))
    assert a.heatmap().shape == (3, 28, 28)
    assert len(a.plot(sample=0).axes) == 3


def test_wrong_sizes_are_refused(digit):
    with pytest.raises(TypeError, match="size must be a tuple"):
        digit.heatmap(16)
    with pytest.raises(ValueError, match="size must have 2 axes"):
        digit.heatmap((4,))


@pytest.mark.parametrize("method", ["saliency", "integrated_gradients"])
def test_a_class_that_is_not_the_predicted_one_is_pointed_out(digits, method):
    one, names = digits.inputs[:1], list(digits.names)  # a 0, predicted so
    a = xai.explain(digits.model, one, method, target="7", names=names)
    assert "The model predicts 0; this map explains 7." in a.notes
    assert (
        "The model predicts class 0; this map explains class 7."
        in xai.explain(digits.model, one, method, target=7).notes
    )
    many = xai.explain(digits.model, digits.inputs[:3], method, target=0, batch_size=2)
    assert sum("is not the one that the model predicts" in note for note in many.notes) == 1
    for target in (None, 0, [0], xai.Margin(7, 0), lambda outputs: outputs[:, 7]):
        assert not any("predict" in note for note in xai.explain(digits.model, one, method, target=target).notes)


def test_a_saturated_probability_is_pointed_out(zoo):
    model, inputs = zoo["saturated"]
    a = xai.explain(model, inputs, "saliency", probability=True)
    assert any("gradient all but vanishes" in note for note in a.notes)
    assert np.abs(a.values).max() < 1e-20
    logit = xai.explain(model, inputs, "saliency")
    assert not any("vanishes" in note for note in logit.notes)
    assert logit.values.any()
    calm, x = zoo["functional"]
    a = xai.explain(calm, x, "saliency", probability=True)
    assert not any("vanishes" in note for note in a.notes)


@pytest.mark.parametrize(
    ("asked", "error", "says"),
    [
        ({"taget": 1}, TypeError, "no argument 'taget'; did you mean 'target'"),
        ({"method": xai.Saliency(), "preproces": abs}, TypeError, "no argument 'preproces'; did you mean 'preprocess'"),
        ({"normalise": "l1"}, TypeError, "Saliency has no parameter 'normalise'; did you mean 'normalize'"),
        ({"method": "IG"}, ValueError, "did you mean 'integrated_gradients'"),
        ({"method": "gradcam++"}, ValueError, "did you mean 'grad_cam_plus_plus'"),
        ({"target": np.eye(30)[:1]}, TypeError, r"of shape \(1, 30\): of a one-hot target give its argmax"),
        ({"preprocess": lambda _: None}, ValueError, "preprocess must return what the model takes.*got NoneType"),
        ({"features": ["age"]}, ValueError, "features must name the 30 columns"),
    ],
)
def test_what_was_meant_is_told(tabular, asked, error, says):
    with pytest.raises(error, match=says):
        xai.explain(tabular.model, tabular.inputs[:1], **{"method": "saliency", **asked})


def test_columns_have_the_names_of_a_frame_or_those_given(tabular):
    import pandas as pd

    frame = pd.DataFrame(tabular.inputs[:2], columns=tabular.features)
    assert xai.explain(tabular.model, frame, "saliency").features == tuple(tabular.features)
    a = xai.explain(tabular.model, tabular.inputs[:2], "saliency", features=tabular.features)
    assert a.features == tuple(tabular.features)
    assert xai.explain(tabular.model, tabular.inputs[:2], "saliency").features == ()


def test_a_sample_cut_out_of_others_is_a_baseline_and_case_does_not_matter(tabular):
    x = tabular.inputs
    cut, plain = (xai.explain(tabular.model, x[:1], xai.IntegratedGradients(baseline=one)) for one in (x[5:6], x[5]))
    np.testing.assert_array_equal(cut.values, plain.values)
    assert xai.IntegratedGradients(baseline="Noise") == xai.IntegratedGradients(baseline=xai.GaussianNoise())
