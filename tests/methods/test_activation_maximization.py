"""Inputs that are made: known optima, real networks, and how they are shown."""

import gc
import weakref
from pathlib import Path

import keras
import numpy as np
import pytest
from models import function_model, samples

import xai_widgets as xai
from xai_widgets.caption import sentence
from xai_widgets.task import Subject, Task

DATA = Path(__file__).parents[3] / "shared" / "data"


def cosine(a, b):
    return float((a * b).sum() / np.linalg.norm(a) / np.linalg.norm(b))


WEIGHTS = np.random.default_rng(3).normal(size=(12,)).astype("float32")


@pytest.fixture(scope="module")
def linear():
    """w x, of a table."""
    model = keras.Sequential([keras.Input((12,)), keras.layers.Dense(1, use_bias=False)])
    model.layers[0].set_weights([WEIGHTS[:, None]])
    return model


@pytest.fixture(scope="module")
def made_digits(digits):
    """One input for each class, on samples of another class."""
    method = xai.ActivationMaximization(steps=128)
    return xai.explain(digits.model, digits.inputs[1:11], method, target=list(range(10)), names=digits.names)


def test_a_linear_unit_held_by_l2_is_excited_most_along_its_weights(linear):
    inputs = np.array([[-1.0] + [1.0] * 11] * 2, "float32")
    a = xai.explain(linear, inputs, xai.ActivationMaximization(steps=400, l2=4))
    assert cosine(a.values[0], WEIGHTS) > 0.999
    # The middle of the range is 0, and the pull is 1 / l2 of the root mean square at the ink where both are equal.
    ink = np.arctanh(a.values[0]) * 2
    assert np.sqrt((ink**2).mean()) == pytest.approx(1 / 4, rel=0.02)
    np.testing.assert_allclose(a.score, a.values @ WEIGHTS, rtol=1e-5)


def test_without_a_pull_it_ends_in_the_corner_of_the_range(linear):
    low, high = np.linspace(-4, -1, 12), np.linspace(1, 8, 12)
    a = xai.explain(linear, samples(12), xai.ActivationMaximization(steps=400, low=low, high=high))
    np.testing.assert_allclose(a.values, np.broadcast_to(np.where(WEIGHTS > 0, high, low), (3, 12)), atol=0.01)


def test_a_planted_neuron_is_found():
    """A filter of one convolution: its best input is the filter itself, in the place that the neuron looks at."""
    x = keras.Input((12, 12, 1))
    model = keras.Model(x, keras.layers.Flatten()(keras.layers.Conv2D(2, 5, name="conv")(x)))
    planted = np.random.default_rng(0).normal(size=(5, 5, 1, 2)).astype("float32")
    model.get_layer("conv").set_weights([planted, np.zeros(2)])
    method = xai.ActivationMaximization(steps=300, parametrization="pixel", transforms=0, l2=20, total_variation=0)
    a = xai.explain(model, np.eye(12, dtype="float32")[None, ..., None], method, target=xai.Neuron("conv", (3, 4, 1)))
    around = a.values[0] - 0.5
    inside = around[3:8, 4:9]
    assert cosine(inside, planted[..., 1]) > 0.98
    assert np.abs(np.delete(around, np.s_[3:8], axis=0)).max() < 0.01
    assert a.score_name == "activation"
    assert a.target[0] == -1
    fourier = xai.explain(
        model, a.inputs, method.replace(parametrization="fourier"), target=xai.Neuron("conv", (3, 4, 1))
    )
    assert cosine(fourier.values[0][3:8, 4:9] - 0.5, planted[..., 1]) > 0.9


def test_it_scores_more_than_any_digit(digits, made_digits):
    best = [xai.explain(digits.model, digits.inputs, "saliency", target=digit).score.max() for digit in range(10)]
    assert (made_digits.score > 1.5 * np.array(best)).all()
    given = xai.explain(digits.model, made_digits.values, "saliency", target=list(range(10))).score
    np.testing.assert_allclose(made_digits.score, given, rtol=1e-4)
    predicted = digits.model(made_digits.values).numpy().argmax(axis=1)
    np.testing.assert_array_equal(predicted, np.arange(10))


def test_what_is_made_keeps_to_the_range_and_the_shape(digits, made_digits):
    values = made_digits.values
    assert values.shape == (10, 28, 28, 1)
    assert values.dtype == np.float32
    assert values.min() >= 0
    assert values.max() <= 1
    assert np.isnan(made_digits.residual).all()
    assert np.isnan(made_digits.baseline_score).all()
    assert made_digits.error is None
    bright = xai.explain(digits.model, 200 * digits.inputs[:1], xai.ActivationMaximization(steps=60), target=3)
    assert 100 < bright.values.max() <= 255


def test_the_path_tells_the_score_step_by_step(made_digits):
    steps, scores = made_digits.path
    np.testing.assert_array_equal(steps, np.arange(129))
    assert scores.shape == (10, 129)
    np.testing.assert_array_equal(scores[:, -1], made_digits.score)
    assert (scores[:, 64] > scores[:, 0] + 10).all()


def test_the_samples_do_not_matter_but_for_their_range_unless_it_starts_there(digits):
    method = xai.ActivationMaximization(steps=20)
    one, other = (xai.explain(digits.model, digits.inputs[[i]], method, target=3).values for i in (0, 1))
    np.testing.assert_array_equal(one, other)
    started = xai.explain(digits.model, digits.inputs[[0]], method.replace(start="inputs"), target=3).values
    assert cosine(started - started.mean(), digits.inputs[0] - digits.inputs[0].mean()) > 0.5
    few = method.replace(start="inputs", steps=1, learning_rate=1e-6)
    nothing = xai.explain(digits.model, digits.inputs[[0]], few, target=3).values
    np.testing.assert_allclose(nothing[0], digits.inputs[0], atol=0.021)  # what is kept from the ends of the range


def test_preprocessing_is_part_of_what_is_climbed(digits):
    raw = digits.inputs[:1] * 255
    whole = xai.explain(digits.model, raw, xai.ActivationMaximization(steps=30), target=2, preprocess=lambda x: x / 255)
    plain = xai.explain(digits.model, digits.inputs[:1], xai.ActivationMaximization(steps=30), target=2)
    np.testing.assert_allclose(whole.values / 255, plain.values, atol=1e-3)


@pytest.mark.slow
def test_every_frame_is_a_picture_and_nothing_is_kept(digits):
    task = Task(Subject(digits.model, digits.inputs[:1]), xai.ActivationMaximization(steps=60), target=[3])
    before = None
    for frame, a in task.frames():
        assert a.values.shape == (1, 28, 28, 1)
        assert a.path[1].shape[1] >= frame.passes
        np.testing.assert_array_equal(a.score, a.path[1][:, -1])
        logit = xai.explain(digits.model, a.values, "saliency", target=3).score
        np.testing.assert_allclose(a.score, logit, rtol=1e-4)
        assert before is None or before() is None
        before = weakref.ref(frame.values[0])
        del frame, a
        gc.collect()


def test_another_target_seed_or_length_is_not_traced_anew(digits):
    from xai_widgets.engine.compiled import _COMPILED

    method = xai.ActivationMaximization(steps=3)
    xai.explain(digits.model, digits.inputs[:2], method, target=3)
    known = len(_COMPILED[digits.model].functions)
    for other in (method.replace(steps=5), method.replace(seed=2, l2=0.1, learning_rate=0.2, transforms=0.3, low=0.1)):
        xai.explain(digits.model, digits.inputs[:3], other, target=4)
    assert len(_COMPILED[digits.model].functions) == known


@pytest.mark.parametrize(
    ("method", "says"),
    [
        (xai.ActivationMaximization(low=[0, 1]), r"ActivationMaximization.low must be a number, 1 values .* \(2,\)"),
        (xai.ActivationMaximization(high=np.zeros((3, 3))), r"array of shape \(28, 28, 1\), got shape \(3, 3\)"),
        (xai.ActivationMaximization(low=1, high=0.5), "low must be below high everywhere, got 1 and 0.5"),
        (xai.ActivationMaximization(low=3), "low must be below high everywhere, got 3 and 1"),
    ],
)
def test_a_range_that_does_not_fit_is_refused_at_once(digits, method, says):
    with pytest.raises(ValueError, match=says):
        Task(Subject(digits.model, digits.inputs[:1]), method)


def test_token_ids_and_layers_are_refused(zoo):
    specimen = zoo["tokens"]
    with pytest.raises(ValueError, match="makes an input of the model: it takes no wrt="):
        xai.explain(*specimen, xai.ActivationMaximization(), wrt="words")
    with pytest.raises(ValueError, match=r"ActivationMaximization .*token ids"):
        xai.explain(*specimen, xai.ActivationMaximization(), target=0)


def test_what_misleads_is_said(digits, made_digits, tabular):
    def notes(method, inputs=digits.inputs[:1], model=digits.model, **more):
        return " ".join(xai.explain(model, inputs, method, **more).notes)

    assert "which may be far from anything that the model will meet" in " ".join(made_digits.notes)
    assert "not shares of it" in made_digits.notes[1]
    few = xai.ActivationMaximization(steps=2)
    assert "fine patterns" not in notes(few)
    assert "Without the Fourier spectrum" in notes(few.replace(parametrization="pixel"))
    assert "Without transforms" in notes(few.replace(transforms=0))
    assert "scores less than the input that was given: more steps" in notes(few)
    assert "The model predicts" not in notes(few, target=5)
    limits = {"low": tabular.inputs.min(axis=0), "high": tabular.inputs.max(axis=0)}
    assert "unit of its own: give low" in notes(few, tabular.inputs[:1], tabular.model)
    assert "unit of its own" not in notes(few.replace(**limits), tabular.inputs[:1], tabular.model)


def test_a_unit_that_is_off_is_said_to_be():
    model = function_model(lambda x: keras.ops.relu(keras.ops.sum(x, axis=-1, keepdims=True) - 100), 3)
    a = xai.explain(model, samples(3), xai.ActivationMaximization(steps=5), target=0)
    assert any("no slope where the ascent starts" in note for note in a.notes)
    assert np.isfinite(a.values).all()


@pytest.mark.slow
def test_shown_as_it_is_and_not_as_a_map(made_digits, zoo, tmp_path):
    figure = made_digits.plot(3)
    (axis,) = figure.axes
    assert figure.subfigs[0].get_suptitle() == f"sample 3 \u00b7 3 \u00b7 logit {made_digits.score[3]:.3g}"
    shown = axis.get_images()[0].get_array()
    np.testing.assert_allclose(shown, made_digits.values[3, ..., 0] * 255, atol=0.51)
    assert sentence(made_digits, sample=3).startswith("An input that was made to raise \u201c3\u201d: the logit is ")
    assert len(made_digits.plot().axes) == 8
    for name in ("series", "volume", "dict_inputs"):
        specimen = zoo[name]
        a = xai.explain(specimen.model, specimen.inputs, xai.ActivationMaximization(steps=2), target=0)
        assert len(a.plot(0).axes) == len(specimen.arrays)
    made_digits.save(tmp_path / "made")
    again = xai.Attribution.load(tmp_path / "made")
    np.testing.assert_array_equal(again.values, made_digits.values)
    assert again.method == made_digits.method


def test_no_metric_takes_it_for_a_map(digits, made_digits):
    with pytest.raises(ValueError, match="ActivationMaximization makes an input of its own"):
        xai.deletion(digits.model, made_digits.inputs, made_digits)


def test_the_widget_shows_what_was_made_in_place_of_the_picture(digits):
    w = xai.SaliencyWidget(digits.model, digits.inputs, xai.ActivationMaximization(steps=40), target=3)
    a = w.result(60)
    assert w.frame["arrays"] == []
    assert w.frame["path"]["ends"] == ["first step", "last step"]
    shown = np.frombuffer(w._pictures[0]["data"], np.uint8).reshape(28, 28)
    np.testing.assert_allclose(shown, a.values[0, ..., 0] * 255, atol=0.51)
    w.method = "saliency"
    w.result(60)
    assert len(w.frame["arrays"]) == 1
    given = np.frombuffer(w._pictures[0]["data"], np.uint8).reshape(28, 28)
    np.testing.assert_allclose(given, digits.inputs[0, ..., 0] * 255, atol=0.51)
    w.close()
    assert not xai.ActivationMaximization.fits((1, 30))


@pytest.mark.slow
@pytest.mark.skipif(not DATA.exists(), reason="needs ../shared/data: an ImageNet network and photographs")
def test_on_an_imagenet_network_it_is_robust_and_smooth_where_plain_pixels_are_not():
    """The class is seen from anywhere, and most of the picture lies in slow waves."""
    model = keras.models.load_model(DATA / "darknet_tiny.keras")
    names = (DATA / "imagenet_names.txt").read_text().splitlines()[:1000]
    grey = np.full((1, 224, 224, 3), 0.5, "float32")

    def looked_at(**fields):
        method = xai.ActivationMaximization(steps=64, **fields)
        a = xai.explain(model, grey, method, target="zebra", names=names)
        moved = xai.explain(model, np.roll(a.values, (3, 5), (1, 2)), "saliency", target="zebra", names=names)
        power = np.abs(np.fft.fft2(a.values[0].mean(axis=-1))) ** 2
        power[0, 0] = 0
        slow = np.hypot(*np.meshgrid(np.fft.fftfreq(224), np.fft.fftfreq(224))) < 0.1
        return a.score[0], moved.score[0] / a.score[0], power[slow].sum() / power.sum()

    score, robust, slow = looked_at()
    _, fragile, fast = looked_at(parametrization="pixel", transforms=0)
    assert score > 60  # the photograph of zebras in the same folder scores 13
    assert robust > fragile + 0.1
    assert slow > fast + 0.2
