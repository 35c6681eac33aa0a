"""The widget without a browser: state in, frames out, newest wins, errors shown."""

import gc
import re
import threading
import time
import weakref

import keras
import numpy as np
import pytest
from keras import layers, ops
from models import function_model, unchanged

import xai_widgets as xai
from xai_widgets.declare import to_json
from xai_widgets.widgets.base import FRAMES_PER_SECOND
from xai_widgets.worker import WORKER

WAIT = 60


@pytest.fixture
def widget(digits):
    with unchanged(digits.model):
        widget = xai.SaliencyWidget(digits.model, digits.inputs[:5], names=digits.names)
        yield widget
        widget.close()
        assert WORKER.wait_idle(WAIT)  # whatever it was tracing is whole again


def shown(widget):
    """The map as the browser would decode it."""
    (header,) = widget.frame["arrays"]
    values = np.frombuffer(widget.frame["data"], "<f2", np.prod(header["shape"]), header["offset"])
    return values.reshape(header["shape"]).astype(float) * header["scale"]


def page(widget, **state):
    """What happens when the page sets state."""
    widget.set_state(state)


def test_work_starts_at_construction_and_equals_explain(widget, digits):
    a = widget.result(WAIT)
    expected = xai.explain(digits.model, digits.inputs[:1])
    np.testing.assert_array_equal(a.values, expected.values)
    np.testing.assert_allclose(shown(widget), expected.heatmap()[0], atol=1e-3 * np.abs(expected.values).max())
    assert widget.phase == "settled"
    assert "32 of 32 passes" in widget.status
    assert widget.error == ""
    card = widget.frame["card"]
    assert card["target_name"] == digits.names[card["target"]]
    assert card["sum"] == pytest.approx(float(a.values.sum()), rel=1e-3)
    assert widget._pictures[0]["shape"] == [28, 28, 1]
    assert widget._predictions["classes"][0] == a.target[0]
    assert widget._predictions["kind"] == "probability"


def test_state_from_the_page_and_from_python_is_computed(widget, digits):
    page(widget, method={"name": "integrated_gradients", "steps": 8, "baseline": {"name": "blur", "sigma": 3}})
    assert widget.method == xai.IntegratedGradients(steps=8, baseline=xai.Blur(3))
    assert widget.result(WAIT).passes == 8
    page(widget, target=3)
    assert widget.result(WAIT).target[0] == 3
    widget.index = 2
    np.testing.assert_array_equal(widget.result(WAIT).inputs, digits.inputs[2:3])
    widget.target = "7"
    assert widget.target == 7
    widget.method = "saliency"
    assert np.isnan(widget.result(WAIT).residual[0])
    assert widget.frame["card"]["residual"] is None


def test_result_is_never_an_older_states(widget):
    for steps in (300, 200, 7):
        widget.method = xai.IntegratedGradients(steps=steps)
        widget.target = steps % 10
        a = widget.result(WAIT)
        assert (a.passes, a.target[0]) == (steps, steps % 10)


def test_code_makes_the_same_attribution(widget, digits):
    page(widget, target=4, index=1, method={"name": "integrated_gradients", "baseline": {"name": "blur", "sigma": 2}})
    again = eval(widget.code(), {"xai": xai, "model": digits.model, "inputs": digits.inputs})
    np.testing.assert_array_equal(again.values, widget.result(WAIT).values)


def test_code_names_each_array_for_itself(widget, digits):
    own, others = digits.inputs[:2], digits.inputs[30:32]
    for first, second in ((own, digits.inputs[3:5]), (others, own)):
        widget.method = xai.IntegratedGradients(steps=2, baseline=xai.Mix(xai.Mean(first), xai.Mean(second), 0.5))
        again = eval(widget.code(), {"xai": xai, "model": digits.model, "inputs": digits.inputs[:5], "samples": others})
        np.testing.assert_array_equal(again.values, widget.result(WAIT).values)


def test_code_names_the_labels_of_the_sample_that_is_shown(widget, digits):
    rows, segments = np.arange(784).reshape(28, 28), {}
    segments["each"] = np.stack([rows // (784 // count + 1) for count in (2, 3, 4, 5, 6)])
    segments["all"] = segments["each"][3]
    widget.index = 2
    for kind, source in (("each", "segments=segments[2:3]"), ("all", "segments=segments,")):
        widget.method = xai.KernelSHAP(samples=64, segments=segments[kind])
        assert source in widget.code()
        names = {"xai": xai, "model": digits.model, "inputs": digits.inputs[:5], "segments": segments[kind]}
        again, a = eval(widget.code(), names), widget.result(WAIT)
        assert a.values.shape == {"each": (1, 4), "all": (1, 5)}[kind]
        np.testing.assert_array_equal(again.segments, a.segments)
        np.testing.assert_array_equal(again.values, a.values)


@pytest.mark.parametrize(
    "state",
    [
        {"method": None},
        {"method": {"name": "integrated_gradients", "steps": 0}},
        {"method": {"name": "integrated_gradients", "steps": 257}},
        {"method": {"name": "integrated_gradients", "baseline": {"name": "blur", "sigma": -1}}},
        {"method": {"name": "integrated_gradients", "baseline": {"name": "constant", "value": "red"}}},
        {"method": {"name": "__import__"}},
        {"target": 10},
        {"target": -1},
        {"target": 1.5},
        {"target": True},
        {"target": {"a": 1}},
        {"target": "__class__"},
        {"index": 5},
        {"index": None},
        {"index": "0"},
        {"opacity": 7},
        {"opacity": "x"},
        {"sign": "sideways"},
        {"clip": 3},
        {"colormap": "nope"},
        {"colormap": ["PuOr_r"]},
    ],
    ids=str,
)
def test_hostile_state_is_refused_with_a_reason_and_the_map_stays(widget, state):
    widget.result(WAIT)
    before = {
        name: getattr(widget, name)
        for name in ("method", "target", "index", "frame", "opacity", "sign", "clip", "colormap")
    }
    page(widget, **state)
    assert widget._refused
    assert {name: getattr(widget, name) for name in before} == before
    page(widget, target=1)
    assert widget._refused == ""
    assert widget.result(WAIT).target[0] == 1


@pytest.mark.parametrize("name", ["frame", "_schema", "_names", "_esm", "error", "status", "_title"])
def test_what_is_pythons_to_say_cannot_be_set_by_the_page(widget, name):
    widget.result(WAIT)
    before = getattr(widget, name)
    page(widget, **{name: type(before)() if not isinstance(before, str) else "hostile"})
    assert getattr(widget, name) == before


def test_a_larger_value_from_python_widens_the_slider_and_comes_back_from_the_page(widget):
    widget.method = xai.IntegratedGradients(steps=1000, baseline=xai.Constant(np.zeros((28, 28, 1))))
    field = widget._schema["methods"][0]["fields"][0]
    assert (field["name"], field["max"]) == ("steps", 1000)
    sent = widget.get_state("method")["method"]
    page(widget, method={**sent, "rule": "left"})
    assert widget._refused == ""
    assert widget.method == widget.method.replace(rule="left", steps=1000)


@pytest.mark.parametrize(
    ("arguments", "error", "says"),
    [
        ({"target": 10}, ValueError, "target must be 0 to 9"),
        ({"index": 5}, ValueError, "index must be from 0 to 4"),
        ({"method": "saliancy"}, ValueError, "did you mean 'saliency'"),
        ({"steps": 0, "method": "integrated_gradients"}, ValueError, "steps must be >= 1"),
        ({"wrt": "convx"}, ValueError, "did you mean 'conv'"),
        ({"names": "0123456789"}, TypeError, "names must be"),
        ({"batch_size": 0}, ValueError, "batch_size must be >= 1"),
        ({"batch_size": "all"}, TypeError, "batch_size must be an integer"),
    ],
)
def test_bad_arguments_raise_before_anything_is_drawn(digits, arguments, error, says):
    with pytest.raises(error, match=says):
        xai.SaliencyWidget(digits.model, digits.inputs[:5], **arguments)


@pytest.mark.parametrize("name", ["blur_ig", "xrai"])
def test_methods_that_do_not_apply_raise_before_anything_is_drawn(tabular, name):
    with pytest.raises(ValueError, match="got inputs of shape"):
        xai.SaliencyWidget(tabular.model, tabular.inputs[:2], name)


@pytest.mark.parametrize(
    ("method", "says"),
    [
        (xai.GradCAM(layer="conve"), "GradCAM.layer 'conve' names no single layer of the model; did you mean 'conv'"),
        (xai.IntegratedGradients(baseline=xai.Constant([1, 2])), "Constant.value of shape"),
        (xai.SmoothGrad(of=xai.GuidedIG(baseline=xai.Constant([1, 2]))), "Constant.value of shape"),
        (xai.KernelSHAP(segments=np.zeros((27, 28), int)), "KernelSHAP.segments must be a number, or labels"),
        (xai.Occlusion(window=(2, 2, 2)), "Occlusion.window must be one number or 2"),
    ],
    ids=lambda one: getattr(one, "name", ""),
)
def test_methods_that_do_not_fit_raise_in_the_cell_and_are_refused_from_the_page(widget, digits, method, says):
    with pytest.raises(ValueError, match=says):
        xai.SaliencyWidget(digits.model, digits.inputs[:5], method)
    a, before = widget.result(WAIT), widget.method
    with pytest.raises(ValueError, match=says):
        widget.method = method
    page(widget, method=to_json(method, widget._menu.arrays))
    assert re.search(says, widget._refused)
    assert widget.method == before
    assert widget.result(WAIT) is a
    assert widget.error == ""


def test_bad_values_raise_in_the_cell(widget):
    with pytest.raises(ValueError, match="target must be 0 to 9"):
        widget.target = 10
    with pytest.raises(TypeError, match="opacity must be a number"):
        widget.opacity = "full"
    with pytest.raises(ValueError, match=r"offers IntegratedGradients, .*Saliency"):
        widget.method = _Other()


class _Other(xai.Saliency):
    """A method that this widget does not offer."""


def test_one_sample_without_a_batch_axis(digits):
    widget = xai.SaliencyWidget(digits.model, digits.inputs[3])
    assert widget.result(WAIT).values.shape == (1, 28, 28, 1)
    assert widget._samples == 1
    widget.close()


def test_a_table_is_shown_with_its_names(tabular):
    widget = xai.SaliencyWidget(tabular.model, tabular.inputs[:2], names=tabular.names, features=tabular.features)
    widget.result(WAIT)
    assert widget.frame["arrays"][0]["shape"] == [30]
    assert widget._pictures[0]["labels"] == list(tabular.features)
    assert "blur" not in [one["name"] for one in widget._schema["baselines"]]
    assert any(feature in widget.frame["sentence"] for feature in tabular.features)
    widget.close()


@pytest.mark.parametrize(
    "name", ["series", "volume", "subclassed", "binary", "mixed_precision", "log_softmax", "regression"]
)
def test_any_model_is_shown(zoo, name):
    model, inputs = zoo[name]
    widget = xai.SaliencyWidget(model, inputs, steps=4, method="integrated_gradients")
    widget.result(WAIT)
    assert len(widget.frame["arrays"][0]["shape"]) in (1, 2)
    assert widget._pictures[0]["shape"]
    widget.close()


def test_an_error_is_shown_the_map_stays_and_the_next_change_tries_again(widget):
    widget.result(WAIT)
    before = widget.frame

    def broken(outputs):
        raise ZeroDivisionError("the target is broken")

    widget.target = broken
    with pytest.raises(ZeroDivisionError):
        widget.result(WAIT)
    assert (widget.phase, widget.error) == ("error", "the target is broken")
    assert widget.frame == before
    widget.target = 2
    assert widget.result(WAIT).target[0] == 2
    assert widget.error == ""


def test_a_burst_of_changes_costs_little_and_ends_at_the_last(widget):
    widget.result(WAIT)
    drawn = []
    widget.observe(lambda change: drawn.append(change.new["job"]), "frame")
    started = time.perf_counter()
    for steps in range(1, 201):
        page(widget, method={"name": "integrated_gradients", "steps": 56 + steps})
    handlers = time.perf_counter() - started
    assert widget.result(WAIT).passes == 256
    assert widget.frame["card"]["passes"] == 256
    assert drawn == sorted(drawn)
    assert len(drawn) < 200
    assert handlers / 200 < 0.02


def test_ten_thousand_changes_from_two_threads_lose_none(widget):
    """The page and a cell set traits while the worker publishes: each set is seen at once by the one who made it."""
    widget.method = xai.IntegratedGradients(steps=512)
    wrong = []

    def from_page():
        for count in range(5000):
            page(widget, opacity=(count % 100) / 100)
            if widget.opacity != (count % 100) / 100:
                wrong.append(("page", count))

    def from_cell():
        for count in range(5000):
            widget.clip = 50 + count % 50
            if widget.clip != 50 + count % 50:
                wrong.append(("cell", count))

    threads = [threading.Thread(target=one) for one in (from_page, from_cell)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert widget.result(WAIT).passes == 512


def test_result_in_the_worker_raises_rather_than_waiting_for_itself(widget):
    widget.result(WAIT)
    said, done = [], threading.Event()

    def ask(change):
        try:
            widget.result(1)
        except RuntimeError as error:
            said.append(str(error))
        done.set()

    widget.observe(ask, "frame")
    widget.method = xai.IntegratedGradients(steps=500)
    assert done.wait(WAIT)
    widget.unobserve_all("frame")
    assert "cannot wait" in said[0]


def test_timeout_and_close(digits):
    widget = xai.SaliencyWidget(digits.model, digits.inputs[:1], method=xai.IntegratedGradients(steps=100_000))
    with pytest.raises(TimeoutError, match="no settled result within"):
        widget.result(0.05)
    waiting = threading.Timer(0.3, widget.close)
    waiting.start()
    with pytest.raises(RuntimeError, match="closed"):
        widget.result(WAIT)
    waiting.join()
    assert WORKER.wait_idle(5)


def test_frames_are_few_and_the_last_always_comes():
    model = function_model(lambda x: ops.sum(x**3, axis=1, keepdims=True), 4)
    widget = xai.SaliencyWidget(model, np.ones((1, 4)), method=xai.IntegratedGradients(steps=20_000))
    drawn = []
    widget.observe(lambda change: drawn.append((time.perf_counter(), change.new["progress"])), "frame")
    started = time.perf_counter()
    widget.result(WAIT)
    assert drawn[-1][1] == 1
    assert len(drawn) <= (time.perf_counter() - started) * FRAMES_PER_SECOND + 3
    widget.close()


def test_several_inputs_each_have_a_map():
    a, b = keras.Input((3,), name="a"), keras.Input((6, 6, 1), name="b")
    joined = layers.Concatenate()([a, layers.Flatten()(b)])
    model = keras.Model({"a": a, "b": b}, layers.Dense(1)(joined))
    inputs = {"b": np.random.rand(2, 6, 6, 1), "a": np.random.rand(2, 3)}
    widget = xai.SaliencyWidget(model, inputs)
    widget.result(WAIT)
    assert [one["shape"] for one in widget.frame["arrays"]] == [[3], [6, 6]]
    assert [one["name"] for one in widget._pictures] == ["a", "b"]
    again = eval(widget.code(), {"xai": xai, "model": model, "inputs": inputs})
    np.testing.assert_array_equal(again.values["b"], widget.result(WAIT).values["b"])
    widget.close()


def test_two_widgets_that_follow_each_other_do_not_wait_for_each_other(digits):
    one, other = (xai.SaliencyWidget(digits.model, digits.inputs[:5]) for _ in range(2))
    one.observe(lambda change: setattr(other, "index", change.new), "index")
    other.observe(lambda change: setattr(one, "index", change.new), "index")

    def from_page():
        for place in range(50):
            page(other, index=place % 5)

    thread = threading.Thread(target=from_page)
    thread.start()
    for place in range(50):
        one.index = (place + 2) % 5
    thread.join(30)
    assert not thread.is_alive()
    one.result(WAIT)
    one.close()
    other.close()


def test_new_weights_and_a_changed_model_are_seen():
    x = keras.Input((4,))
    model = keras.Model(x, layers.Dense(3, "softmax", name="head")(x))
    inputs = np.random.rand(1, 4)
    widget = xai.SaliencyWidget(model, inputs)
    widget.result(WAIT)
    model.set_weights([2 * weight + 1 for weight in model.get_weights()])
    widget.target = 1
    a = widget.result(WAIT)
    np.testing.assert_allclose(a.score, xai.explain(model, inputs, target=1).score)
    np.testing.assert_allclose(a.residual, 0, atol=1e-5)
    widget.target = None
    before = widget.result(WAIT)
    model.set_weights([-weight for weight in model.get_weights()])
    widget.method = xai.IntegratedGradients(steps=8)
    a = widget.result(WAIT)
    assert a.target != before.target
    assert a.target == xai.explain(model, inputs).target
    np.testing.assert_allclose(a.score, xai.explain(model, inputs).score, rtol=1e-5)
    model.get_layer("head").activation = keras.activations.linear
    widget.target = 2
    assert widget.result(WAIT).score_name == "output"
    assert xai.explain(model, inputs).score_name == "output"
    widget.close()


@pytest.mark.slow
def test_a_closed_widget_is_freed_with_its_model():
    x = keras.Input((4,))
    model = keras.Model(x, layers.Dense(3)(x))
    widget = xai.SaliencyWidget(model, np.ones((1, 4)))
    widget.result(WAIT)
    gone = weakref.ref(widget), weakref.ref(model)
    widget.close()
    widget.target = 1  # starts nothing any more
    with pytest.raises(RuntimeError, match="closed"):
        widget.result(1)
    del widget, model, x
    end = time.monotonic() + 10
    while any(one() is not None for one in gone) and time.monotonic() < end:
        gc.collect()
        time.sleep(0.05)
    assert [one() for one in gone] == [None, None]


def test_the_page_may_come_back_to_a_value_that_python_set(widget):
    widget.method = xai.IntegratedGradients(steps=1000)
    sent = widget.get_state("method")["method"]
    page(widget, method={"name": "saliency"})
    page(widget, method=sent)
    assert widget._refused == ""
    assert widget.method.steps == 1000


def test_a_target_without_a_class_is_named_on_the_page(widget):
    widget.target = xai.Margin(3, 5)
    assert widget.get_state("target")["target"] == {"label": "3 rather than 5"}
    assert widget.result(WAIT).targets == ("3 rather than 5",)
    assert "target=xai.Margin(first=3, second=5)" in widget.code()
    page(widget, target=None)
    assert widget.target is None


@pytest.mark.parametrize(
    ("features", "error"), [("abc", TypeError), (["a"], ValueError), (["a"] * 30, ValueError), (np.arange(30), None)]
)
def test_feature_names(tabular, features, error):
    if error is None:
        xai.SaliencyWidget(tabular.model, tabular.inputs[:1], features=features).close()
    else:
        with pytest.raises(error, match="features must"):
            xai.SaliencyWidget(tabular.model, tabular.inputs[:1], features=features)


def test_a_method_within_a_method_from_the_page_and_from_python(widget, digits):
    inner = {"name": "integrated_gradients", "steps": 4, "baseline": {"name": "blur", "sigma": 3}, "rule": "midpoint"}
    page(widget, method={"name": "smooth_grad", "samples": 4, "of": inner})
    expected = xai.SmoothGrad(samples=4, of=xai.IntegratedGradients(steps=4, baseline=xai.Blur(3)))
    assert widget.method == expected
    assert widget.result(WAIT).passes == 16
    assert widget._baselines[0]["shape"] == [28, 28, 1]
    assert "of=xai.IntegratedGradients(steps=4, baseline=xai.Blur(sigma=3.0)" in widget.code()
    page(widget, method={"name": "smooth_grad", "samples": 4, "of": {**inner, "steps": 300}})
    assert widget.method == expected
    assert "IntegratedGradients.steps must be <= 256" in widget._refused
    widget.method = expected.replace(of=xai.IntegratedGradients(steps=300, baseline=xai.Blur(60)))
    page(widget, method={"name": "smooth_grad", "samples": 4, "of": {**inner, "steps": 290}})
    assert widget.method.of.steps == 290


@pytest.mark.parametrize(
    "method", [xai.XRAI(steps=4), xai.Conductance(steps=4), xai.BlurIG(steps=4), xai.GuidedIG(steps=4)]
)
def test_maps_of_regions_layers_and_other_paths_are_shown(digits, method):
    widget = xai.SaliencyWidget(digits.model, digits.inputs[:2], method)
    a = widget.result(WAIT)
    np.testing.assert_allclose(shown(widget), a.heatmap()[0], atol=1e-3 * np.abs(a.heatmap()).max())
    assert widget.error == ""
    assert widget.frame["sentence"].startswith("The map adds up to")
    widget.close()


def test_another_model_and_other_samples_are_explained_at_once(widget, digits):
    clone = keras.models.clone_model(digits.model)
    clone.set_weights([-weights for weights in digits.model.get_weights()])
    widget.index = 2
    widget.model = clone
    assert widget.model is clone
    again = xai.explain(clone, digits.inputs[2:3], widget.method)
    np.testing.assert_allclose(widget.result(WAIT).values, again.values, atol=1e-6)
    widget.inputs = digits.inputs[20:24]
    assert widget.index == 0
    np.testing.assert_array_equal(widget.result(WAIT).inputs, digits.inputs[20:21])
    assert widget.get_state()["_samples"] == 4


def test_what_does_not_fit_the_model_changes_nothing(widget, digits):
    before = widget.result(WAIT)
    with pytest.raises(ValueError, match="shape"):
        widget.inputs = np.zeros((2, 5, 5, 1), "float32")
    with pytest.raises(TypeError, match="model"):
        widget.model = "a network"
    assert widget.model is digits.model
    assert widget.inputs is digits.inputs or np.array_equal(widget.inputs, digits.inputs[: len(widget.inputs)])
    assert widget.result(WAIT) is before


def test_what_a_widget_has_not_cannot_be_set(widget):
    with pytest.raises(AttributeError, match=r"set w.method, as in w.method = w.method.replace\(steps=...\)"):
        widget.steps = 3
    with pytest.raises(AttributeError, match="target"):
        widget.targett = 5
    with pytest.raises(AttributeError, match="steps"):
        widget.steps = 5
