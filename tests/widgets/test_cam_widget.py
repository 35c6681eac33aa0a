"""CAMWidget without a browser: every layer by the slider, variants, channels, and what the page is told of them."""

import keras
import numpy as np
import pytest
from keras import layers
from models import unchanged

import xai_widgets as xai
from xai_widgets.widgets import depth
from xai_widgets.worker import WORKER

WAIT = 60


@pytest.fixture(scope="module")
def network():
    """A nested block between two layers, and a head whose first layer has no positions."""
    keras.utils.set_random_seed(0)
    x = inputs = keras.Input((32, 24, 3))
    x = layers.Conv2D(6, 3, activation="relu", name="first")(x)
    block = keras.Sequential([layers.Conv2D(8, 3, name="conv"), layers.ReLU(name="relu")], name="block")
    x = layers.Conv2D(14, 3, name="last")(layers.MaxPooling2D(name="pool")(block(x)))
    x = layers.Dense(5, name="head")(layers.GlobalMaxPooling2D(name="most")(x))
    return keras.Model(inputs, x, name="network")


@pytest.fixture(scope="module")
def samples():
    return np.random.default_rng(0).random((3, 32, 24, 3), np.float32)


@pytest.fixture
def widget(network, samples):
    with unchanged(network):
        widget = xai.CAMWidget(network, samples, names=list("abcde"))
        widget.settle(WAIT)
        yield widget
        widget.close()
        assert WORKER.wait_idle(WAIT)


def packed(headers, data):
    return [
        np.frombuffer(data, "<f2", int(np.prod(one["shape"])), one["offset"]).reshape(one["shape"]) * one["scale"]
        for one in headers
    ]


def shown(widget):
    return packed(widget.frame["arrays"], widget.frame["data"])


def test_the_map_travels_at_the_size_of_the_layer(widget, network, samples):
    assert type(widget.method) is xai.GradCAM
    a, expected = widget.result(WAIT), xai.explain(network, samples[:1], xai.GradCAM())
    np.testing.assert_allclose(a.values, expected.values, rtol=1e-5, atol=1e-7)
    (heat,) = shown(widget)
    assert heat.shape == a.values.shape[1:] == (12, 8)
    np.testing.assert_allclose(heat, a.values[0], atol=1e-3 * a.values.max())
    assert widget._layer == "last"
    assert widget.plot() is not None


def test_the_tree_has_all_layers_and_the_slider_those_with_positions(widget):
    rows = {row["path"]: row for row in widget._layers}
    assert rows["block"]["level"] == 1
    assert rows["block/conv"]["level"] == 2
    lit = sorted((row["place"], path) for path, row in rows.items() if row["place"] is not None)
    assert [path for _, path in lit] == ["first", "block/conv", "block/relu", "pool", "last"]
    assert rows["head"]["place"] is None
    assert rows["head"]["kind"] == "Dense"
    assert rows["pool"]["shape"] == "14 \u00d7 10 \u00d7 8"
    assert [picture["shape"] for picture in widget._activations] == [[24, 22, 1]] + [[24, 20, 1]] * 2 + [
        [14, 10, 1],
        [12, 8, 1],
    ]
    (field,) = (field for field in widget._schema["methods"][0]["fields"] if field["name"] == "layer")
    assert field["choices"] == [path for _, path in lit]


@pytest.mark.parametrize("method", ["grad_cam", "layer_cam", "hi_res_cam", "eigen_cam", "score_cam", "ablation_cam"])
def test_every_layer_equals_explain_and_code(widget, network, samples, method):
    for layer in ("first", "block/relu", "last"):
        widget.set_state({"method": {"name": method, "layer": layer, "relu": False}, "target": 2})
        a = widget.result(WAIT)
        again = eval(widget.code(), {"xai": xai, "model": network, "inputs": samples})
        assert (a.method.layer, a.target[0]) == (layer, 2)
        np.testing.assert_allclose(again.values, a.values, rtol=1e-4, atol=1e-6)
        assert widget._layer == layer
        assert widget.error == ""
        assert shown(widget)[0].shape == a.values.shape[1:]


def test_going_through_the_layers_traces_nothing(widget):
    phases, functions = [], len(widget._subject.view._compiled.functions)
    widget.observe(lambda change: phases.append(change.new), "phase")
    for layer in ("first", "block/conv", "pool", "last"):
        widget.method = xai.LayerCAM(layer=layer)
        widget.settle(WAIT)
        assert widget._beside["layer"] == layer
    assert "tracing" not in phases
    assert len(widget._subject.view._compiled.functions) == functions


def test_variants_are_the_maps_of_the_family(widget, network, samples):
    widget.method = xai.GradCAM(layer="block/relu", relu=False)
    widget.settle(WAIT)
    beside = widget._beside
    names = [variant["name"] for variant in beside["variants"]]
    assert names == ["grad_cam", "grad_cam_plus_plus", "layer_cam", "hi_res_cam", "x_grad_cam", "eigen_cam"]
    for name, small in zip(names, packed(beside["arrays"], beside["data"]), strict=True):
        a = xai.explain(network, samples[:1], name, layer="block/relu", relu=False)
        np.testing.assert_allclose(small, a.values[0], atol=2e-3 * np.abs(a.values).max())


def test_channels_are_ranked_by_what_they_add_and_can_be_taken_out(widget, network, samples):
    widget.method = xai.GradCAM(layer="last", relu=False)
    widget.settle(WAIT)
    beside = widget._beside
    assert (beside["count"], len(beside["channels"])) == (14, min(12, len(beside["channels"])))
    shares = np.abs([one["share"] for one in beside["channels"]])
    assert (np.diff(shares) <= 0).all()
    assert shares.sum() <= 1 + 1e-6
    best = beside["channels"][0]["channel"]
    widget.set_state({"channel": best})
    widget.settle(WAIT)
    answer = widget._channel
    inner = keras.Model(network.input, network.get_layer("last").output)(samples[:1]).numpy()
    head = keras.Sequential([network.get_layer("most"), network.get_layer("head")])
    np.testing.assert_allclose(packed(answer["arrays"], answer["data"])[0], inner[0, ..., best], atol=2e-3)
    target = widget.result(WAIT).target[0]
    inner[..., best] = 0
    assert answer["without"] == pytest.approx(float(head(inner)[0, target]), rel=1e-4, abs=1e-6)
    assert f"Without channel {best}, the output of" in answer["effect"]
    widget.channel = None
    assert widget._channel == {}


def test_a_channel_stays_with_another_target_or_sample_and_goes_with_another_layer(widget):
    widget.channel = 3
    widget.settle(WAIT)
    before = widget._channel
    widget.index = 1
    widget.settle(WAIT)
    assert widget.channel == 3
    assert widget._channel["data"] != before["data"]
    assert widget._channel["effect"]
    widget.target = 4
    widget.settle(WAIT)
    assert "\u201ce\u201d" in widget._channel["effect"]
    widget.method = xai.GradCAM(layer="pool")
    widget.settle(WAIT)
    assert widget.channel is None
    assert widget._channel == {}


@pytest.mark.parametrize("channel", [-1, 14, 1.5, True, "3"])
def test_a_channel_that_is_not_there_is_refused(widget, channel):
    with pytest.raises((TypeError, ValueError), match="channel must be"):
        widget.channel = channel
    widget.set_state({"channel": channel})
    assert "channel must be" in widget._refused
    assert widget.channel is None


def test_activations_are_of_the_sample_and_sent_once(widget):
    sent = []
    widget.observe(lambda change: sent.append(change.new), "_activations")
    widget.method = xai.HiResCAM(layer="first")
    widget.settle(WAIT)
    assert sent == []
    widget.index = 2
    widget.settle(WAIT)
    assert len(sent) == 1


def test_the_page_sets_the_display_and_nothing_else(widget):
    job = widget._job
    widget.set_state({"cells": True, "_layer": "first", "_beside": {}, "_layers": []})
    assert widget.cells
    assert widget._layer == "last"
    assert widget._beside
    assert widget._layers
    assert widget._job == job


def test_new_weights_are_seen_at_the_next_map(widget, network):
    before = widget.result(WAIT).values
    kernel = network.get_layer("last").kernel
    old = kernel.numpy()
    try:
        kernel.assign(-2 * old)
        widget.method = xai.GradCAM(relu=False)
        widget.settle(WAIT)
        assert not np.allclose(widget.result(WAIT).values, before)
    finally:
        kernel.assign(old)


def test_a_model_without_positions_is_refused_in_the_cell(tabular):
    with pytest.raises(ValueError, match="no class activation map of it: SaliencyWidget"):
        xai.CAMWidget(tabular.model, tabular.inputs)
    with pytest.raises(ValueError, match="CAMWidget offers GradCAM"):
        xai.CAMWidget(tabular.model, tabular.inputs, "saliency")


KINDS = ["series", "volume", "siamese", "nested", "mixed_precision", "subclassed", "dict_inputs", "several_outputs"]
KINDS += ["tokens", "transformer", "grey_without_channels"]


@pytest.mark.parametrize("name", KINDS)
@pytest.mark.slow
def test_other_inputs_and_models(zoo, name):
    specimen = zoo[name]
    with unchanged(specimen.model):
        keywords = {key: value for key, value in specimen.keywords.items() if key != "wrt"}
        widget = xai.CAMWidget(specimen.model, specimen.inputs, **keywords)
        widget.settle(WAIT)
        a = widget.result(WAIT)
        assert widget.error == widget._refused == ""
        assert all(np.isfinite(one).all() for one in shown(widget))
        expected = 1 if len(specimen.maps[0]) == 1 else 2
        assert {len(header["shape"]) for header in widget.frame["arrays"]} == {expected}
        assert widget._beside["layer"] == widget._layer
        assert len(widget._activations) > 0
        widget.channel = 0
        widget.settle(WAIT)
        assert widget._channel["effect"]
        assert len(widget._channel["arrays"]) == len(widget.frame["arrays"])
        shapes = [header["shape"] for header in widget._channel["arrays"]]
        assert shapes == [header["shape"] for header in widget.frame["arrays"]]
        assert a.method == xai.GradCAM()
        widget.close()
        assert WORKER.wait_idle(WAIT)


def test_a_neuron_of_an_early_layer_dims_what_comes_after_it(widget):
    widget.method = xai.GradCAM(layer="first")
    widget.target = xai.Neuron("pool", 3)
    widget.settle(WAIT)
    assert widget.error == ""
    lit = [row["path"] for row in widget._layers if row["place"] is not None]
    assert "last" not in lit
    assert lit[0] == "first"
    widget.method = xai.GradCAM(layer="last")
    with pytest.raises(ValueError, match="does not depend on the output of layer 'last'"):
        widget.result(WAIT)
    assert "'last'" in widget.error
    widget.target = 1
    widget.settle(WAIT)
    assert widget.error == ""
    assert max(row["place"] or 0 for row in widget._layers) == 4


def test_recorded_layers_bring_what_stands_beside_them(widget):
    widget.record(layer=["first", "block/relu", "last"])
    widget.settle(WAIT)
    assert [one["method"]["layer"] for one in widget._recorded] == ["first", "block/relu", "last"]
    for one in widget._recorded:
        drawn = one["drawn"]
        assert drawn["_layer"] == drawn["_beside"]["layer"] == one["method"]["layer"]
        assert "_layers" not in drawn
    assert widget._layer == "last"
    assert widget._beside["layer"] == "last"


def test_guided_grad_cam_has_the_size_of_the_input(widget):
    widget.method = "guided_grad_cam"
    widget.settle(WAIT)
    assert shown(widget)[0].shape == (32, 24)
    assert widget._beside["ranked_by"] == "Grad-CAM"


def test_other_samples_and_another_model_start_afresh(widget, network, samples):
    widget.channel = 1
    widget.settle(WAIT)
    widget.inputs = samples[1:, ::-1]
    widget.settle(WAIT)
    assert widget.channel is None
    assert widget._beside
    assert widget._activations
    other = keras.Sequential([keras.Input((32, 24, 3)), layers.Flatten(), layers.Dense(5)])
    with pytest.raises(ValueError, match="SaliencyWidget"):
        widget.model = other
    assert widget.model is network
    widget.index = 1
    widget.settle(WAIT)
    assert widget.error == ""


def test_the_saved_state_is_small(widget, tmp_path):
    widget.to_html(tmp_path / "page.html")
    assert (tmp_path / "page.html").stat().st_size < 250_000


@pytest.mark.parametrize(("height", "width", "side"), [(7, 5, 24), (50, 24, 24), (1, 100, 24), (49, 30, 24)])
def test_means_keep_the_mean(height, width, side):
    one = np.random.default_rng(0).random((height, width))
    small = depth.means(one, side)
    assert small.shape == (min(height, side), min(width, side))
    if height % small.shape[0] == width % small.shape[1] == 0:
        assert small.mean() == pytest.approx(one.mean())
    assert small.min() >= one.min()
    assert small.max() <= one.max()
