"""CompareWidget without a browser: a grid of maps, what follows from it, and what is asked of it."""

import time

import keras
import numpy as np
import pytest
from models import unchanged

import xai_widgets as xai
from xai_widgets.methods import GradCAM
from xai_widgets.task import Subject
from xai_widgets.widgets.evidence import case_of, plain_orders
from xai_widgets.worker import WORKER

WAIT = 90
METHODS = [xai.Saliency(), xai.IntegratedGradients(steps=8), xai.GradCAM()]
BASELINES = [xai.Constant(0), xai.Blur(2)]


@pytest.fixture
def widget(digits):
    with unchanged(digits.model):
        widget = xai.CompareWidget(digits.model, digits.inputs[:5], METHODS, baselines=BASELINES, names=digits.names)
        yield widget
        widget.close()
        assert WORKER.wait_idle(WAIT)


def until(said, seconds=WAIT):
    end = time.monotonic() + seconds
    while not said():
        assert time.monotonic() < end, "it was never said"
        time.sleep(0.02)


def measured(widget):
    widget.result(WAIT)
    until(lambda: widget._measured == widget._job)
    return widget._curves


def sent(cell):
    """The map of a cell as the browser would decode it."""
    (header,) = cell["arrays"]
    values = np.frombuffer(cell["data"], "<f2", np.prod(header["shape"]), header["offset"])
    return values.reshape(header["shape"]).astype(float) * header["scale"]


def test_every_cell_is_what_explain_says(widget, digits):
    rows = widget.result(WAIT)
    assert [len(row) for row in rows] == [1, 2, 1]
    for row, cells in zip(rows, widget._cells, strict=True):
        for attribution, cell in zip(row, cells, strict=True):
            alone = xai.explain(digits.model, digits.inputs[:1], attribution.method)
            np.testing.assert_allclose(attribution.values, alone.values, rtol=1e-4, atol=1e-6)
            np.testing.assert_allclose(sent(cell), alone.heatmap()[0], atol=2e-3 * np.abs(alone.heatmap()).max())
    assert [one.method.baseline for one in rows[1]] == BASELINES
    assert [[cell["span"] for cell in row] for row in widget._cells] == [[2], [1, 1], [2]]
    assert (widget.phase, widget.error, widget.frame["progress"]) == ("settled", "", 1)


def test_agreement_is_that_of_the_metric(widget):
    flat = [one for row in widget.result(WAIT) for one in row]
    np.testing.assert_allclose(widget._agreement, xai.agreement(flat).matrix, atol=1e-4)


def test_curves_are_those_of_the_metrics_beside_orders_that_know_nothing(widget, digits):
    lines = {line["name"]: line for line in measured(widget)["lines"]}
    assert {"Random order", "Edges"} < set(lines)
    assert len(lines) == 6
    attribution = widget.result()[1][1]
    asked = digits.model, digits.inputs[:1], attribution
    for name, metric in (("insertion", xai.insertion), ("deletion", xai.deletion)):
        curve = metric(*asked, baseline=xai.Constant(0), steps=16)
        told = lines["Integrated gradients, Blur"][name]
        np.testing.assert_allclose(told["scores"], curve.scores[0], atol=1e-4)
        np.testing.assert_allclose(told["area"], curve.area[0], atol=1e-4)


def test_the_chosen_cell_has_the_method_and_setting_it_sets_row_and_column(widget):
    widget.result(WAIT)
    assert widget.method == METHODS[0]
    widget.row, widget.column = 1, 1
    assert widget.method == xai.IntegratedGradients(steps=8, baseline=xai.Blur(2))
    before = [cell["version"] for cell in widget._cells[0]]
    widget.method = xai.IntegratedGradients(steps=4, baseline=xai.Blur(3))
    rows = widget.result(WAIT)
    assert widget.baselines == (xai.Constant(0), xai.Blur(3))
    assert [one.method.steps for one in rows[1]] == [4, 4]
    assert [cell["version"] for cell in widget._cells[0]] == before  # what did not change is not computed again


def test_rows_and_columns_come_and_go(widget):
    widget.result(WAIT)
    widget.methods = [*widget.methods, "gradient_input", xai.IntegratedGradients(steps=4)]
    widget.baselines = [xai.Constant(0.5)]
    rows = widget.result(WAIT)
    assert [len(row) for row in rows] == [1] * 5
    assert widget._axes["rows"] == [
        "Saliency",
        "Integrated gradients steps 8",
        "Grad-CAM",
        "Gradient input",
        "Integrated gradients steps 4",
    ]
    widget.methods = widget.methods[:1]
    assert len(widget.result(WAIT)) == 1


def test_the_same_row_twice_is_two_rows(digits):
    widget = xai.CompareWidget(digits.model, digits.inputs[:1], ["saliency", "saliency"])
    assert [[cell["row"] for cell in row] for row in (widget.result(WAIT), widget._cells)[1]] == [[0], [1]]
    widget.methods = ["saliency"] * 3
    widget.result(WAIT)
    assert [[cell["row"] for cell in row] for row in widget._cells] == [[0], [1], [2]]
    widget.close()


def test_the_newest_request_wins(widget, digits):
    for index in (1, 2, 3, 4):
        widget.index = index
    rows = widget.result(WAIT)
    alone = xai.explain(digits.model, digits.inputs[4:5], METHODS[0])
    np.testing.assert_allclose(rows[0][0].values, alone.values, rtol=1e-4, atol=1e-6)


def test_new_weights_are_seen_with_the_next_change(digits):
    model = keras.models.clone_model(digits.model)
    widget = xai.CompareWidget(model, digits.inputs[:1], ["saliency", "gradient_input"], target=0)
    widget.result(WAIT)
    model.set_weights(digits.model.get_weights())
    widget.methods = ["saliency"]
    alone = xai.explain(digits.model, digits.inputs[:1], METHODS[0], target=0)
    np.testing.assert_allclose(widget.result(WAIT)[0][0].values, alone.values, rtol=1e-4, atol=1e-6)
    widget.close()


def test_columns_of_targets(digits):
    widget = xai.CompareWidget(digits.model, digits.inputs[:2], METHODS, targets=[3, None], names=digits.names)
    rows = widget.result(WAIT)
    assert [[int(one.target[0]) for one in row] for row in rows] == [[3, 0]] * 3
    assert widget._axes["kind"] == "targets"
    widget.column = 1
    widget.target = 7
    assert [int(one.target[0]) for one in widget.result(WAIT)[0]] == [3, 7]
    assert {line["group"] for line in measured(widget)["lines"]} == {0, 1}
    widget.close()


def test_columns_of_models(digits):
    other = keras.models.clone_model(digits.model)
    widget = xai.CompareWidget(digits.model, digits.inputs[:1], METHODS[:2], models={"untrained": other}, target=0)
    rows = widget.result(WAIT)
    assert widget._axes["columns"] == [digits.model.name, "untrained"]
    alone = xai.explain(other, digits.inputs[:1], METHODS[0], target=0)
    np.testing.assert_allclose(rows[0][1].values, alone.values, rtol=1e-4, atol=1e-6)
    assert "models['untrained']" in widget.code()
    widget.close()


def test_a_region_that_is_taken_away(widget, digits):
    widget.result(WAIT)
    widget.region = {"input": 0, "runs": [28 * 10 + 8, 12, 28 * 11 + 8, 12]}
    until(lambda: widget._effect and None not in widget._effect["seen"])
    for baseline, seen in zip(BASELINES, widget._effect["seen"], strict=True):
        edited = digits.inputs[:1].copy()
        edited[:, 10:12, 8:20] = baseline.reference(digits.inputs[:1])[:, 10:12, 8:20]
        told = xai.explain(digits.model, edited, METHODS[0], target=0)
        np.testing.assert_allclose(seen["without"], told.score[0], atol=1e-4)
    widget.region = {}
    assert widget._effect == {}


def test_random_weights_on_request(widget, digits):
    attribution = widget.result(WAIT)[0][0]
    widget.randomizing = True
    until(lambda: not widget.randomizing)
    cascade = xai.randomization(digits.model, digits.inputs[:1], attribution, keep=True)
    stages = widget._strip["stages"]
    assert [one["layer"] for one in stages] == ["", *cascade.layers]
    np.testing.assert_allclose([one["similarity"] for one in stages[1:]], cascade.similarity, atol=1e-4)
    last = widget._strip["arrays"][-1]
    values = np.frombuffer(widget._strip["data"], "<f2", 28 * 28, last["offset"]).astype(float) * last["scale"]
    kept = cascade.attributions[-1].heatmap()[0]
    np.testing.assert_allclose(values.reshape(28, 28), kept, atol=2e-3 * np.abs(kept).max())


def test_what_fails_in_one_cell_stays_there(widget, monkeypatch):
    widget.result(WAIT)

    def fail(*_):
        raise ValueError("no map today")
        yield

    monkeypatch.setattr(GradCAM, "frames", fail)
    widget.index = 1
    with pytest.raises(ValueError, match="no map today"):
        widget.result(WAIT)
    assert widget._cells[2][0]["error"] == widget.error == "no map today"
    assert all(cell["arrays"] for row in widget._cells[:2] for cell in row)
    monkeypatch.undo()
    widget.index = 2
    widget.result(WAIT)
    assert widget.error == ""


def test_the_page_asks_and_is_refused(widget):
    widget.result(WAIT)
    plain = {"name": "saliency", "normalize": "l1"}
    widget.set_state({"methods": [plain], "row": 0, "one_scale": True, "panel": "curves"})
    assert widget.methods == (xai.Saliency(normalize="l1"),)
    assert (widget.one_scale, widget.panel) == (True, "curves")
    for bad in ({"methods": [{"name": "os.system"}]}, {"baselines": [{"name": "saliency"}]}, {"region": {"runs": [1]}}):
        widget.set_state(bad)
        assert widget._refused
    widget.set_state({"_cells": [], "_axes": {}})
    assert widget._cells
    assert len(widget.result(WAIT)) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"methods": ["salience"]}, "salience"),
        ({"methods": []}, "methods must be 1 to 8"),
        ({"methods": [xai.ActivationMaximization()]}, "offers"),
        ({"baselines": [xai.Constant([1, 2, 3])]}, "Constant.value"),
        ({"baselines": [0], "targets": [1]}, "one kind of columns"),
        ({"targets": [99]}, "99"),
    ],
)
def test_what_does_not_fit_is_refused_in_the_cell(digits, options, message):
    with pytest.raises((TypeError, ValueError), match=message):
        xai.CompareWidget(digits.model, digits.inputs[:1], **options)


def test_tables_and_what_is_usual(tabular, digits):
    widget = xai.CompareWidget(tabular.model, tabular.inputs)
    rows = widget.result(WAIT)
    assert [len(row) for row in rows] == [1, 1, 2, 2]
    assert "labels" in widget._pictures[0]
    with pytest.raises(ValueError, match="region must lie on a picture"):
        widget.region = {"input": 0, "runs": [0, 2]}
    widget.close()
    widget = xai.CompareWidget(digits.model, digits.inputs[0])
    assert widget._axes["rows"] == ["Saliency", "Grad-CAM", "Integrated gradients", "DeepLIFT"]
    assert widget._axes["columns"] == ["Constant", "Blur", "Noise"]
    widget.close()


def test_code_makes_the_same_grid(widget, digits):
    rows = widget.result(WAIT)
    made = eval(widget.code(), {"xai": xai, "model": digits.model, "inputs": digits.inputs})
    for one, other in zip(rows, made, strict=True):
        for first, second in zip(one, other, strict=True):
            np.testing.assert_allclose(first.values, second.values, rtol=1e-4, atol=1e-6)


def test_a_figure_a_page_and_no_recording(widget, tmp_path):
    assert len(widget.plot().axes) == 6
    widget.to_html(tmp_path / "grid.html")
    assert "Integrated gradients" in (tmp_path / "grid.html").read_text()
    assert widget._curves["lines"]
    with pytest.raises(NotImplementedError):
        widget.record(steps=[1, 2])


def test_it_is_a_tab_of_explore_with_the_shared_baseline(digits):
    tabs = xai.explore(digits.model, digits.inputs[:2])
    tabs.view.result(WAIT)
    tabs.tab = "compare"
    assert isinstance(tabs.view, xai.CompareWidget)
    assert len(tabs.view.result(WAIT)) == 4
    tabs.close()


def test_another_model_and_other_samples(widget, digits):
    widget.result(WAIT)
    widget.inputs = digits.inputs[7:9]
    alone = xai.explain(digits.model, digits.inputs[7:8], METHODS[0])
    np.testing.assert_allclose(widget.result(WAIT)[0][0].values, alone.values, rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize(("method", "among_ids"), [("occlusion", True), ("gradient_input", False)])
def test_token_ids_go_where_the_method_takes_them_for_plain_orders_too(zoo, method, among_ids):
    model, ids = zoo["tokens_without_mask"]
    a = xai.explain(model, ids[:1], method)
    subject = Subject(model, ids[:1])
    for attribution in (a, *(one for _, one in plain_orders(a))):
        case = case_of(subject, attribution, None, xai.Constant(0.0))
        assert (case.embedding is None) == among_ids
