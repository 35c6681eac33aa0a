"""A painted region in every picture view, without a browser: what is claimed for it, and what its removal does."""

import time

import keras
import numpy as np
import pytest
from models import unchanged

import xai_widgets as xai
from xai_widgets.worker import WORKER

WAIT = 90
RUNS = [28 * 10 + 8, 12, 28 * 11 + 8, 12]
REGION = {"input": 0, "runs": RUNS}
SAMPLES = np.stack([np.full((28, 28, 1), value, np.float32) for value in (0.0, 0.3, 0.9)])
BASELINES = [xai.Constant(0.5), xai.Blur(2), xai.MaxDistance(), xai.Samples(SAMPLES), xai.GaussianNoise(0.4, seed=3)]
VIEWS = [xai.SaliencyWidget, xai.CAMWidget, xai.LIMEWidget, xai.LRPWidget, xai.SHAPWidget]


def seen(widget, but=None):
    """What the model says of the region, once it has answered anew."""
    end = time.monotonic() + WAIT
    while widget._effect == {} or widget._effect is but or widget._effect["runs"] != widget.region["runs"]:
        assert time.monotonic() < end, widget._refused or "no answer"
        time.sleep(0.02)
    widget.settle(WAIT)
    (one,) = widget._effect["seen"]
    return one


def edited(inputs, baseline, draw=0):
    changed = inputs.copy()
    changed[:, 10:12, 8:20] = baseline.reference(inputs, draw)[:, 10:12, 8:20]
    return changed


def by_hand(digits, baseline, score, index=0):
    """The score of a sample, and its mean where each reference in turn takes the place of the region."""
    inputs = digits.inputs[index : index + 1]
    draws = range(baseline.count or 8)
    before, *after = (score(one)[0] for one in (inputs, *(edited(inputs, baseline, draw) for draw in draws)))
    return before, np.mean(after)


def logits(model, inputs):
    """What enters the last softmax, by the last layer's own weights."""
    before = keras.Model(model.inputs[0], model.layers[-1].input)
    kernel, bias = model.layers[-1].get_weights()
    return np.asarray(before(inputs)) @ kernel + bias


@pytest.mark.parametrize("baseline", BASELINES, ids=lambda one: type(one).__name__)
def test_the_effect_is_that_of_the_current_baseline(digits, baseline):
    """Of several references the mean over them; the probability is what the model itself returns."""
    method = xai.IntegratedGradients(steps=4, baseline=baseline)
    widget = xai.SaliencyWidget(digits.model, digits.inputs[:2], method, probability=True, target=0)
    widget.region = REGION
    told = seen(widget)
    before, after = by_hand(digits, baseline, lambda inputs: np.asarray(digits.model(inputs))[:, 0])
    np.testing.assert_allclose([told["score"], told["without"]], [before, after], rtol=1e-4, atol=1e-6)
    assert told["baseline"] == type(baseline).label
    widget.close()


@pytest.mark.parametrize(
    ("options", "name", "of"),
    [
        ({"target": 3}, "logit", lambda all: all[:, 3]),
        ({"target": 3, "probability": True}, "probability", lambda all: np.asarray(keras.ops.softmax(all))[:, 3]),
        ({"target": xai.Margin(3, 5)}, "logit", lambda all: all[:, 3] - all[:, 5]),
    ],
    ids=["logit", "probability", "margin"],
)
def test_the_effect_is_of_the_score_in_use(digits, options, name, of):
    method = xai.IntegratedGradients(steps=4, baseline=xai.Blur(2))
    widget = xai.SaliencyWidget(digits.model, digits.inputs[:1], method, **options)
    widget.region = REGION
    told = seen(widget)
    before, after = by_hand(digits, method.baseline, lambda inputs: of(logits(digits.model, inputs)))
    np.testing.assert_allclose([told["score"], told["without"]], [before, after], rtol=1e-4, atol=1e-4)
    assert widget._effect["score_name"] == name
    widget.close()


@pytest.mark.parametrize("view", VIEWS, ids=lambda one: one.__name__)
def test_every_picture_view_asks_the_model_and_leaves_it_as_it_is(digits, view):
    with unchanged(digits.model):
        widget = view(digits.model, digits.inputs[:2], target=0)
        widget.set_state({"region": REGION})
        told = seen(widget)
        baseline = getattr(widget.method, "baseline", xai.Constant(0))
        alone = [
            xai.explain(digits.model, one, "saliency", target=0).score[0]
            for one in (digits.inputs[:1], edited(digits.inputs[:1], baseline))
        ]
        np.testing.assert_allclose([told["score"], told["without"]], alone, atol=1e-4)
        assert widget._refused == ""
        widget.close()


def test_it_survives_another_method_target_and_baseline_and_the_effect_follows(digits):
    widget = xai.SaliencyWidget(digits.model, digits.inputs[:3], "saliency", target=0)
    widget.region = REGION
    first = seen(widget)
    assert first["baseline"] == "Constant"
    for change in (
        {"method": xai.IntegratedGradients(steps=4, baseline=xai.Blur(3))},
        {"method": xai.IntegratedGradients(steps=4, baseline=xai.Constant(1))},
        {"target": 7},
    ):
        before = widget._effect
        for name, value in change.items():
            setattr(widget, name, value)
        told = seen(widget, but=before)
        assert widget.region == REGION
        baseline = getattr(widget.method, "baseline", xai.Constant(0))
        alone = xai.explain(digits.model, edited(digits.inputs[:1], baseline), "saliency", target=widget.target)
        np.testing.assert_allclose(told["without"], alone.score[0], atol=1e-4)
    widget.index = 1
    assert widget.region == widget._effect == {}
    widget.region = REGION
    seen(widget)
    widget.inputs = digits.inputs[4:6]
    assert widget.region == widget._effect == {}
    widget.close()
    assert WORKER.wait_idle(WAIT)


def test_new_weights_count_on_both_sides_of_the_effect(digits):
    model = keras.models.clone_model(digits.model)
    widget = xai.SaliencyWidget(model, digits.inputs[:1], "saliency", target=0)
    widget.result(WAIT)
    model.set_weights(digits.model.get_weights())
    widget.region = REGION
    told = seen(widget)
    alone = xai.explain(digits.model, digits.inputs[:1], "saliency", target=0)
    np.testing.assert_allclose(told["score"], alone.score[0], atol=1e-4)
    away = xai.explain(digits.model, edited(digits.inputs[:1], xai.Constant(0)), "saliency", target=0)
    np.testing.assert_allclose(told["without"], away.score[0], atol=1e-4)
    widget.close()


def spread(widget):
    """The map that shares values out over pixels, as the page decodes it."""
    (array,) = widget.frame["arrays"]
    header = array.get("spread", array)
    values = np.frombuffer(widget.frame["data"], "<f2", np.prod(header["shape"]), header["offset"])
    return values.reshape(header["shape"]).astype(float) * header["scale"]


@pytest.mark.parametrize(
    "method",
    [
        xai.KernelSHAP(samples=64, segments=12),
        xai.IntegratedGradients(steps=8),
        xai.LIME(samples=64, segments=12),
        xai.Conductance(steps=4),
    ],
    ids=lambda one: type(one).__name__,
)
def test_what_travels_adds_up_to_what_the_map_says(digits, method):
    """A segment's value, or a layer's cell, is painted over many pixels, and counts once."""
    widget = xai.SaliencyWidget(digits.model, digits.inputs[:1], method, target=0)
    attribution = widget.result(WAIT)
    np.testing.assert_allclose(
        spread(widget).sum(), attribution.values.sum(), rtol=0.02, atol=2e-3 * np.abs(attribution.values).sum()
    )
    if attribution.segments is not None:
        labels = attribution.segments[0]
        for segment, value in enumerate(attribution.values[0]):
            np.testing.assert_allclose(spread(widget)[labels == segment].sum(), value, rtol=0.01, atol=1e-3)
    widget.close()


def test_the_cells_of_a_layer_travel_as_they_are_where_they_do_not_divide_the_picture():
    x = keras.Input((10, 10, 1))
    y = keras.layers.Conv2D(3, 4, activation="relu", name="seven")(x)
    model = keras.Model(x, keras.layers.Dense(2)(keras.layers.Flatten()(y)))
    inputs = np.random.default_rng(0).random((1, 10, 10, 1), np.float32)
    widget = xai.SaliencyWidget(model, inputs, xai.IntegratedGradients(steps=4), wrt="seven", target=0)
    attribution = widget.result(WAIT)
    assert spread(widget).shape == (7, 7)
    np.testing.assert_allclose(spread(widget), attribution.values[0].sum(axis=-1), atol=1e-3)
    widget.close()


def test_of_a_layer_that_is_called_twice_each_picture_is_of_the_same_input():
    x = keras.Input((8, 8, 1))
    shared = keras.layers.Conv2D(1, 3, padding="same", activation="relu", name="shared")
    model = keras.Model(x, keras.layers.Dense(2)(keras.layers.GlobalAveragePooling2D()(shared(shared(x)))))
    inputs = np.random.default_rng(0).random((1, 8, 8, 1), np.float32)
    widget = xai.CAMWidget(model, inputs, xai.GradCAM(layer="shared"), target=0)
    widget.result(WAIT)
    assert len(widget._pictures) == 2
    told = []
    for place in (0, 1):
        widget.region = {"input": place, "runs": [0, 20]}
        told.append(seen(widget))
        widget.region = {}
    assert told[0] == told[1]
    with pytest.raises(ValueError, match="input 2 is none"):
        widget.region = {"input": 2, "runs": [0, 20]}
    widget.close()


def test_what_is_said_of_another_target_goes_with_it(digits):
    widget = xai.CompareWidget(digits.model, digits.inputs[:1], ["saliency", "gradient_input"], target=0)
    widget.settle(WAIT)
    widget.region = REGION
    widget.settle(WAIT)
    assert widget._effect["seen"]
    widget.target = 7
    assert widget._effect == {}
    widget.settle(WAIT)
    alone = xai.explain(digits.model, digits.inputs[:1], "saliency", target=7)
    np.testing.assert_allclose(widget._effect["seen"][0]["score"], alone.score[0], atol=1e-4)
    widget.close()


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"runs": [1]}, "runs of two numbers"),
        ({"runs": [780, 10]}, "within the 784 positions"),
        ({"runs": [0, 100, 50, 100]}, "one after the other, got one from 50 and one up to 100"),
        ({"runs": [0, 2], "input": 4}, "input 4 is none"),
        ({"runs": "all"}, "region must be a bool array"),
        (3, "region must be a bool array"),
    ],
)
def test_what_is_no_region_is_refused(digits, value, message):
    widget = xai.SaliencyWidget(digits.model, digits.inputs[:1], "saliency")
    with pytest.raises((TypeError, ValueError), match=message):
        widget.region = value
    widget.set_state({"region": value})
    assert widget._refused
    assert widget.region == {}
    widget.close()


def test_a_mask_is_a_region_and_none_is_none(digits):
    widget = xai.SaliencyWidget(digits.model, digits.inputs[:1], "saliency")
    mask = np.zeros((28, 28), bool)
    mask[10:12, 8:20] = True
    widget.region = mask
    assert widget.region == REGION
    widget.region = None
    assert widget.region == {}
    with pytest.raises(ValueError, match=r"must have the shape \(28, 28\) of the picture, got \(4, 4\)"):
        widget.region = np.ones((4, 4), bool)
    with pytest.raises(TypeError, match=r"must be a bool array \(H, W\), .* got ndarray"):
        widget.region = np.ones((28, 28))
    widget.close()


def test_what_was_recorded_has_the_effect_of_its_own_baseline(digits):
    widget = xai.SaliencyWidget(digits.model, digits.inputs[:1], xai.IntegratedGradients(steps=2), target=0)
    widget.result(WAIT)
    widget.region = REGION
    baselines = [xai.Constant(0.5), xai.Samples(SAMPLES)]
    widget.record(baseline=baselines)
    for one, baseline in zip(widget._recorded, baselines, strict=True):
        (told,) = one["drawn"]["_effect"]["seen"]
        before, after = by_hand(digits, baseline, lambda inputs: logits(digits.model, inputs)[:, 0])
        np.testing.assert_allclose([told["score"], told["without"]], [before, after], rtol=1e-4, atol=1e-4)
    widget.close()


def test_a_table_has_no_region_and_an_explanation_no_model(tabular, digits):
    widget = xai.SHAPWidget(tabular.model, tabular.inputs[:3])
    with pytest.raises(ValueError, match="must lie on a picture"):
        widget.region = {"input": 0, "runs": [0, 2]}
    widget.close()
    attribution = xai.explain(digits.model, digits.inputs[:1], "saliency")
    widget = xai.SHAPWidget(attribution.to_shap())
    widget.region = REGION
    widget.settle(WAIT)
    assert widget._effect["seen"] == []
    widget.close()
