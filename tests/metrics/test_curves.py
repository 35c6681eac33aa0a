"""Insertion and deletion: models with known areas, every kind of input, and what is refused."""

from dataclasses import replace

import numpy as np
import pytest
from keras import ops
from models import function_model, samples, unchanged

import xai_widgets as xai
from xai_widgets.metrics.case import Case
from xai_widgets.metrics.curves import Order, curves

FEATURES = 100


def only_the_first():
    """A model of one feature, and the attribution that says so."""
    model, inputs = function_model(lambda x: x[:, :1], FEATURES), np.ones((3, FEATURES), "float32")
    return model, inputs, xai.explain(model, inputs, "gradient_input")


def test_a_perfect_map_deletes_to_0_and_inserts_to_1():
    model, inputs, a = only_the_first()
    gone, come = (metric(model, inputs, a, steps=FEATURES) for metric in (xai.deletion, xai.insertion))
    np.testing.assert_array_equal(gone.scores, np.tile([1] + [0] * FEATURES, (3, 1)))
    np.testing.assert_allclose(gone.area, 0.5 / FEATURES)
    np.testing.assert_allclose(come.area, 1 - 0.5 / FEATURES)
    assert gone.fractions.shape == (FEATURES + 1,)
    worst = replace(a, values=-a.values)
    np.testing.assert_allclose(xai.deletion(model, inputs, worst, steps=FEATURES).area, 1 - 0.5 / FEATURES)


def test_a_sum_of_equal_parts_falls_in_a_straight_line():
    model, inputs = function_model(lambda x: ops.sum(x, axis=1, keepdims=True), 8), np.ones((2, 8), "float32")
    curve = xai.deletion(model, inputs, xai.explain(model, inputs, "saliency"))
    np.testing.assert_allclose(curve.fractions, np.arange(9) / 8)
    np.testing.assert_allclose(curve.scores, 8 * (1 - np.tile(curve.fractions, (2, 1))))
    np.testing.assert_allclose(curve.area, 4)


def test_both_start_and_end_at_input_and_baseline_which_is_the_methods_own(digits):
    inputs = digits.inputs[:2]
    a = xai.explain(digits.model, inputs, xai.IntegratedGradients(steps=8, baseline=xai.Constant(0.5)))
    gone, come = (metric(digits.model, inputs, a, steps=4) for metric in (xai.deletion, xai.insertion))
    for curve in (gone, come):
        assert curve.scores.shape == (2, 5)
        assert curve.score_name == "logit"
    np.testing.assert_allclose(gone.scores[:, 0], a.score, atol=1e-4)
    np.testing.assert_allclose(gone.scores[:, -1], a.baseline_score, atol=1e-4)
    np.testing.assert_allclose(come.scores[:, [0, -1]], gone.scores[:, [-1, 0]], atol=1e-4)
    other = xai.deletion(digits.model, inputs, a, steps=4, baseline=0)
    assert np.abs(other.scores[:, -1] - gone.scores[:, -1]).min() > 0.01


def test_a_good_map_beats_its_opposite_and_a_random_one(digits):
    inputs = digits.inputs[:10]
    a = xai.explain(digits.model, inputs, "integrated_gradients")
    noise = replace(a, values=samples(*a.values.shape[1:], count=10))
    area = [xai.insertion(digits.model, inputs, one).area.mean() for one in (a, noise, replace(a, values=-a.values))]
    assert area[0] > area[1] + 3 > area[2] + 6


def test_groups_of_samples_and_calls_do_not_matter(digits):
    inputs = digits.inputs[:70]  # a call takes 64
    a = xai.explain(digits.model, inputs, xai.IntegratedGradients(steps=4))
    whole = xai.deletion(digits.model, inputs, a, steps=5)
    part = xai.explain(digits.model, inputs[66:68], xai.IntegratedGradients(steps=4))
    np.testing.assert_allclose(
        whole.scores[66:68], xai.deletion(digits.model, inputs[66:68], part, steps=5).scores, atol=1e-4
    )
    assert whole.area.shape == (70,)


def test_frames_are_coarse_first_and_end_at_the_curve(digits):
    inputs = digits.inputs[:1]
    a = xai.explain(digits.model, np.repeat(inputs, 60, axis=0), "saliency")
    case = Case(digits.model, np.repeat(inputs, 60, axis=0), a)
    frames = list(curves("deletion", case, Order.of(case.parts(), 8, 0)))
    assert all(frame.fractions[0] == 0 and frame.fractions[-1] == 1 for frame in frames)
    assert [len(frame.fractions) for frame in frames] == sorted({len(frame.fractions) for frame in frames})
    whole = xai.deletion(digits.model, np.repeat(inputs, 60, axis=0), a, steps=8)
    np.testing.assert_allclose(frames[-1].scores, whole.scores, atol=1e-5)
    np.testing.assert_allclose(frames[-1].area, whole.area, atol=1e-5)


def test_equal_values_go_in_random_order_by_seed():
    model = function_model(lambda x: x[:, :1], 50)
    inputs = np.ones((1, 50), "float32")
    a = xai.explain(model, inputs, "saliency")
    flat = replace(a, values=np.zeros_like(a.values))
    first, again, other = (xai.deletion(model, inputs, flat, steps=50, seed=seed).area[0] for seed in (0, 0, 1))
    assert first == again != other
    areas = [xai.deletion(model, inputs, flat, steps=50, seed=seed).area[0] for seed in range(20)]
    assert 0.3 < np.mean(areas) < 0.7


def test_segments_go_as_a_whole_and_padding_never():
    model = function_model(lambda x: x[:, 0, :1, 0], (4, 4, 1))
    inputs = np.ones((2, 4, 4, 1), "float32")
    a = xai.explain(model, inputs, "saliency", target=0)
    labels = np.stack([np.repeat([0, 1], 8).reshape(4, 4), np.repeat([0, 1, 2, 2], 4).reshape(4, 4)])
    a = replace(a, segments=labels, values=np.array([[1.0, 2, 0], [3, 2, 1]], "float32"))
    curve = xai.deletion(model, inputs, a)
    np.testing.assert_array_equal(curve.fractions, [0, 1 / 3, 2 / 3, 1])
    np.testing.assert_array_equal(curve.scores, [[1, 1, 1, 0], [1, 0, 0, 0]])  # the first has two: 0, 1, 1, 2 gone
    np.testing.assert_allclose(curve.area, [3 / 4, 1 / 6])


def test_random_baselines_are_averaged():
    model = function_model(lambda x: ops.sum(x, axis=1, keepdims=True), 4)
    inputs, data = np.ones((2, 4), "float32"), samples(4, count=5)
    a = xai.explain(model, inputs, xai.IntegratedGradients(steps=4, baseline=xai.Samples(data)))
    curve = xai.deletion(model, inputs, a)
    np.testing.assert_allclose(curve.scores[:, -1], data.sum(axis=1).mean(), rtol=1e-5)


@pytest.mark.parametrize("kind", ["list", "dict"])
def test_several_inputs_share_one_order(kind):
    import keras

    left, right = keras.Input((4,), name="left"), keras.Input((6, 2), name="right")
    y = ops.sum(left, axis=1, keepdims=True) + 10 * ops.sum(right, axis=(1, 2))[:, None]
    given = [left, right] if kind == "list" else {"left": left, "right": right}
    model = keras.Model(given, y)
    arrays = [np.ones((3, 4), "float32"), np.ones((3, 6, 2), "float32")]
    inputs = arrays if kind == "list" else {"left": arrays[0], "right": arrays[1]}
    a = xai.explain(model, inputs, "gradient_input")
    curve = xai.deletion(model, inputs, a)
    np.testing.assert_allclose(curve.scores[0], [124, 104, 84, 64, 44, 24, 4, 3, 2, 1, 0])


def test_probability_margins_and_preprocessing_are_followed(zoo):
    model, inputs = zoo["functional"]
    with unchanged(model):
        a = xai.explain(model, inputs, "saliency", probability=True)
        np.testing.assert_allclose(xai.deletion(model, inputs, a).scores[:, 0], a.score, atol=1e-5)
        a = xai.explain(model, inputs, "saliency", target=xai.Margin(1, 2))
        with pytest.raises(ValueError, match=r"target must be given: .* 'class 1 rather than class 2'"):
            xai.deletion(model, inputs, a)
        np.testing.assert_allclose(
            xai.deletion(model, inputs, a, target=xai.Margin(1, 2)).scores[:, 0], a.score, atol=1e-5
        )
        a = xai.explain(model, inputs * 9, "saliency", preprocess=lambda x: x / 9)
        np.testing.assert_allclose(
            xai.deletion(model, inputs * 9, a, preprocess=lambda x: x / 9).scores[:, 0], a.score, atol=1e-5
        )


def test_maps_of_layers_count_at_input_size(zoo):
    model, inputs = zoo["nested"]
    for a in (xai.explain(model, inputs, "grad_cam"), xai.explain(model, inputs, "saliency", wrt="deep.conv")):
        curve = xai.deletion(model, inputs, a, steps=4)
        np.testing.assert_allclose(curve.scores[:, 0], a.score, atol=1e-5)
        assert len(curve.fractions) == 5


def test_what_does_not_fit_is_refused(zoo):
    model, inputs = zoo["functional"]
    a = xai.explain(model, inputs, "saliency")
    for wrong, error, says in (
        ({"attribution": a.values}, TypeError, "attribution must be an Attribution"),
        ({"inputs": inputs[:2]}, ValueError, "must be the 3 samples"),
        ({"inputs": inputs * 3}, ValueError, "give the inputs"),
        ({"steps": 0}, ValueError, "steps must be >= 1"),
        ({"steps": 2.5}, TypeError, "steps must be an integer"),
        ({"baseline": "black"}, ValueError, "'black' is no baseline; known: 'constant', 'blur'"),
        ({"baseline": [1.0, 2.0]}, ValueError, "does not fit"),
        ({"attribution": replace(a, target=a.target * 0 - 1)}, ValueError, "target must be given"),
    ):
        with pytest.raises(error, match=says):
            xai.deletion(**{"model": model, "inputs": inputs, "attribution": a, **wrong})
    table, x = zoo["shared_layer"]
    with pytest.raises(ValueError, match="no features of the inputs"):
        xai.deletion(table, x, xai.explain(table, x, "saliency", wrt="shared"))


def test_the_result_says_and_shows_what_it_is(zoo):
    model, inputs = zoo["functional"]
    curve = xai.insertion(model, inputs, xai.explain(model, inputs, "saliency"), steps=4)
    assert repr(curve).startswith("Curve(insertion, 5 points, area [")
    assert curve.plot()._repr_png_().startswith(b"\x89PNG")
