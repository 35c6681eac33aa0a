"""What a widget keeps for a life without a kernel: recorded positions, and a static picture of itself."""

import numpy as np
import pytest

import xai_widgets as xai

WAIT = 60


@pytest.fixture
def widget(digits):
    widget = xai.SaliencyWidget(digits.model, digits.inputs[:3], "integrated_gradients", steps=4, target=3)
    yield widget
    widget.close()


def maps(drawn):
    (header,) = drawn["frame"]["arrays"]
    return np.frombuffer(drawn["frame"]["data"], np.float16).reshape(header["shape"]) * header["scale"]


def test_each_recorded_position_has_the_map_that_explain_gives_there(widget, digits):
    widget.record(steps=[2, 8], index=[0, 2])
    kept = widget.get_state()["_recorded"]
    assert [(one["method"]["steps"], one["index"]) for one in kept] == [(2, 0), (2, 2), (8, 0), (8, 2)]
    for one in kept:
        rows = digits.inputs[one["index"] : one["index"] + 1]
        a = xai.explain(digits.model, rows, widget.method.replace(steps=one["method"]["steps"]), target=3)
        heat = a.heatmap()[0]
        np.testing.assert_allclose(maps(one["drawn"]), heat, atol=2e-3 * np.abs(heat).max())
        assert "_pictures" in one["drawn"]  # also of the sample that is shown: a page may come back to it
    assert widget.result(WAIT).method.steps == 4


def test_baselines_and_targets_are_recorded(widget):
    widget.record(baseline=[xai.Constant(0.0), xai.Blur(3.0)], target=[1, None])
    kept = widget.get_state()["_recorded"]
    assert not any("_pictures" in one["drawn"] for one in kept)  # there is one sample, and its picture stays
    assert [one["method"]["baseline"]["name"] for one in kept] == ["constant", "constant", "blur", "blur"]
    assert [one["target"] for one in kept] == [1, None, 1, None]


@pytest.mark.parametrize(
    ("positions", "error", "says"),
    [
        ({"step": [2]}, TypeError, "steps"),
        ({"steps": 8}, TypeError, "sequence"),
        ({"steps": []}, ValueError, "at least one"),
        ({"steps": [0]}, ValueError, "steps"),
        ({"steps": list(range(1, 300))}, ValueError, "256"),
        ({}, ValueError, "combinations"),
        ({"index": [9]}, ValueError, "index"),
        ({"target": [77]}, ValueError, "target"),
    ],
)
def test_bad_positions_raise_and_keep_what_was_recorded(widget, positions, error, says):
    widget.record(steps=[2])
    with pytest.raises(error, match=says):
        widget.record(**positions)
    assert len(widget.get_state()["_recorded"]) == 1


def test_another_model_forgets_what_was_recorded_of_the_last(widget, digits):
    widget.record(steps=[2, 3])
    widget.inputs = digits.inputs[3:5]
    assert widget.get_state()["_recorded"] == []


def test_the_output_of_a_cell_has_a_picture_and_a_sentence_too(widget):
    a = widget.result(WAIT)
    data, _ = widget._repr_mimebundle_()
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == widget.model_id
    assert data["image/png"].startswith(b"\x89PNG")
    assert len(data["image/png"]) < 100_000
    assert data["text/plain"].startswith("The map adds up to")
    assert a.targets[0] in data["text/plain"]
