"""The relevance view without a browser: what it tells of each layer is what `relevance_flow` says."""

import keras
import numpy as np
import pytest
from keras import layers
from models import ZOO, unchanged

import xai_widgets as xai
from xai_widgets.task import Subject, Task
from xai_widgets.widgets import stops
from xai_widgets.worker import WORKER

WAIT = 60


@pytest.fixture
def widget(digits):
    with unchanged(digits.model):
        widget = xai.LRPWidget(digits.model, digits.inputs[:3], names=digits.names)
        yield widget
        widget.close()
        assert WORKER.wait_idle(WAIT)


def array(told, header):
    """What the page decodes of a header."""
    count = int(np.prod(header["shape"]))
    values = np.frombuffer(told["data"], "<f2", count, header["offset"]).astype(float)
    return values.reshape(header["shape"]) * header["scale"]


def by_name(told):
    return {stop["name"]: stop for stop in told["stops"]}


def flowed(specimen, rows=slice(0, 1), method=None):
    """A frame that tells of every layer, and its inputs."""
    more = dict(specimen.keywords)
    target = more.pop("target", None)
    subject = Subject(specimen.model, specimen.rows(rows), **more)
    subject = subject.seen_by(subject.view.watching(tuple(subject.view.layers)))
    task = Task(subject, method or xai.LRP(), target=target)
    (frame,) = (frame for frame, _ in task.frames())
    return frame, subject.inputs.arrays


def test_each_stop_is_what_relevance_flow_says(widget, digits):
    a = widget.result(WAIT)
    flow = xai.relevance_flow(digits.model, digits.inputs[:1])
    told = widget._flow
    names = [stop["name"] for stop in told["stops"]]
    assert names[0] == "input"
    assert names[1:-1] == list(flow.layers)
    assert names[-1] == "score"
    assert told["score"] == pytest.approx(float(a.score[0]), rel=1e-6)
    for stop, sums in zip(told["stops"][1:-1], flow.sums, strict=True):
        (relevance,) = flow.relevance[stop["path"]]
        assert stop["sum"] == pytest.approx(float(sums[0]), rel=1e-4, abs=1e-5)
        atol = 2e-3 * np.abs(relevance).sum(axis=-1).max()
        if relevance.ndim == 4:
            (header,) = stop["maps"]
            np.testing.assert_allclose(array(told, header), relevance[0].sum(axis=-1), atol=atol)
        else:
            assert stop["maps"] == []
        sums = relevance[0].sum(axis=tuple(range(relevance.ndim - 2)))
        np.testing.assert_allclose(array(told, stop["units"]), sums, atol=2e-3 * np.abs(sums).max())
    assert told["stops"][0]["sum"] == pytest.approx(float(a.values.sum()), rel=1e-5)
    assert told["stops"][-1]["sum"] == told["score"]


def test_rules_come_from_the_page_and_from_python(widget, digits):
    widget.set_state({"method": {"name": "lrp", "composite": "epsilon_plus_flat", "rules": {"conv": "gamma"}}})
    method = xai.LRP(composite="epsilon_plus_flat", rules={"conv": "gamma"})
    assert widget.method == method
    expected = xai.explain(digits.model, digits.inputs[:1], method)
    np.testing.assert_allclose(widget.result(WAIT).values, expected.values, atol=1e-6)
    # Beside each layer stands what it would have without a rule of its own.
    assert widget._layer_rules[0] == {"path": "conv", "rule": "flat"}
    again = eval(widget.code(), {"xai": xai, "model": digits.model, "inputs": digits.inputs})
    np.testing.assert_allclose(again.values, expected.values, atol=1e-6)
    widget.method = xai.LRP()
    widget.result(WAIT)
    assert [one["rule"] for one in widget._layer_rules] == ["z_plus", "epsilon", "epsilon"]


@pytest.mark.slow
def test_every_rule_on_the_menu_is_computed(widget):
    names = widget._rule_names
    assert {"epsilon", "gamma", "z_plus", "alpha2_beta1", "flat", "w_square", "z_box", "pass"} == set(names)
    before = widget.result(WAIT)
    for name in names:
        if name == "pass":  # only where what comes in has the shape of what goes out
            continue
        widget.method = xai.LRP(rules={"conv": name})
        a = widget.result(WAIT)
        assert np.isfinite(a.values).all()
        assert (name == "z_plus") == np.allclose(a.values, before.values, atol=1e-5)


@pytest.mark.parametrize("rules", [{"conv": "gama"}, {"conv": "gamma(-1)"}, {"nope": "gamma"}, {"conv": 1}, "gamma"])
def test_rules_that_make_no_sense_are_refused(widget, rules):
    widget.result(WAIT)
    before = widget.method, widget.frame
    widget.set_state({"method": {"name": "lrp", "rules": rules}})
    assert widget._refused
    assert (widget.method, widget.frame) == before


def test_a_rule_where_none_applies_shows_as_an_error_and_the_map_stays(widget):
    widget.result(WAIT)
    frame, flow = widget.frame, widget._flow
    widget.method = xai.LRP(rules={"pool": "gamma"})
    with pytest.raises(ValueError, match="'pool' has no weighted sum"):
        widget.result(WAIT)
    assert "pool" in widget.error
    assert (widget.frame, widget._flow) == (frame, flow)


def test_depth_is_looked_at_without_a_new_map(widget):
    widget.result(WAIT)
    version = widget.frame["version"]
    widget.set_state({"depth": 2})
    assert widget.depth == 2
    for refused in (-1, 1.5, "conv", None, True):
        widget.set_state({"depth": refused})
        assert "depth" in widget._refused
        assert widget.depth == 2
    assert widget.result(WAIT) is not None
    assert widget.frame["version"] == version
    with pytest.raises(ValueError, match="depth"):
        widget.depth = -1


def test_only_lrp_tells_of_layers(widget):
    for method in (xai.DeepLift(), xai.GuidedBackprop(), xai.Deconvnet()):
        widget.method = method
        widget.result(WAIT)
        assert widget._flow == {}
        assert widget._layer_rules == []
    widget.method = xai.LRP()
    widget.index = 2
    widget.result(WAIT)
    assert widget._flow["stops"]
    with pytest.raises(ValueError, match="LRPWidget offers LRP, DeepLift"):
        widget.method = xai.Saliency()


def test_another_method_or_sample_traces_once(widget):
    widget.result(WAIT)
    functions = widget._subject.view._compiled.functions
    widget.index, widget.target = 1, 4
    widget.result(WAIT)
    before = len(functions)
    for epsilon in (1e-4, 1e-2):
        widget.method = xai.LRP(epsilon=epsilon)
        widget.index = 2
        widget.result(WAIT)
    assert len(functions) == before


def test_what_is_traced_anew_is_said_to_be(widget):
    widget.result(WAIT)
    phases = []
    widget.observe(lambda change: phases.append(change.new), "phase")
    for method, new in ((xai.LRP(epsilon=0.1), False), (xai.LRP(rules={"conv": "gamma"}), True)):
        phases.clear()
        widget.method = method
        widget.result(WAIT)
        assert ("tracing" in phases) == new


def test_what_is_recorded_has_a_flow_of_its_own(widget):
    widget.record(composite=["epsilon", "epsilon_plus"])
    widget.result(WAIT)
    first, second = (one["drawn"]["_flow"] for one in widget._recorded)
    assert first["stops"][0]["sum"] != second["stops"][0]["sum"]


@pytest.mark.parametrize(
    "name", ["nested", "siamese", "dict_inputs", "shared_layer", "series", "volume", "five_channels", "tokens"]
)
@pytest.mark.slow
def test_maps_and_units_add_up_to_the_sum_of_their_layer(name):
    frame, inputs = flowed(ZOO[name]())
    told = stops.told(frame, inputs)
    relevance = frame.flow.relevance
    for stop in told["stops"]:
        size = sum(float(np.abs(one).sum()) for one in relevance.get(stop["path"], frame.values)) + 1e-6
        assert array(told, stop["units"]).sum() == pytest.approx(stop["sum"], abs=2e-3 * size)
        if stop["maps"]:
            total = sum(array(told, header).sum() for header in stop["maps"])
            assert total == pytest.approx(stop["sum"], abs=2e-3 * size)


def test_a_layer_of_layers_that_says_the_same_as_its_last_one_is_left_out():
    names = [stop["name"] for stop in stops.told(*flowed(ZOO["nested"]()))["stops"]]
    assert any(name.endswith("deep.conv") for name in names)
    assert "backbone" not in names


def test_two_inputs_have_a_map_each_where_a_layer_was_called_for_each():
    told = stops.told(*flowed(ZOO["siamese"]()))
    (conv,) = (stop for stop in told["stops"] if stop["name"].endswith("conv"))
    assert [header["input"] for header in conv["maps"]] == [0, 1]


def test_calls_of_a_shared_layer_are_stops_of_their_own():
    names = [stop["name"] for stop in stops.told(*flowed(ZOO["shared_layer"]()))["stops"]]
    assert {"shared, 1 of 2", "shared, 2 of 2"} <= set(names)


def test_large_maps_travel_as_sums_of_blocks():
    keras.utils.set_random_seed(0)
    x = keras.Input((150, 130, 1))
    y = layers.ReLU(name="relu")(layers.Conv2D(2, 3, padding="same", name="conv")(x))
    model = keras.Model(x, layers.Dense(2)(layers.GlobalAveragePooling2D()(y)))
    picture = np.random.default_rng(0).random((150, 130, 1), "float32")
    widget = xai.LRPWidget(model, picture)
    widget.result(WAIT)
    told = by_name(widget._flow)
    conv, (header,) = told["conv"], told["conv"]["maps"]
    assert (conv["block"], header["shape"]) == (2, [75, 65])
    (relevance,) = xai.relevance_flow(model, picture[None], layers=["conv"]).relevance["conv"]
    blocks = relevance[0].sum(axis=-1).reshape(75, 2, 65, 2).sum(axis=(1, 3))
    np.testing.assert_allclose(array(widget._flow, header), blocks, atol=2e-3 * np.abs(blocks).max())
    # What a layer only hands on travels once.
    assert told["relu"]["maps"] == conv["maps"]
    widget.close()


def test_a_table_has_units():
    told = stops.told(*flowed(ZOO["sequential"]()))
    assert [stop["units"]["shape"] for stop in told["stops"]] == [[6], [8], [3], [1]]
    assert all(stop["maps"] == [] for stop in told["stops"])


def test_plain_explanations_keep_nothing_of_the_layers(digits):
    task = Task(Subject(digits.model, digits.inputs[:1]), xai.LRP())
    assert [frame.flow for frame, _ in task.frames()] == [None]


def test_explore_offers_it(digits):
    opened = xai.explore(digits.model, digits.inputs[:2])
    assert {"name": "lrp", "label": "LRP"} in opened._tabs
    opened.close()
