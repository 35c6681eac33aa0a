"""What may mislead is said in words, and nothing is said where nothing does."""

import keras
import numpy as np
import pytest
from keras import layers, ops
from models import function_model, samples

import xai_widgets as xai
from xai_widgets.doubts import early_share, of_samples, steadied
from xai_widgets.methods import Frame


def saturating(x):
    """Rises to 1 in the first tenth of the way to (1, 1), and stays there."""
    return ops.minimum(10 * ops.mean(x, axis=1, keepdims=True), 1.0) + 0.001 * ops.sum(x, axis=1, keepdims=True)


def notes_of(*arguments, **keywords):
    return " ".join(xai.explain(*arguments, **keywords).notes)


@pytest.fixture(scope="module")
def half_dead():
    """A model whose score of a small first sample nothing moves, of two classes, and two samples."""
    return function_model(lambda x: ops.relu(x - 9) + 0.4, 2), np.array([[1.0, 2], [20, 30]], "float32")


@pytest.fixture(scope="module")
def doubling():
    return function_model(lambda x: 2 * x, 3)


def test_a_score_that_saturates_on_the_path_or_overshoots_is_said_so():
    path = xai.IntegratedGradients(steps=50)
    assert "first fifth of the path, next to the baseline: it saturates" in notes_of(
        function_model(saturating, 2), np.ones((1, 2)), path
    )
    wave = function_model(lambda x: -ops.sin(3 * ops.mean(x, axis=1, keepdims=True)), 2)
    told = notes_of(wave, np.array([[0.1, 0.1], [1, 1]]), path)
    assert "The score of sample 1 makes 400% of its way" in told
    assert "overshoots and comes back" in told
    linear = function_model(lambda x: ops.sum(x, axis=1, keepdims=True), 2)
    assert xai.explain(linear, np.ones((1, 2)), path).notes == ()


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
def test_outputs_that_look_like_probabilities_are_said_so(method, doubling):
    hidden = function_model(lambda x: ops.exp(x) / ops.sum(ops.exp(x), axis=1, keepdims=True), 3)
    a = xai.explain(hidden, np.ones((2, 3)), method, target=1)
    assert any("look like probabilities" in note for note in a.notes)
    assert "probabilities" not in notes_of(doubling, np.ones((2, 3)), method, target=1)


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
        told = notes_of(tabular.model, rows, method)
        if not isinstance(method, xai.SmoothGrad):  # which has no baseline to take
            assert ("Samples(data)" in told) == ("their scales are far apart" in told)
        else:
            assert "Samples(data)" not in told
        return "their scales are far apart" in told

    rows = tabular.inputs[:1]
    assert drowns(rows, method)
    assert not drowns(np.ones_like(rows) + rows / rows.max(), method)
    assert not drowns(rows, xai.ExpectedGradients(samples=2, baseline=xai.Samples(tabular.inputs[1:3])))


@pytest.mark.parametrize(
    "method", ["saliency", "gradient_input", "integrated_gradients", "deep_lift", "kernel_shap", "lime"]
)
def test_a_map_that_is_zero_everywhere_is_said_so_with_its_sample(half_dead, method):
    model, inputs = half_dead
    assert "The map of sample 0 is zero everywhere: " in notes_of(model, inputs, method, target=0)


def test_lime_explains_nothing_of_a_score_that_does_not_vary(half_dead):
    model, inputs = half_dead
    told = notes_of(model, inputs[:1], "lime", target=0)
    assert "The score does not vary over the masks" in told
    assert "R2" not in told


def test_rounding_is_no_map(half_dead):
    model, inputs = half_dead
    a = xai.explain(model, inputs[:1], "rise", target=0)
    assert not a.values.any()
    assert "The map is zero everywhere: the score is the same whatever is masked." in a.notes
    for size, zero in ((1e-7, True), (1e-4, False)):
        frame = Frame([np.full((1, 2), size)], baseline_score=np.array([0.4]))
        shown = steadied(xai.LIME(), frame, np.array([0.4], "float32"))
        assert (not np.any(shown.values[0])) == zero


def test_what_steadies_a_map_is_a_field_of_its_method():
    assert xai.AblationCAM().more == "more channels"
    assert xai.IntegratedGradients().more == "more steps"
    assert xai.SmoothGrad().more == "more samples"


def test_samples_are_named_by_their_places():
    which = np.array([True, False, True, True])
    assert of_samples(which[:1]) == ""
    assert of_samples(which, 10, 20) == " of samples 10, 12 and 13"
    assert of_samples(~which, 10, 20) == " of sample 11"
    assert of_samples(np.ones(9, bool), 0, 20) == " of samples 0, 1, 2 and 6 more"
    assert of_samples(np.ones(9, bool), 0, 9) == " of every sample"


def test_all_samples_that_miss_a_part_of_the_score_are_named():
    x = keras.Input((2,))
    hidden = keras.layers.Dense(2, activation="relu", bias_initializer=keras.initializers.Constant(-100))(x)
    model = keras.Model(x, keras.layers.Dense(2, bias_initializer="ones")(hidden))
    assert "The map of every sample misses 100% of the score" in notes_of(model, np.ones((2, 2)), "lrp")


def test_a_baseline_whose_score_is_close_is_said_so_of_classes(doubling):
    for size, close in ((0.97, True), (0.8, False)):
        method = xai.IntegratedGradients(steps=2, baseline=xai.Constant(size))
        assert ("there is little to attribute" in notes_of(doubling, np.ones((1, 3)), method, target=1)) == close


def test_a_fit_of_fewer_masks_than_weights_says_that_it_means_nothing(doubling):
    assert "means nothing: 3 weights fit the scores of 3 masks" in notes_of(
        doubling, np.ones((1, 3)), xai.LIME(samples=3), target=1
    )
    assert "means nothing" not in notes_of(doubling, np.ones((1, 3)), xai.LIME(samples=100), target=1)


def test_a_probability_that_cannot_be_had_is_said_so(doubling):
    assert "probability=True could not be met" in notes_of(doubling, np.ones((1, 3)), "saliency", probability=True)


def test_what_a_preprocess_for_arrays_alone_means_is_told_by_the_kind_of_method(doubling):
    def preprocess(x):
        return np.array(x.tolist())

    for method, told in (("saliency", "the map is with respect to what it returns"), ("occlusion", "that is masked")):
        assert told in notes_of(doubling, np.ones((1, 3)), method, preprocess=preprocess)


@pytest.mark.parametrize("mean", [lambda x: ops.mean(x, axis=0), lambda x: np.array(x.tolist()).mean(axis=0)])
def test_a_preprocess_that_mixes_samples_is_said_so(doubling, mean):
    inputs = np.arange(6.0).reshape(2, 3)
    assert "mixes samples" in notes_of(doubling, inputs, "saliency", preprocess=lambda x: x - mean(x))
    assert "mixes samples" not in notes_of(doubling, inputs, "saliency", preprocess=lambda x: x - mean(x[:1] * 0))


def test_token_ids_beside_a_table_are_said_to_be_missing_in_the_map():
    ids, table = keras.Input((6,), dtype="int32"), keras.Input((3,))
    mean = layers.GlobalAveragePooling1D()(layers.Embedding(11, 4, name="words")(ids))
    model = keras.Model([ids, table], layers.Dense(2)(layers.Concatenate()([mean, table])))
    inputs = [np.ones((2, 6), int), samples(3, count=2)]
    said = "Input 0 holds token ids, which have no gradient"
    assert any(note.startswith(said) for note in xai.explain(model, inputs, "gradient_input", target=0).notes)
    assert not any(note.startswith(said) for note in xai.explain(model, inputs, "occlusion", target=0).notes)
