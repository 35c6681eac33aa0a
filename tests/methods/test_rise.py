"""RISE against its formula, its closed form on additive models, and its own stated error."""

import numpy as np
import pytest
from keras import ops
from models import Function, function_model, samples

import xai_widgets as xai
from xai_widgets.engine.grids import Grids
from xai_widgets.engine.masks import by_grid

W = np.array([3.0, -1.0, 0.5, 0.0, 2.0, -2.0], "float32")


@pytest.mark.parametrize("keep", [0.5, 0.25])
def test_an_additive_model_gives_its_terms(keep):
    """The covariance of a sum with one of its switches is that term's: (1 - keep) w_i (x_i - b_i), over keep keep."""
    model = function_model(lambda x: ops.sum(x * W, axis=1, keepdims=True), 6)
    x = samples(6, count=2)
    a = xai.explain(model, x, xai.RISE(samples=20_000, keep=keep, baseline=1.0))
    np.testing.assert_allclose(a.values, (1 - keep) * W * (x - 1), atol=0.15 if keep != 0.5 else 0.01)
    assert a.values.shape == (2, 6)


def masks(grids, count, size):
    """What the compiled function makes of some grids."""
    return by_grid([size], grids.cells, grids.rows(slice(0, count)))[0][0].numpy()


def test_it_is_the_formula_of_its_masks():
    w = np.random.default_rng(0).normal(size=(12, 10, 2)).astype("float32")
    model = Function(lambda x: ops.tanh(ops.sum(x * w, axis=(1, 2, 3)))[:, None])
    x = samples(12, 10, 2, count=1) / 5
    model(x)
    for count, keep in ((128, 0.5), (200, 0.5), (90, 0.3)):
        m = masks(Grids([x], 3, keep, 4), count, (12, 10))
        scores = np.tanh((x * m[..., None] * w).sum(axis=(1, 2, 3)))
        expected = ((scores - scores.mean())[:, None, None] * m).sum(axis=0) / (count * keep)
        a = xai.explain(model, x, xai.RISE(samples=count, grid=3, keep=keep, seed=4))
        np.testing.assert_allclose(a.values[0, ..., 0], expected, atol=1e-5)


@pytest.mark.parametrize("keep", [0.5, 0.3])
@pytest.mark.parametrize("size", [(28, 28), (30,), (6, 7, 8)])
def test_every_place_of_every_mask_is_kept_as_often_as_said(keep, size):
    """Bilinear masks between 0 and 1 whose mean is `keep` everywhere, the border included."""
    site = [np.zeros((1, *size, 1), "float32")]
    made = np.concatenate([masks(Grids(site, 4, keep, seed), 256, size) for seed in range(16)])
    assert made.min() >= 0
    assert made.max() <= 1
    np.testing.assert_allclose(made.mean(axis=0), keep, atol=0.06)
    assert made.std(axis=0).min() > 0.1


def test_within_a_block_any_two_nodes_are_independent():
    grids = Grids([np.zeros((1, 28, 28, 1), "float32")], 7, 0.5, 0)
    signs = np.where(grids.nodes(slice(0, grids.block)), 1, -1)
    assert signs.shape == (128, 81)
    np.testing.assert_array_equal(signs.T @ signs, 128 * np.eye(81))
    np.testing.assert_array_equal(signs.sum(axis=0), 0)


def test_masks_do_not_depend_on_how_they_are_grouped(digits, monkeypatch):
    from xai_widgets.engine.model import ModelView

    for keep in (0.5, 0.4):
        method = xai.RISE(samples=150, keep=keep)
        a = xai.explain(digits.model, digits.inputs[:1], method)
        with monkeypatch.context() as patch:
            patch.setattr(ModelView, "chunk", lambda *_, **__: 7)
            b = xai.explain(digits.model, digits.inputs[:1], method)
        np.testing.assert_allclose(a.values, b.values, atol=1e-5)
        np.testing.assert_allclose(a.error, b.error, rtol=1e-3)


@pytest.fixture(scope="module")
def bumpy():
    """A small network over pictures that are bumpy at the scale of a mask's cells, and one picture."""
    rng = np.random.default_rng(1)
    w = np.kron(rng.normal(size=(5, 5, 8)), np.ones((4, 4, 1))).astype("float32").reshape(400, 8) / 20
    v = rng.normal(size=(8, 1)).astype("float32")
    model = Function(lambda x: ops.tanh(ops.reshape(x, (-1, 400)) @ w) @ v)
    x = np.ones((1, 20, 20, 1), "float32")
    model(x)
    return model, x


@pytest.mark.parametrize("keep", [0.5, 0.3])
def test_the_stated_error_covers_the_truth(bumpy, keep):
    """The 95 % interval of a run holds the mean of many more masks for 90 to 99 % of the pixels."""
    model, x = bumpy
    truth = xai.explain(model, x, xai.RISE(samples=12_000, keep=keep, grid=4, seed=99)).values
    for count in (64, 200, 300):  # a block of 64 masks, some of them, and one that is cut
        runs = [xai.explain(model, x, xai.RISE(samples=count, keep=keep, grid=4, seed=seed)) for seed in range(12)]
        inside = [np.abs(a.values - truth) <= 1.96 * a.error for a in runs]
        print(count, np.mean(inside))
        assert 0.9 < np.mean(inside) < 0.99


def test_orthogonal_masks_are_worth_several_times_as_many_independent_ones(digits):
    x = digits.inputs[3:4]
    truth = xai.explain(digits.model, x, xai.RISE(samples=8192, seed=99)).values.ravel()
    error = {}
    for keep in (0.5, np.nextafter(0.5, 1)):  # one is orthogonal, the other as good as the same and is not
        runs = [xai.explain(digits.model, x, xai.RISE(samples=512, keep=keep, seed=seed)).values for seed in range(3)]
        error[keep == 0.5] = np.mean([((run.ravel() - truth) ** 2).sum() for run in runs])
    assert error[True] < error[False] / 3


def test_inputs_are_masked_together_and_told_apart():
    import keras

    a, b = keras.Input((3,), name="a"), keras.Input((12, 2), name="b")
    flat = keras.layers.Concatenate()([a, keras.layers.Flatten()(b)])
    model = keras.Model([a, b], keras.layers.Dense(1, use_bias=False, name="sum")(flat))
    weights = np.concatenate([[1, 2, 3], np.zeros(12), np.ones(12)])[:, None]
    model.get_layer("sum").set_weights([weights])
    x = [np.ones((1, 3), "float32"), np.ones((1, 12, 2), "float32")]
    e = xai.explain(model, x, xai.RISE(samples=2048), target=0)
    np.testing.assert_allclose(e.values[0], [[0.5, 1, 1.5]], atol=0.02)
    assert e.values[1].shape == (1, 12, 1)
    assert e.values[1][0, :5].max() < 0.4 * e.values[1][0, 7:].min()


def test_what_keeps_everything_is_refused():
    with pytest.raises(ValueError, match=r"RISE.keep must be below 1, got 1.0"):
        xai.RISE(keep=1.0)


@pytest.mark.parametrize("baseline", [0.0, 100.0])
def test_the_sample_itself_is_scored_whatever_the_baseline(baseline):
    """Where a mask is 1 the value stays to the last bit: a step in the model tells."""
    model = function_model(lambda x: ops.sum(ops.where(x >= 0.1, 1.0, 0.0), axis=1, keepdims=True), 4)
    x = np.full((1, 4), 0.1, "float32")
    a = xai.explain(model, x, xai.RISE(samples=64, baseline=baseline))
    np.testing.assert_array_equal(a.score, model(x).numpy()[:, 0])
