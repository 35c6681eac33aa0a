"""LIMEWidget without a browser: weights and label maps out, refits without a pass, parts switched off and on."""

import threading
import time

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers, ops
from models import function_model, unchanged

import xai_widgets as xai
from xai_widgets.declare import to_json
from xai_widgets.worker import WORKER

WAIT = 60
METHOD = xai.LIME(samples=200, segments=30)


@pytest.fixture
def widget(digits):
    with unchanged(digits.model):
        widget = xai.LIMEWidget(digits.model, digits.inputs[:5], METHOD, names=digits.names)
        yield widget
        widget.close()
        assert WORKER.wait_idle(WAIT)


@pytest.fixture
def counted():
    """A model of 8 x 8 pictures, and the sizes of the batches that it was given."""
    batches = []
    weights = np.random.default_rng(0).normal(size=64).astype("float32")

    def note(rows):
        batches.append(len(rows))
        return rows

    def run(x):
        seen = tf.numpy_function(note, [x], tf.float32, stateful=True)
        rows = ops.reshape(tf.ensure_shape(seen, x.shape), (-1, 64))
        return ops.tanh(rows @ weights[:, None])

    return function_model(run, (8, 8, 1)), batches


def weights(widget):
    """As the browser would decode them, of all inputs one after the other."""
    data = widget.frame["data"]
    parts = [
        np.frombuffer(data, "<f4", one["shape"][0], one["offset"]) * one["scale"] for one in widget.frame["arrays"]
    ]
    return np.concatenate(parts)


def answered(widget, off):
    """What the model says without some segments, once that is said."""
    end = time.monotonic() + WAIT
    while widget.edited.get("off") != off or (off and "score" not in widget.edited):
        assert time.monotonic() < end, widget.edited
        time.sleep(0.01)
    return widget.edited


def without(x, labels, off, absent=0.0):
    return np.where(np.isin(labels, off)[..., None], absent, x)


def test_weights_errors_and_labels_are_those_of_explain(widget, digits):
    a = widget.result(WAIT)
    expected = xai.explain(digits.model, digits.inputs[:1], METHOD)
    np.testing.assert_array_equal(a.values, expected.values)
    np.testing.assert_allclose(weights(widget), expected.values[0], rtol=1e-6)
    np.testing.assert_allclose(np.frombuffer(widget._surrogate["error"], "<f4"), expected.error[0], rtol=1e-6)
    (players,) = widget._players
    labels = np.frombuffer(players["data"], np.uint8).reshape(players["shape"])
    np.testing.assert_array_equal(labels, expected.segments[0])
    assert len(players["labels"]) == len(players["texts"]) == expected.values.shape[1]
    assert players["texts"][labels[0, 0]] == "upper left"
    assert f"R2 = {widget._surrogate['explained']:.2f}" in " ".join(a.notes)
    assert len(widget.frame["data"]) == 4 * expected.values.shape[1]


def test_the_label_map_is_sent_once(widget):
    widget.result(WAIT)
    sent = []
    widget.observe(lambda change: sent.append(change.name), ["_players", "_equations", "_pictures"])
    for width in (0.3, 0.5, 1.0):
        widget.method = METHOD.replace(kernel_width=width)
        widget.result(WAIT)
    widget.target = 3
    widget.result(WAIT)
    assert "_players" not in sent
    assert "_pictures" not in sent
    widget.index = 1
    widget.result(WAIT)
    assert sent.count("_players") == 1


def test_kernel_width_and_ridge_predict_nothing(counted):
    model, batches = counted
    x = np.random.default_rng(1).random((1, 8, 8, 1), np.float32)
    widget = xai.LIMEWidget(model, x, METHOD)
    before = widget.result(WAIT)
    assert WORKER.wait_idle(WAIT)
    batches.clear()
    for changes in ({"kernel_width": 0.4}, {"alpha": 10.0}, {"kernel_width": 1.5, "alpha": 0.0}):
        widget.method = widget.method.replace(**changes)
        a = widget.result(WAIT)
        assert a.method == widget.method
        assert not np.array_equal(a.values, before.values)
    widget.top, widget.sign = 3, "positive"
    assert batches == []
    expected = xai.explain(model, x, widget.method)
    np.testing.assert_allclose(a.values, expected.values, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(a.error, expected.error, rtol=1e-5)
    assert a.notes == expected.notes
    batches.clear()
    widget.method = widget.method.replace(seed=1)
    widget.result(WAIT)
    assert sum(batches) >= 200
    widget.close()


def test_a_refit_in_the_middle_of_a_run_goes_on_from_there(digits):
    method = xai.LIME(samples=6000)
    widget = xai.LIMEWidget(digits.model, digits.inputs[:1], method)
    seen = []
    widget.observe(lambda change: seen.append((change.new["job"], change.new["progress"])), "frame")
    while not seen:
        time.sleep(0.002)
    other = method.replace(kernel_width=0.5)
    widget.method = other
    a = widget.result(WAIT)
    first = next(progress for job, progress in seen if job == 2)
    assert first >= max(progress for job, progress in seen if job == 1) > 0
    np.testing.assert_allclose(a.values, xai.explain(digits.model, digits.inputs[:1], other).values, rtol=1e-6)
    widget.close()


def test_the_page_is_sent_all_that_a_fit_needs(widget):
    widget.result(WAIT)
    sent = widget._equations
    count = len(sent["rarity"]) - 1
    bits = np.frombuffer(sent["bits"], np.uint8).reshape(sent["rows"], -1)
    masks = np.unpackbits(bits, axis=1, count=count)
    scores = np.frombuffer(sent["scores"], "<f4")
    near = np.asarray(sent["rarity"])[masks.sum(axis=1)] * np.exp(-(((1 - np.sqrt(masks.mean(axis=1))) / 0.25) ** 2))
    rows = np.concatenate([np.ones((len(masks), 1)), masks], axis=1)
    ridge = np.diag([0.0] + [1.0] * count)
    fit = np.linalg.solve(rows.T @ (rows * near[:, None]) + ridge, rows.T @ (near * (scores - sent["middle"])))
    np.testing.assert_allclose(fit[1:], weights(widget), rtol=1e-4, atol=1e-5)
    assert fit[0] + sent["middle"] == pytest.approx(widget._surrogate["intercept"], rel=1e-4)
    widget.method = xai.LIME(samples=8192, segments=200)
    widget.result(WAIT)
    assert widget._equations == {} or len(widget._equations["bits"]) < 1 << 18


def test_parts_that_are_off_are_asked_of_the_model(widget, digits):
    a = widget.result(WAIT)
    x = digits.inputs[:1]
    widget.off = [4, 3]
    assert widget.off == [3, 4]
    said = answered(widget, [3, 4])
    edited = without(x, a.segments, [3, 4])
    again = xai.explain(digits.model, edited, "saliency", target=int(a.target[0]))
    assert said["score"] == pytest.approx(float(again.score[0]), rel=1e-4)
    probabilities = digits.model(edited).numpy()[0]
    assert said["best"]["classes"][0] == probabilities.argmax()
    assert said["best"]["values"][0] == pytest.approx(probabilities.max(), rel=1e-4)
    widget.set_state({"off": []})
    assert "score" not in answered(widget, [])
    assert widget.result(1) is a


def test_the_answer_follows_baseline_and_target(widget, digits):
    a = widget.result(WAIT)
    widget.off = [5]
    before = answered(widget, [5])
    widget.target = 7
    widget.result(WAIT)
    said = answered(widget, [5])
    assert said["version"] > before["version"]
    edited = without(digits.inputs[:1], a.segments, [5])
    expected = xai.explain(digits.model, edited, "saliency", target=7).score[0]
    assert said["score"] == pytest.approx(float(expected), rel=1e-4)
    widget.method = METHOD.replace(baseline=xai.Constant(1.0))
    widget.result(WAIT)
    edited = without(digits.inputs[:1], a.segments, [5], 1.0)
    expected = xai.explain(digits.model, edited, "saliency", target=7).score[0]
    assert answered(widget, [5])["score"] == pytest.approx(float(expected), rel=1e-4)


def test_numbers_of_other_segments_mean_nothing(widget):
    widget.result(WAIT)
    widget.off = [5]
    answered(widget, [5])
    widget.method = METHOD.replace(segments=12)
    widget.result(WAIT)
    assert widget.off == []
    answered(widget, [])
    widget.method = METHOD
    widget.result(WAIT)
    widget.off = [2]
    widget.index = 1
    widget.result(WAIT)
    assert widget.off == []


def test_the_newest_question_is_answered(widget):
    widget.result(WAIT)
    versions = []
    widget.observe(lambda change: versions.append((change.new["version"], change.new["off"])), "edited")
    for number in range(20):
        widget.set_state({"off": list(range(number + 1))})
    answered(widget, list(range(20)))
    assert WORKER.wait_idle(WAIT)
    assert [version for version, _ in versions] == sorted({version for version, _ in versions})
    assert versions[-1][1] == list(range(20))


@pytest.mark.parametrize("off", [[99], [-1], [True], [1.5], ["1"], "12", None, {"a": 1}], ids=str)
def test_what_cannot_be_switched_off_is_refused(widget, off):
    widget.result(WAIT)
    widget.set_state({"off": off})
    assert "off must" in widget._refused
    assert widget.off == []
    with pytest.raises((TypeError, ValueError), match="off must"):
        widget.off = off


@pytest.mark.parametrize("top", [0, 2.5, "all", None])
def test_top_is_a_whole_number(widget, top):
    widget.set_state({"top": top})
    assert "top must be" in widget._refused
    assert widget.top == 10


@pytest.mark.parametrize("name", ["edited", "_players", "_surrogate", "_equations"])
def test_what_is_pythons_to_say_cannot_be_set_by_the_page(widget, name):
    widget.result(WAIT)
    before = getattr(widget, name)
    widget.set_state({name: {} if isinstance(before, dict) else []})
    assert getattr(widget, name) == before


def test_features_of_a_table_are_switched_off(tabular):
    t = tabular
    widget = xai.LIMEWidget(t.model, t.inputs[:3], names=t.names, features=t.features, samples=100, method="lime")
    a = widget.result(WAIT)
    (players,) = widget._players
    assert players["labels"] == list(t.features)
    assert "data" not in players
    widget.off = [0]
    edited = t.inputs[:1].copy()
    edited[0, 0] = 0
    expected = xai.explain(t.model, edited, "saliency", target=int(a.target[0])).score[0]
    assert answered(widget, [0])["score"] == pytest.approx(float(expected), rel=1e-4)
    widget.index = 1  # the same features: they stay off
    widget.result(WAIT)
    assert widget.off == [0]
    widget.close()


@pytest.mark.parametrize("name", ["series", "volume", "mixed_precision", "regression", "binary"])
def test_any_model_is_shown(zoo, name):
    model, inputs = zoo[name]
    widget = xai.LIMEWidget(model, inputs, xai.LIME(samples=60, segments=9))
    a = widget.result(WAIT)
    np.testing.assert_allclose(weights(widget), a.values[0], rtol=1e-5)
    assert len(widget._players[0]["labels"]) == a.values.shape[1]
    widget.off = [1]
    assert np.isfinite(answered(widget, [1])["score"])
    widget.close()


def test_players_of_several_inputs_are_numbered_through():
    a, b = keras.Input((3,), name="a"), keras.Input((6, 6, 1), name="b")
    model = keras.Model({"a": a, "b": b}, layers.Dense(1)(layers.Concatenate()([a, layers.Flatten()(b)])))
    inputs = {"a": np.random.rand(1, 3), "b": np.random.rand(1, 6, 6, 1)}
    widget = xai.LIMEWidget(model, inputs, xai.LIME(samples=300, segments=np.arange(36).reshape(6, 6) // 12, alpha=0))
    widget.result(WAIT)
    assert [(one["name"], len(one["labels"])) for one in widget._players] == [("a", 3), ("b", 3)]
    widget.off = [1, 4]
    edited = {"a": inputs["a"].copy(), "b": inputs["b"].copy()}
    edited["a"][0, 1], edited["b"][0, 2:4] = 0, 0
    expected = float(model(edited)[0, 0])
    assert answered(widget, [1, 4])["score"] == pytest.approx(expected, rel=1e-4)
    on = [weight for number, weight in enumerate(weights(widget)) if number not in (1, 4)]
    assert widget._surrogate["intercept"] + sum(on) == pytest.approx(expected, rel=1e-3)
    widget.close()


def test_a_baseline_of_many_references_gives_a_score_and_no_class(digits):
    method = METHOD.replace(baseline=xai.Samples(digits.inputs[5:8]))
    widget = xai.LIMEWidget(digits.model, digits.inputs[:1], method)
    a = widget.result(WAIT)
    widget.off = [2]
    said = answered(widget, [2])
    scores = [
        xai.explain(digits.model, without(digits.inputs[:1], a.segments, [2], one), "saliency", target=int(a.target[0]))
        for one in digits.inputs[5:8]
    ]
    assert said["score"] == pytest.approx(float(np.mean([one.score for one in scores])), rel=1e-4)
    assert said["best"] == {}
    widget.close()


def test_kernel_shap_has_the_same_view(widget):
    widget.method = xai.KernelSHAP(samples=300, segments=30)
    a = widget.result(WAIT)
    whole = widget._surrogate["intercept"] + weights(widget).sum()
    assert whole == pytest.approx(float(a.score[0]), rel=1e-4)
    assert widget._equations == {}
    widget.off = [1]
    assert "score" in answered(widget, [1])


def test_recording_other_positions_leaves_what_is_off(widget):
    widget.result(WAIT)
    widget.off = [3]
    said = answered(widget, [3])["score"]
    widget.record(seed=[0, 1])
    widget.result(WAIT)
    assert widget.off == [3]
    assert answered(widget, [3])["score"] == pytest.approx(said, rel=1e-5)
    assert {one["drawn"]["_surrogate"]["method"]["seed"] for one in widget._recorded} == {0, 1}
    assert to_json(widget.method, {})["seed"] == 0


def test_an_error_of_the_model_is_said_and_nothing_is_stuck(digits):
    """A closed widget and questions from several threads do no harm."""
    widget = xai.LIMEWidget(digits.model, digits.inputs[:2], METHOD)
    widget.result(WAIT)
    threads = [threading.Thread(target=lambda k=k: widget.set_state({"off": [k]})) for k in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT)
    answered(widget, widget.off)
    widget.close()
    widget.off = [1]
    assert WORKER.wait_idle(WAIT)


def test_any_widget_refits_without_a_pass(counted):
    model, batches = counted
    widget = xai.SaliencyWidget(model, np.random.default_rng(1).random((1, 8, 8, 1), np.float32), METHOD)
    widget.result(WAIT)
    assert WORKER.wait_idle(WAIT)
    batches.clear()
    widget.method = METHOD.replace(kernel_width=0.4)
    assert widget.result(WAIT).method.kernel_width == 0.4
    assert batches == []
    widget.close()
