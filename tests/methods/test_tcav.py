"""TCAV: planted concepts are found, random ones are chance, and the map of a concept sums to its derivative."""

import json
import pickle

import keras
import numpy as np
import pytest
from expected import keywords
from keras import layers, ops
from models import samples, unchanged

import xai_widgets as xai
from xai_widgets.concepts import _p_values
from xai_widgets.declare import from_json, to_json
from xai_widgets.engine.concepts import direction
from xai_widgets.methods import METHODS
from xai_widgets.trees import leaves

FEATURES = 12


def planted(vector, count=60, seed=1):
    """Random samples that lie further along a vector than others do."""
    return np.random.default_rng(seed).normal(size=(count, len(vector))).astype("float32") + 2 * vector


def axis(place, of=FEATURES):
    return np.eye(of, dtype="float32")[place]


RANDOM = np.random.default_rng(9).normal(size=(200, FEATURES)).astype("float32")
INPUTS = np.random.default_rng(3).normal(size=(40, FEATURES)).astype("float32")


def along(weights, curved=0.0):
    """A model whose layer "seen" returns its input, and whose score is linear in it, or bent by some more."""
    x = keras.Input((FEATURES,))
    seen = layers.Identity(name="seen")(x)
    y = ops.matmul(seen, weights[:, None].astype("float32"))
    return keras.Model(x, y + curved * ops.sum(ops.square(seen), axis=-1, keepdims=True))


# The direction


def test_the_direction_is_that_between_two_clouds():
    vector = (axis(2) - axis(7)) / np.sqrt(2)
    pool = np.random.default_rng(9).normal(size=(600, FEATURES)).astype("float32")
    found = direction(planted(vector, 600), pool)
    assert found.vector @ vector > 0.95
    assert np.linalg.norm(found.vector) == pytest.approx(1, abs=1e-6)
    assert found.accuracy > 0.75
    again = direction(1000 * planted(vector, 600), 1000 * pool)
    np.testing.assert_allclose(again.vector, found.vector, atol=1e-4)  # whatever the unit of the layer is


def test_what_does_not_differ_has_no_direction():
    still = np.ones((10, 4), "float32")
    found = direction(still, still)
    assert not found.vector.any()
    assert found.accuracy == 0.5


# The scores


def test_a_planted_concept_that_the_score_rises_along_has_score_one_and_its_opposite_zero():
    concepts = {"up": planted(axis(0)), "down": planted(-axis(0)), "aside": planted(axis(5))}
    weights = 3 * axis(0)
    r = xai.tcav(along(weights), INPUTS, concepts=concepts, random=RANDOM, layer="seen", runs=30)
    assert r.concepts == ("up", "down", "aside")
    np.testing.assert_array_equal(r.scores[:2, 0], [1, 0])
    assert r.significant[:2, 0].all()
    assert not r.significant[2, 0]
    assert 0.2 < r.scores[2, 0] < 0.8
    assert r.directions.shape == (3, FEATURES)
    assert np.argmax(np.abs(r.directions), axis=1).tolist() == [0, 0, 5]
    assert (r.accuracies.mean(axis=1) > 0.75).all()
    assert r.accuracies.shape == (3, 30)
    assert r.trials.shape == (3, 30, 1)
    assert any("'aside' moves the output no otherwise than random examples do" in note for note in r.notes)
    assert not any("'up'" in note for note in r.notes)


@pytest.mark.slow
def test_a_random_concept_is_chance_and_found_to_be_so():
    model = along(axis(0), curved=0.5)
    pool = np.random.default_rng(11).normal(size=(600, FEATURES)).astype("float32")
    told = []
    for seed in range(8):
        nothing = np.random.default_rng(100 + seed).normal(size=(300, FEATURES)).astype("float32")
        r = xai.tcav(model, INPUTS, concepts={"nothing": nothing}, random=pool, layer="seen", runs=30, seed=seed)
        assert r.null.mean() == pytest.approx(0.5, abs=0.12)
        assert r.accuracies.mean() == pytest.approx(0.5, abs=0.1)
        assert any("its direction means little" in note for note in r.notes)
        told.append(bool(r.significant[0, 0]))
    assert sum(told) <= 2


def test_scores_are_of_each_class():
    x = keras.Input((FEATURES,))
    model = keras.Model(x, layers.Dense(2, "softmax", name="head")(layers.Identity(name="seen")(x)))
    model.get_layer("head").set_weights([np.stack([axis(0), -axis(0)], axis=1), np.zeros(2)])
    concepts = {"up": planted(axis(0))}
    r = xai.tcav(model, INPUTS, concepts=concepts, random=RANDOM, layer="seen", names=["a", "b"])
    assert r.classes.tolist() == [0, 1]
    assert r.labels == ("a", "b")
    assert r.counts.tolist() == [(INPUTS[:, 0] > 0).sum(), (INPUTS[:, 0] <= 0).sum()]
    np.testing.assert_array_equal(r.scores, [[1, 0]])
    one = xai.tcav(model, INPUTS, xai.TCAV(concepts, RANDOM, layer="seen"), target=1)
    np.testing.assert_array_equal(one.scores, [[0]])
    assert "'up' for class 1: 0.00" in repr(one)


def test_the_test_counts_the_whole_spread_of_the_runs_with_bonferronis_correction():
    from scipy.stats import t

    random = np.random.default_rng(0)
    one, null = random.normal(0.7, 0.1, (12, 3)), random.normal(0.5, 0.2, (12, 3))
    spread = np.sqrt(one.var(axis=0, ddof=1) * 13 / 12 + null.var(axis=0, ddof=1) / 12)
    expected = 2 * t.cdf(-np.abs(one.mean(axis=0) - null.mean(axis=0)) / spread, 11)
    np.testing.assert_allclose(_p_values(one, null), expected, rtol=1e-9)
    still = np.ones((5, 1))
    assert _p_values(still, still) == 1
    assert _p_values(still, 0 * still) == 0
    concepts = {"up": planted(axis(0), seed=5), "aside": planted(axis(5))}
    two = xai.tcav(along(axis(0) + axis(1)), INPUTS, concepts=concepts, random=RANDOM, layer="seen")
    np.testing.assert_allclose(two.p_values[1], np.minimum(1, 2 * _p_values(two.trials[1], two.null)))


def test_the_same_seed_gives_the_same_and_the_model_stays_whole(digits):
    method = xai.TCAV({"ones": digits.inputs[digits.labels == 1][:20]}, digits.inputs[100:180], runs=4)
    with unchanged(digits.model):
        a, b = (xai.tcav(digits.model, digits.inputs[:30], method) for _ in range(2))
    np.testing.assert_array_equal(a.trials, b.trials)
    other = xai.tcav(digits.model, digits.inputs[:30], method.replace(seed=1))
    assert not np.array_equal(a.directions, other.directions)
    assert a.plot()._repr_png_().startswith(b"\x89PNG")


def test_a_layer_of_strokes_knows_the_concept_of_a_vertical_bar(digits):
    bars = np.zeros((40, 28, 28, 1), "float32")
    for place, bar in enumerate(bars):
        bar[4:24, 10 + place % 8 : 13 + place % 8] = 1
    rows = digits.inputs[digits.labels == 1][:30]
    r = xai.tcav(digits.model, rows, concepts={"bar": bars}, random=digits.inputs[200:400], target=1, runs=8)
    assert r.accuracies.mean() > 0.9
    assert r.scores[0, 0] > 0.8


def test_fewer_inputs_and_examples_are_said_so():
    concepts = {"up": planted(axis(0), 6)}
    r = xai.tcav(along(axis(0)), INPUTS[:3], concepts=concepts, random=RANDOM, layer="seen", runs=3)
    assert "The scores for the output are of 3 inputs only." in r.notes
    assert any(note.startswith("With 3 examples a run") for note in r.notes)


# The map


def test_the_map_of_a_concept_is_the_gradient_times_its_direction():
    weights = np.arange(FEATURES, dtype="float32")
    method = xai.TCAV({"up": planted(axis(3))}, RANDOM, layer="seen", runs=5)
    a = xai.explain(along(weights), INPUTS[:2], method)
    r = xai.tcav(along(weights), INPUTS[:2], method)
    np.testing.assert_allclose(a.values, np.tile(weights * r.directions[0], (2, 1)), rtol=1e-4, atol=1e-6)
    assert a.error.shape == a.values.shape
    assert np.isnan(a.residual).all()
    assert any("layer 'seen'" in note for note in a.notes)
    from xai_widgets.caption import sentence

    assert sentence(a).startswith("The map shows where more of 'up' would raise")


def test_the_map_of_a_picture_has_the_size_of_the_input(digits):
    method = xai.TCAV({"ones": digits.inputs[digits.labels == 1][:20]}, digits.inputs[100:180], runs=3)
    a = xai.explain(digits.model, digits.inputs[:2], method, target=1)
    assert a.values.ndim == 4
    assert a.heatmap().shape == (2, 28, 28)
    assert a.target.tolist() == [1, 1]


def test_it_saves_and_loads_with_its_concepts(digits, tmp_path):
    method = xai.TCAV({"ones": digits.inputs[digits.labels == 1][:8]}, digits.inputs[100:130], runs=2)
    a = xai.explain(digits.model, digits.inputs[:1], method)
    a.save(tmp_path / "a.npz")
    assert xai.Attribution.load(tmp_path / "a.npz").method == method


@pytest.mark.parametrize("name", ["dict_inputs", "nested", "shared_layer", "series", "tokens", "transformer"])
@pytest.mark.slow
def test_it_works_on_models_of_every_kind(zoo, name):
    runs_on(zoo[name])


@pytest.mark.slow
def test_it_works_on_every_model(any_model):
    runs_on(any_model)


def runs_on(specimen):
    given = keywords(xai.TCAV, specimen)
    names = [tensor.name for tensor in getattr(specimen.model, "inputs", None) or ()]
    arrays = specimen.inputs
    if isinstance(arrays, list):
        arrays = dict(zip(names, arrays, strict=True))
    together = arrays if isinstance(arrays, dict) else {"only": arrays}
    tripled = {name: np.concatenate([array] * 3) for name, array in together.items()}
    examples = tripled if isinstance(arrays, dict) else tripled["only"]
    layer = None if specimen.maps else _inner_dense(specimen.model)
    if layer is None and not specimen.maps:
        with pytest.raises(ValueError, match=r"give TCAV\(layer"):
            xai.tcav(specimen.model, specimen.inputs, concepts={"c": examples}, random=examples, **given)
        return
    method = xai.TCAV({"c": examples, "d": examples}, examples, layer=layer, runs=2)
    if layer == specimen.model.layers[-1].name:  # what it returns has its softmax in it, the logit comes before
        with pytest.raises(ValueError, match="does not depend on the output of layer"):
            xai.tcav(specimen.model, specimen.inputs, method, **given)
        return
    with unchanged(specimen.model):
        r = xai.tcav(specimen.model, specimen.inputs, method, **given)
        a = xai.explain(specimen.model, specimen.inputs, method.replace(concepts={"c": examples}), **given)
    assert r.scores.shape == (2, len(r.classes))
    assert ((r.scores >= 0) & (r.scores <= 1)).all()
    assert np.isfinite(r.p_values).all()
    assert all(np.isfinite(array).all() for array in leaves(a.values))


def _inner_dense(model):
    """A hidden Dense, or what stands before the only one."""
    found = [layer.name for layer in model._flatten_layers(include_self=False) if layer.weights]
    hidden = [layer.name for layer in model.layers if isinstance(layer, layers.Dense | layers.LSTM)]
    return None if not found or type(model).__name__ == "Wrapped" else hidden[0]


# What it is given


def test_concepts_are_copied_and_count_in_equality():
    ours = planted(axis(0))
    value = xai.TCAV({"up": ours}, RANDOM)
    same = xai.TCAV({"up": ours.copy()}, RANDOM)
    assert value == same
    assert hash(value) == hash(same)
    ours[:] = 0
    assert value == same != xai.TCAV({"up": ours}, RANDOM)
    assert value != xai.TCAV({"down": same.concepts["up"]}, RANDOM)
    with pytest.raises(ValueError, match="read-only"):
        value.concepts["up"][0] = 1
    with pytest.raises(TypeError):
        value.concepts["up"] = RANDOM
    assert value.replace(runs=3).concepts == value.concepts
    assert pickle.loads(pickle.dumps(value)) == value
    assert repr(value) == "TCAV(concepts={'up': up}, random=random, layer=None, runs=20, seed=0)"


def test_json_carries_arrays_by_key():
    value, arrays = xai.TCAV({"up": {"a": planted(axis(0)), "b": RANDOM}, "short": [1.0, 2.0]}, RANDOM), {}
    data = json.loads(json.dumps(to_json(value, arrays)))
    assert from_json(data, (xai.TCAV,), (), arrays) == value
    with pytest.raises(ValueError, match="unknown array"):
        from_json(data, (xai.TCAV,), (), {})


@pytest.mark.parametrize(
    ("change", "error", "says"),
    [
        ({"concepts": RANDOM}, TypeError, "TCAV.concepts must hold examples by name"),
        ({"concepts": {}}, ValueError, r"TCAV.concepts must hold arrays by name"),
        ({"concepts": {3: RANDOM}}, ValueError, r"TCAV.concepts must hold arrays by name"),
        ({"concepts": {"up": "x"}}, TypeError, r"TCAV.concepts\['up'\] must be"),
        ({"concepts": {"up": RANDOM[:3]}}, ValueError, r"TCAV.concepts\['up'\] must hold at least 4 examples, got 3"),
        ({"random": RANDOM[:7]}, ValueError, "TCAV.random must hold at least 8 examples, got 7"),
        (
            {"concepts": {"up": RANDOM[:, :5]}},
            ValueError,
            r"TCAV.concepts\['up'\]: inputs must have shape \(None, 12\)",
        ),
        ({"random": RANDOM * np.nan}, ValueError, "TCAV.random must be finite"),
        ({"layer": "sen"}, ValueError, "TCAV.layer 'sen' names no single layer .* did you mean 'seen'"),
        ({"layer": None}, ValueError, r"no layer with positions: give TCAV\(layer=...\)"),
        ({"runs": 1}, ValueError, "TCAV.runs must be >= 2"),
        ({"run": 1}, TypeError, "did you mean 'runs'"),
    ],
)
def test_what_does_not_fit_is_refused_by_name(change, error, says):
    given = {"concepts": {"up": planted(axis(0))}, "random": RANDOM, "layer": "seen", **change}
    with pytest.raises(error, match=says):
        xai.tcav(along(axis(0)), INPUTS, **given)


def test_a_map_is_that_of_one_concept_and_no_menu_offers_it(digits):
    method = xai.TCAV({"a": RANDOM, "b": RANDOM}, RANDOM, layer="seen")
    with pytest.raises(ValueError, match=r"the map of TCAV is that of one concept, got 'a', 'b': xai.tcav takes all"):
        xai.explain(along(axis(0)), INPUTS, method)
    with pytest.raises(TypeError, match="method must be TCAV"):
        xai.tcav(along(axis(0)), INPUTS, xai.Saliency())
    with pytest.raises(ValueError, match="give layer=, not wrt="):
        xai.explain(along(axis(0)), INPUTS, method, wrt="seen")
    assert xai.TCAV not in METHODS
    named = xai.explain(along(axis(0)), INPUTS, "tcav", concepts={"a": RANDOM}, random=RANDOM, layer="seen", runs=2)
    assert named.values.shape == INPUTS.shape
    with pytest.raises(ValueError, match="SaliencyWidget offers"):
        xai.SaliencyWidget(digits.model, digits.inputs[:2], method)


def test_a_layer_whose_output_does_not_count_is_told():
    x = keras.Input((4,))
    aside = layers.Dense(3, name="aside")(x)
    model = keras.Model(x, [layers.Dense(2)(x), aside])
    method = xai.TCAV({"a": samples(4, count=8)}, samples(4, count=20), layer="aside")
    with pytest.raises(ValueError, match="does not depend on the output of layer 'aside'"):
        xai.tcav(model, samples(4), method, target=xai.Output(0, 1))
