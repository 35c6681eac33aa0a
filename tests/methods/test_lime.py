"""LIME against scikit-learn's ridge, models that are linear in the mask, and its own stated error."""

import numpy as np
import pytest
from keras import ops
from models import function_model, samples
from sklearn.linear_model import Ridge

import xai_widgets as xai
from xai_widgets.engine.coalitions import kernel, local_masks, weights
from xai_widgets.engine.regression import Regression
from xai_widgets.task import Subject, Task

W = np.array([3.0, -1.0, 0.5, 0.0, 2.0, -2.0, 1.0, 4.0], "float32")


def curved(x):
    return ops.tanh(x @ W[:, None] / 4) + ops.sum(x[:, :2], axis=1, keepdims=True) ** 2


def test_a_model_that_is_linear_in_the_mask_gives_its_coefficients():
    model = function_model(lambda x: x @ W[:, None] + 5, 8)
    x = samples(8, count=2)
    a = xai.explain(model, x, xai.LIME(samples=100, alpha=1e-9, baseline=2.0))
    np.testing.assert_allclose(a.values, W * (x - 2), atol=1e-4)
    assert any(note.startswith("R2 = 1.00") for note in a.notes)
    np.testing.assert_allclose(a.error, 0, atol=1e-4)


@pytest.mark.parametrize(("samples_", "alpha", "width"), [(100, 1.0, 0.25), (60, 10.0, 0.5), (256, 0.1, 0.1)])
def test_it_is_ridge_with_sample_weights(samples_, alpha, width):
    model = function_model(curved, 8)
    x = samples(8, count=1)
    masks = local_masks(8, samples_, 3).rows(slice(0, samples_))
    scores = model(np.where(masks, x, 0.0).astype("float32")).numpy()[:, 0]
    distance = 1 - masks.sum(axis=1) / np.sqrt(8 * np.maximum(masks.sum(axis=1), 1e-9))
    weights = np.exp(-(distance**2) / width**2)
    expected = Ridge(alpha=alpha).fit(masks, scores, sample_weight=weights)
    a = xai.explain(model, x, xai.LIME(samples=samples_, alpha=alpha, kernel_width=width, seed=3))
    np.testing.assert_allclose(a.values[0], expected.coef_, atol=1e-5)
    told = expected.score(masks, scores, sample_weight=weights)
    assert any(note.startswith(f"R2 = {told:.2f}") for note in a.notes)
    effective = weights.sum() ** 2 / (weights**2).sum()
    assert any(f"all {samples_:,} together count like {effective:,.0f} equal ones" in note for note in a.notes)


def test_no_mask_comes_twice_and_of_few_players_all_come():
    assert len(np.unique(local_masks(6, 1000, 0).rows(slice(0, 1000)), axis=0)) == 64
    assert len(np.unique(local_masks(15, 1000, 0).rows(slice(0, 1000)), axis=0)) == 1000
    a = xai.explain(function_model(lambda x: x[:, :1] * x[:, 1:2], 6), samples(6), xai.LIME(samples=1000))
    assert a.passes == 64
    np.testing.assert_array_equal(a.error, 0)


@pytest.mark.parametrize("players", [15, 40])
def test_masks_do_not_depend_on_how_they_are_asked_for(players):
    masks = local_masks(players, 700, 1)
    parts = [masks.rows(slice(start, start + 90)) for start in range(0, 700, 90)]
    whole = masks.rows(slice(0, 700))
    np.testing.assert_array_equal(np.concatenate(parts), whole)
    # Weighted, they are as near to the input as coins are.
    coins = np.random.default_rng(0).random((20_000, players)) < 0.5
    expected = np.average(coins.mean(axis=1), weights=kernel(coins.mean(axis=1), 0.25))
    assert np.average(whole.mean(axis=1), weights=weights(masks, whole, 0.25)) == pytest.approx(expected, abs=0.01)
    assert weights(masks, whole, 0.25).mean() == pytest.approx(kernel(coins.mean(axis=1), 0.25).mean(), rel=0.05)


def test_masks_far_from_the_input_weigh_little():
    masks = np.array([[1, 1, 1, 1], [1, 0, 0, 0], [0, 0, 0, 0]], bool)
    np.testing.assert_allclose(kernel(masks.mean(axis=1), 0.5), np.exp(-(np.array([0, 0.5, 1]) ** 2) / 0.25))


def test_a_regression_in_parts_is_the_regression_of_all():
    rng = np.random.default_rng(0)
    rows, weights, targets = rng.normal(size=(90, 5)), rng.random(90), rng.normal(size=(2, 90))
    whole, parts = Regression(5, 2), Regression(5, 2)
    whole.add(rows, weights, targets, np.zeros(90))
    for start in (0, 7, 50):
        stop = {0: 7, 7: 50, 50: 90}[start]
        parts.add(rows[start:stop], weights[start:stop], targets[:, start:stop], np.zeros(stop - start))
    for one, other in zip(vars(whole.fit(np.ones(5))).values(), vars(parts.fit(np.ones(5))).values(), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-9)


def test_the_stated_error_covers_the_truth():
    """The 95 % interval holds the limit of many masks in 90 to 99 % of many runs."""
    rng = np.random.default_rng(0)
    w1, w2 = rng.normal(size=(14, 8)).astype("float32"), rng.normal(size=(8, 1)).astype("float32")
    model = function_model(lambda x: ops.tanh(x @ w1) @ w2, 14)
    x = samples(14, count=1)
    truth = xai.explain(model, x, xai.LIME(samples=2**14, alpha=0)).values
    inside = []
    for seed in range(80):
        a = xai.explain(model, x, xai.LIME(samples=300, alpha=0, seed=seed))
        inside.append(np.abs(a.values - truth) <= 1.96 * a.error)
    assert 0.9 < np.mean(inside) < 0.99


@pytest.mark.parametrize(("count", "at_most"), [(60, 0.85), (480, 0.5)])
def test_masks_are_worth_more_than_independent_ones(count, at_most):
    """They are drawn where they count, and many of them in opposite orders: the squared error is smaller."""
    rng = np.random.default_rng(0)
    pairs = np.triu(rng.normal(size=(24, 24)), 1).astype("float32")
    model = function_model(lambda x: ops.sum((x @ pairs) * x, axis=1, keepdims=True), 24)
    x = np.ones((1, 24), "float32")
    truth = xai.explain(model, x, xai.LIME(samples=40_000, alpha=0, seed=99)).values[0]
    ours, plain = 0.0, 0.0
    for seed in range(40):
        values = xai.explain(model, x, xai.LIME(samples=count, alpha=1e-6, seed=seed)).values[0]
        ours += ((values - truth) ** 2).sum()
        masks = np.random.default_rng(seed).random((count, 24)) < 0.5
        scores = (masks @ pairs * masks).sum(axis=1)
        fit = Ridge(alpha=1e-6).fit(masks, scores, sample_weight=kernel(masks.mean(axis=1), 0.25))
        plain += ((fit.coef_ - truth) ** 2).sum()
    assert ours < at_most * plain


@pytest.mark.parametrize("width", [0.15, 0.25, 1.0])
def test_the_stated_error_covers_the_truth_of_few_masks(width):
    rng = np.random.default_rng(1)
    w1, w2 = rng.normal(size=(24, 8)).astype("float32"), rng.normal(size=(8, 1)).astype("float32")
    model = function_model(lambda x: ops.tanh(x @ w1 / 2) @ w2, 24)
    x = samples(24, count=1)
    truth = xai.explain(model, x, xai.LIME(samples=40_000, alpha=0, kernel_width=width)).values
    inside = []
    for seed in range(60):
        a = xai.explain(model, x, xai.LIME(samples=110, alpha=0, kernel_width=width, seed=seed))
        inside.append(np.abs(a.values - truth) <= 1.96 * a.error)
    assert 0.9 < np.mean(inside) < 0.99


def test_a_score_that_is_not_linear_gets_a_warning():
    model = function_model(lambda x: ops.prod(ops.sign(x) * 2 - 1, axis=1, keepdims=True), 6)  # parity
    a = xai.explain(model, np.ones((1, 6), "float32"), xai.LIME())
    assert any("far from linear" in note for note in a.notes)


def test_segments_of_a_picture(digits):
    a = xai.explain(digits.model, digits.inputs[:2], xai.LIME(samples=200, segments=20))
    assert a.segments.shape == (2, 28, 28)
    for row in range(2):
        count = a.segments[row].max() + 1
        np.testing.assert_array_equal(a.values[row, count:], 0)
        np.testing.assert_array_equal(a.heatmap()[row], a.values[row][a.segments[row]])
    one = xai.explain(digits.model, digits.inputs[:1], xai.LIME(segments=np.zeros((28, 28), int)))
    np.testing.assert_allclose(one.values[:, 0], one.score - one.baseline_score, rtol=1e-5)


def test_label_maps_are_made_once(digits, monkeypatch):
    from xai_widgets.engine import segments

    x, calls = digits.inputs[11:13], []
    monkeypatch.setitem(segments._FINDERS, "slic", lambda *a, made=segments._slic: calls.append(1) or made(*a))
    for samples_ in (20, 40):
        xai.explain(digits.model, x, xai.LIME(samples=samples_, segments=17))
    assert len(calls) == 2


def test_saved_and_loaded_with_its_labels(digits, tmp_path):
    labels = np.arange(784).reshape(28, 28) // 100
    a = xai.explain(digits.model, digits.inputs[:1], xai.LIME(samples=20, segments=labels))
    a.save(tmp_path / "lime.npz")
    b = xai.Attribution.load(tmp_path / "lime.npz")
    assert b.method == a.method
    np.testing.assert_array_equal(b.method.segments, labels)
    np.testing.assert_array_equal(b.heatmap(), a.heatmap())


@pytest.mark.parametrize("segments", [12, 40])
def test_what_was_drawn_is_fitted_anew_and_gone_on_with(digits, segments):
    """A refit is what `explain` gives for that width and ridge, in the middle of a run and at its end."""
    model, x = digits.model, digits.inputs[:4]
    method = xai.LIME(samples=1500, segments=segments)
    other = method.replace(kernel_width=0.7, alpha=0.1)
    task = Task(Subject(model, x), method, target=0)
    frames = [frame for frame, _ in task.frames()]
    assert len(frames) > 1
    again, refitted = task.resumed(frames[-1], other)
    ((frame, a),) = refitted
    expected = xai.explain(model, x, other, target=0)
    np.testing.assert_allclose(a.values, expected.values, rtol=1e-6, atol=1e-8)
    np.testing.assert_allclose(a.error, expected.error, rtol=1e-5)
    assert a.notes == expected.notes
    assert (again.method, a.method, frame.progress) == (other, other, 1)

    running = task.frames()
    first, _ = next(running)
    _, refitted = task.resumed(first, other)
    progress = [(frame.progress, a) for frame, a in refitted]
    assert progress[0][0] == first.progress < progress[1][0]
    np.testing.assert_allclose(progress[-1][1].values, expected.values, rtol=1e-6, atol=1e-8)


def test_a_method_knows_what_only_refits():
    one = xai.LIME(samples=100, baseline=xai.Blur(3))
    assert one.replace(kernel_width=1, alpha=2).only_refits(one)
    assert not one.replace(kernel_width=1, samples=200).only_refits(one)
    assert not xai.KernelSHAP(samples=200).only_refits(xai.KernelSHAP())


def test_the_surrogate_predicts_what_is_linear_and_can_be_asked_about_the_model():
    model = function_model(lambda x: x @ W[:, None] + 5, 8)
    x = samples(8, count=2)
    *_, frame = (frame for frame, _ in Task(Subject(model, x), xai.LIME(samples=100, alpha=1e-9)).frames())
    mask = np.array([1, 0, 1, 0, 0, 1, 1, 0])
    linear = frame.surrogate.intercept + frame.values[0] @ mask
    np.testing.assert_allclose(linear, model(x * mask).numpy()[:, 0], atol=1e-4)
    np.testing.assert_allclose(frame.surrogate.look(np.tile(mask, (2, 1, 1))).scores[:, 0], linear, atol=1e-4)
    np.testing.assert_allclose(frame.surrogate.explained, 1)
