"""Guided IG against published values, its limits, and the rules of its path."""

import numpy as np
import pytest
from models import function_model, samples

import xai_widgets as xai
from xai_widgets.engine.guided import guided_step

X = np.array([[3.0, 3.0]], "float32")


@pytest.fixture(scope="module")
def square():
    """(2 x1 + x2)^2: the score of PAIR saliency's tests."""
    return function_model(lambda x: (2 * x[:, :1] + x[:, 1:]) ** 2, 2)


def test_a_linear_score_has_one_answer():
    linear = function_model(lambda x: 2 * x[:, :1] + x[:, 1:], 2)
    a = xai.explain(linear, [[10.0, 5.0]], xai.GuidedIG(baseline=xai.Constant([-1.0, -3.0])), target=0)
    np.testing.assert_allclose(a.values, [[22, 8]], rtol=1e-6)


@pytest.mark.parametrize("limit", [{"fraction": 1.0, "max_dist": 1.0}, {"max_dist": 0.0}])
@pytest.mark.parametrize("steps", [1, 5, 32])
def test_at_its_limits_it_is_integrated_gradients(zoo, square, limit, steps):
    a = xai.explain(square, X, xai.GuidedIG(steps=steps, **limit), target=0)
    np.testing.assert_allclose(a.values, [[54, 27]], rtol=1e-5)
    model, inputs = zoo["functional"]
    guided = xai.explain(model, inputs, xai.GuidedIG(steps=steps, **limit))
    integrated = xai.explain(model, inputs, xai.IntegratedGradients(steps=steps + 1, rule="trapezoid"))
    np.testing.assert_allclose(guided.values, integrated.values, atol=1e-5)


def test_published_values_of_the_unbounded_path(square):
    """x2 has the smaller slope and goes all the way first: 9 for it, and 72 for x1. At zero both slopes are equal."""
    a = xai.explain(square, X, xai.GuidedIG(steps=600, max_dist=1.0), target=0)
    np.testing.assert_allclose(a.values, [[72, 9]], atol=0.1)
    assert a.residual[0] == pytest.approx(0, abs=1e-3)


def test_the_bounded_path_sums_to_81_and_lies_between(square):
    a = xai.explain(square, X, xai.GuidedIG(steps=100, max_dist=0.1), target=0)
    assert a.values.sum() == pytest.approx(81, rel=1e-5)
    assert 54 < a.values[0, 0] < 72


def loop_step(place, start, end, slopes, alpha, reach, part):
    """The step of the paper, feature by feature and share by share, for one sample."""
    way = end - start
    low, high = start + max(alpha - reach, 0) * way, start + min(alpha + reach, 1) * way
    place = np.where(way > 0, np.maximum(place, low), np.minimum(place, low))
    target = (1 - alpha) * np.abs(way).sum()
    while True:
        gap = np.abs(end - place).sum() - target
        free = [i for i in range(len(place)) if abs(high[i] - place[i]) > 1e-12]
        if gap <= 1e-12 or not free:
            return place
        together = int(part * (len(place) - 1)) + 1
        worst = sorted(abs(slopes[i]) for i in free)[min(together, len(free)) - 1]
        chosen = [i for i in free if abs(slopes[i]) <= worst]
        room = sum(abs(high[i] - place[i]) for i in chosen)
        for i in chosen:
            place[i] += min(gap / room, 1) * (high[i] - place[i])


@pytest.mark.parametrize("part", [0.0, 0.1, 0.3, 1.0])
@pytest.mark.parametrize("reach", [0.0, 0.05, 0.3, 1.0])
def test_a_step_is_that_of_the_paper(part, reach):
    rng = np.random.default_rng(4)
    start, end = rng.normal(size=(2, 3, 11))
    place = start.copy()
    for step in range(1, 9):
        slopes = rng.integers(-3, 4, size=(3, 11)).astype(float)  # with ties
        expected = [loop_step(*rows, step / 8, reach, part) for rows in zip(place, start, end, slopes, strict=True)]
        place = guided_step(place, (start, end), slopes, step / 8, reach, part)
        np.testing.assert_allclose(place, expected, atol=1e-9)
        np.testing.assert_allclose(np.abs(end - place).sum(1), (1 - step / 8) * np.abs(end - start).sum(1), atol=1e-9)
    np.testing.assert_allclose(place, end)


def test_sums_to_the_difference_however_far_it_strays(digits):
    inputs = digits.inputs[:5]
    for far in (0.02, 1.0):
        a = xai.explain(digits.model, inputs, xai.GuidedIG(steps=64, max_dist=far))
        np.testing.assert_allclose(a.residual, 0, atol=0.05 * np.abs(a.score - a.baseline_score).max())


def test_several_baselines_are_averaged(zoo):
    model, inputs = zoo["sequential"]
    data = samples(6, count=2) + 1
    both = xai.explain(model, inputs, xai.GuidedIG(steps=8, baseline=xai.Samples(data)))
    single = [xai.explain(model, inputs, xai.GuidedIG(steps=8, baseline=xai.Constant(one))) for one in data]
    np.testing.assert_allclose(both.values, (single[0].values + single[1].values) / 2, atol=1e-5)
    np.testing.assert_allclose(
        both.baseline_score, (single[0].baseline_score + single[1].baseline_score) / 2, atol=1e-5
    )


def test_a_baseline_that_is_the_input_gives_zeros(zoo):
    model, inputs = zoo["sequential"]
    a = xai.explain(model, inputs[:1], xai.GuidedIG(baseline=xai.Constant(inputs[0])))
    np.testing.assert_array_equal(a.values, np.zeros_like(inputs[:1]))
    assert any("equals the input" in note for note in a.notes)


@pytest.mark.slow
def test_change_tells_the_size_of_what_is_missing(digits):
    inputs = digits.inputs[:10]
    limit = xai.explain(digits.model, inputs, xai.GuidedIG(steps=256)).values
    a = xai.explain(digits.model, inputs, xai.GuidedIG(steps=32))
    true = np.abs(a.values - limit).sum((1, 2, 3)) / np.abs(limit).sum((1, 2, 3))
    assert 0.5 < (a.change / true).mean() < 2
