"""SHAPWidget without a browser: one sample, all samples, and what shap hands over."""

import time

import keras
import numpy as np
import pytest
from models import unchanged

import xai_widgets as xai
from xai_widgets.widgets import swarm as swarms
from xai_widgets.widgets.handed import HandedSHAP
from xai_widgets.worker import WORKER

WAIT = 60


@pytest.fixture
def table(tabular):
    with unchanged(tabular.model):
        table = xai.SHAPWidget(tabular.model, tabular.inputs[:40], names=tabular.names, features=tabular.features)
        yield table
        table.close()
        assert WORKER.wait_idle(WAIT)


def numbers(told, name, width=30):
    flat = np.frombuffer(told[name], "<f4")
    return flat.reshape(-1, width) if name in ("values", "data", "error") else flat


def grown(widget):
    """What is told of all samples, once they are all known."""
    widget.settle(WAIT)
    assert len(widget._swarm["samples"]) == widget._swarm["count"]
    return widget._swarm


def explanation(tabular, rows=slice(0, 12), **changes):
    shap = pytest.importorskip("shap")
    a = xai.explain(tabular.model, tabular.inputs[rows], xai.GradientInput(), target=0)
    base = np.linspace(-1, 1, len(a))
    given = {"values": a.values, "base_values": base, "data": a.inputs, "feature_names": list(tabular.features)}
    return shap.Explanation(**{**given, **changes})


def test_a_table_starts_from_some_of_its_samples(table, tabular):
    a = table.result(WAIT)
    places = np.linspace(0, 39, 32).astype(int)
    assert table.method == xai.KernelSHAP(baseline=xai.Samples(tabular.inputs[places]))
    expected = xai.explain(tabular.model, tabular.inputs[:1], table.method)
    np.testing.assert_array_equal(a.values, expected.values)
    np.testing.assert_array_equal(numbers(table._row, "values"), expected.values)
    np.testing.assert_array_equal(numbers(table._row, "error"), expected.error)
    again = eval(table.code(), {"xai": xai, "model": tabular.model, "inputs": tabular.inputs[:40]})
    np.testing.assert_array_equal(again.values, expected.values)
    assert table._row["samples"] == [0]
    assert numbers(table._row, "base") == pytest.approx(expected.baseline_score)
    assert numbers(table._row, "score") == pytest.approx(expected.score)
    # Methods that a person turns to start there too.
    defaults = [field["default"] for one in table._schema["methods"] for field in one["fields"]]
    assert sum(isinstance(value, dict) and value["name"] == "samples" for value in defaults) == 6
    table.set_state({"method": {"name": "deep_lift", "baseline": next(v for v in defaults if isinstance(v, dict))}})
    assert table.result(WAIT).method == xai.DeepLift(baseline=table.method.baseline)


def test_pictures_and_single_samples_start_from_the_methods_own_baseline(digits, tabular):
    pictures = xai.SHAPWidget(digits.model, digits.inputs[:3], samples=64)
    assert pictures.method == xai.KernelSHAP(samples=64)
    assert pictures.result(WAIT).segments is not None
    assert pictures._row == pictures._swarm == {}
    assert pictures.get_state()["_esm"] == str(xai.SaliencyWidget._esm)
    one = xai.SHAPWidget(tabular.model, tabular.inputs[0], samples=64)
    assert one.method == xai.KernelSHAP(samples=64)
    one.result(WAIT)
    assert one._swarm == {"total": 1}
    assert one.get_state()["_esm"] == str(xai.SHAPWidget._esm)
    for widget in (pictures, one):
        widget.close()


def test_all_samples_are_explained_for_the_class_of_the_one_that_is_shown(table, tabular):
    target = int(table.result(WAIT).target[0])
    told = grown(table)
    expected = xai.explain(tabular.model, tabular.inputs[:40], table.method, target=target)
    assert told["samples"] == list(range(40))
    assert (told["target"], told["target_name"]) == (target, tabular.names[target])
    np.testing.assert_allclose(numbers(told, "values"), expected.values, atol=1e-5)
    np.testing.assert_array_equal(numbers(told, "data"), tabular.inputs[:40])
    np.testing.assert_allclose(numbers(told, "base"), expected.baseline_score, atol=1e-5)
    np.testing.assert_allclose(numbers(told, "score"), expected.score, atol=1e-5)


def test_another_sample_keeps_the_others_and_another_class_brings_its_own(table, tabular):
    table.target = 0
    table.result(WAIT)
    first = grown(table)
    table.index = 5
    table.result(WAIT)
    grown(table)
    assert table._row["samples"] == [5]
    assert numbers(table._row, "values") == pytest.approx(numbers(first, "values")[5:6], abs=1e-5)
    assert table._swarm == first
    table.target = 1
    table.result(WAIT)
    assert WORKER.wait_idle(WAIT)
    expected = xai.explain(tabular.model, tabular.inputs[:40], table.method, target=1)
    np.testing.assert_allclose(numbers(table._swarm, "values"), expected.values, atol=1e-5)
    assert len(table._swarms) == 2


@pytest.mark.parametrize("method", xai.SHAPWidget.METHODS, ids=lambda cls: cls.__name__)
def test_every_method_explains_all_samples(table, tabular, method):
    if method.family == "SHAP package":
        pytest.importorskip("shap")
    few = {"samples": 32} if "samples" in method.__dataclass_fields__ else {}
    table.method = method(**few, baseline=xai.Samples(tabular.inputs[30:34]))
    told = grown(table)
    assert told["method"] == method.label
    assert table._refused == table.error == ""
    values = numbers(told, "values")
    assert np.isfinite(values).all()
    gap = numbers(told, "score") - numbers(told, "base")
    close = {"ExpectedGradients": 0.5, "GradientSHAP": 1.0}.get(method.__name__, 1e-3)
    assert np.abs(values.sum(axis=1) - gap).max() < close * np.abs(gap).max()


@pytest.mark.parametrize("target", [xai.Margin(0, 1), xai.Class(1), lambda outputs: outputs[:, 0] ** 2], ids=str)
def test_other_targets_are_those_of_all_samples(table, tabular, target):
    table.target = target
    expected = xai.explain(tabular.model, tabular.inputs[:40], table.method, target=target, names=tabular.names)
    np.testing.assert_allclose(numbers(grown(table), "values"), expected.values, rtol=1e-4, atol=1e-4)
    assert table._swarm["target_name"] == expected.targets[0]


def test_recorded_positions_bring_their_values(table):
    table.record(index=[0, 3])
    table.result(WAIT)
    assert [one["drawn"]["_row"]["samples"] for one in table._recorded] == [[0], [3]]


def test_new_weights_are_noticed(tabular):
    inputs = keras.Input((30,))
    model = keras.Model(inputs, keras.layers.Dense(1, kernel_initializer="ones")(inputs))
    widget = xai.SHAPWidget(model, tabular.inputs[:6])
    widget.result(WAIT)
    before = numbers(grown(widget), "values")
    model.set_weights([3 * weight for weight in model.get_weights()])
    widget.index = 1
    widget.result(WAIT)
    assert WORKER.wait_idle(WAIT)
    np.testing.assert_allclose(numbers(widget._swarm, "values"), 3 * before, rtol=1e-3, atol=1e-2)
    widget.close()


@pytest.mark.slow
def test_other_samples_bring_the_page_that_draws_them(digits):
    widget = xai.SHAPWidget(digits.model, digits.inputs[:2], samples=32)
    flat = keras.Input((784,))
    widget.model, before = widget.model, widget.get_state()["_esm"]
    assert before == str(xai.SaliencyWidget._esm)
    table = xai.SHAPWidget(keras.Model(flat, keras.layers.Dense(3)(flat)), digits.inputs[:4].reshape(4, -1), samples=32)
    table.settle(WAIT)
    assert table.get_state()["_esm"] == str(xai.SHAPWidget._esm)
    for one in (widget, table):
        one.close()


def test_many_samples_are_chosen_evenly():
    assert swarms.evenly(5, 30).tolist() == [0, 1, 2, 3, 4]
    chosen = swarms.evenly(10_000, 30)
    assert (len(chosen), chosen[0], chosen[-1]) == (256, 0, 9999)
    assert np.ptp(np.diff(chosen)) <= 1
    assert len(swarms.evenly(10_000, 100_000)) == 16


def test_each_step_in_the_background_is_short(table, monkeypatch):
    table.result(WAIT)
    grown(table)
    steps = []
    step = WORKER._step

    def timed(job):
        start = time.perf_counter()
        try:
            return step(job)
        finally:
            steps.append(time.perf_counter() - start)

    monkeypatch.setattr(WORKER, "_step", timed)
    table.target = 1 - int(table.result(WAIT).target[0])
    table.result(WAIT)
    assert WORKER.wait_idle(WAIT)
    assert len(steps) > 3
    assert np.median(steps) < 0.1
    assert max(steps) < 0.5  # a busy machine


def test_the_page_sets_how_charts_look(table):
    table.set_state({"chart": "force", "order": "name", "top": 5})
    assert (table.chart, table.order, table.top) == ("force", "name", 5)
    table.set_state({"top": 0})
    assert "top must be from 1" in table._refused
    table.set_state({"chart": "pie"})
    assert "chart must be one of" in table._refused
    table.set_state({"_swarm": {}, "_row": {}})
    assert (table.chart, table.top) == ("force", 5)


def test_an_explanation_is_shown_as_it_is(tabular):
    given = explanation(tabular)
    widget = xai.SHAPWidget(given, index=2)
    assert isinstance(widget, HandedSHAP)
    a = widget.result(WAIT)
    np.testing.assert_array_equal(a.values, given.values[2:3])
    assert a.score[0] == pytest.approx(given.base_values[2] + given.values[2].sum(), rel=1e-5)
    assert "nothing to compute" in widget.status
    assert widget._pictures[0]["labels"] == list(tabular.features)
    assert [field for one in widget._schema["methods"] for field in one["fields"]] == []
    np.testing.assert_array_equal(numbers(grown(widget), "values"), given.values)
    again = eval(widget.code(), {"xai": xai, "explanation": given})
    np.testing.assert_array_equal(again.values, a.values)
    widget.set_state({"index": 7})
    np.testing.assert_array_equal(widget.result(WAIT).values, given.values[7:8])
    widget.close()


def test_an_explanation_of_several_outputs_shows_the_largest_or_the_one_that_is_asked_for(tabular):
    one = explanation(tabular)
    values = np.stack([one.values, -one.values], axis=-1)
    base = np.stack([one.base_values, -one.base_values], axis=-1)
    two = explanation(tabular, values=values, base_values=base, output_names=["up", "down"])
    widget = xai.SHAPWidget(two)
    sums = base + values.sum(axis=1)
    assert widget.result(WAIT).target[0] == sums[0].argmax()
    assert widget._names == ["up", "down"]
    assert widget._predictions["values"] == pytest.approx(sorted(sums[0], reverse=True), rel=1e-4)
    widget.target = "down"
    assert widget.target == 1
    np.testing.assert_array_equal(widget.result(WAIT).values, values[:1, :, 1])
    widget.set_state({"target": 7})
    assert "target" in widget._refused
    widget.close()


def test_an_explanation_of_pictures_is_a_map(digits):
    shap = pytest.importorskip("shap")
    values = np.random.default_rng(0).normal(size=(3, 28, 28, 1))
    widget = xai.SHAPWidget(shap.Explanation(values, np.zeros(3), digits.inputs[:3]), index=1)
    np.testing.assert_allclose(widget.result(WAIT).values, values[1:2], rtol=1e-6)
    assert widget._pictures[0]["shape"] == [28, 28, 1]
    assert (widget._row, widget._swarm) == ({}, {})
    widget.close()


def test_what_an_explanation_cannot_do_is_refused(tabular):
    given = explanation(tabular)
    with pytest.raises(TypeError, match="method"):
        xai.SHAPWidget(given, method="kernel_shap")
    with pytest.raises(ValueError, match="index"):
        xai.SHAPWidget(given, index=99)
    with pytest.raises(ValueError, match="numbers"):
        xai.SHAPWidget(explanation(tabular, values=np.full((12, 30), "text")))
    widget = xai.SHAPWidget(given)
    with pytest.raises(ValueError, match="computed elsewhere"):
        widget.method = "kernel_shap"
    with pytest.raises(AttributeError, match="computed elsewhere"):
        widget.inputs = tabular.inputs
    with pytest.raises(TypeError, match="target"):
        widget.target = lambda outputs: outputs[:, 0]
    widget.close()


def test_missing_numbers_of_an_explanation_stay_in_sight(tabular):
    data = tabular.inputs[:12].copy()
    data[0, 3] = np.nan
    widget = xai.SHAPWidget(explanation(tabular, data=data, base_values=None))
    assert widget.result(WAIT).baseline_score[0] != widget.result(WAIT).baseline_score[0]
    assert np.isnan(numbers(widget._row, "base")).all()
    assert np.isnan(numbers(grown(widget), "data")[0, 3])
    widget.close()


def test_tables_open_with_shap(tabular):
    opened = xai.explore(tabular.model, tabular.inputs[:8], names=tabular.names, features=tabular.features)
    assert opened.tab == "shap"
    assert isinstance(opened.view.method.baseline, xai.Samples)
    opened.result(WAIT)
    opened.close()


def test_the_module_does_not_stand_in_the_way_of_the_package():
    shap = pytest.importorskip("shap")
    from xai_widgets.widgets import shap as ours

    assert shap.__name__ == "shap"
    assert ours.__name__ == "xai_widgets.widgets.shap"
