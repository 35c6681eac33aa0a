"""XRAI: regions, sums and shapes."""

import keras
import numpy as np
import pytest
from keras import layers
from models import samples

import xai_widgets as xai


@pytest.fixture(scope="module")
def quarters():
    """Pictures with a bright quarter each, and a model that counts the upper left one alone."""
    x = keras.Input((32, 32, 1))
    model = keras.Model(x, layers.Dense(1, use_bias=False)(layers.Flatten()(x)))
    weights = np.zeros((32, 32, 1))
    weights[:16, :16] = 1 / 256
    model.layers[-1].set_weights([weights.reshape(-1, 1)])
    inputs = np.random.default_rng(0).normal(0, 0.01, (2, 32, 32, 1)).astype("float32")
    inputs[0, :16, :16] += 1
    inputs[1, 16:, 16:] += 1
    return model, inputs


def test_the_region_that_counts_stands_out(quarters):
    model, inputs = quarters
    a = xai.explain(model, inputs[:1], xai.XRAI(steps=4))
    assert a.values.shape == (1, 32, 32, 1)
    assert a.values[0, :15, :15].min() > 10 * np.abs(a.values[0, 18:, 18:]).max()
    assert a.method.reading.startswith("The map shows which regions")


def test_from_the_darkest_and_the_lightest_value(quarters):
    """A linear score: half the sum of integrated gradients from either, region by region."""
    model, inputs = quarters
    a = xai.explain(model, inputs, xai.XRAI(steps=2, margin=0.0))
    low, high = inputs.min(axis=(1, 2, 3)), inputs.max(axis=(1, 2, 3))
    np.testing.assert_allclose(a.baseline_score, (low + high) / 2, atol=1e-6)
    np.testing.assert_allclose(a.residual, 0, atol=1e-5)


@pytest.mark.parametrize("name", ["functional", "nested", "subclassed", "series"])
def test_sums_to_what_integrated_gradients_sum_to(zoo, name):
    model, inputs = zoo[name]
    a = xai.explain(model, inputs, xai.XRAI(steps=100))
    assert a.values.shape == (*inputs.shape[:-1], 1)
    np.testing.assert_allclose(a.residual, 0, atol=0.03 * np.abs(a.score - a.baseline_score).max() + 1e-3)
    assert a.heatmap().shape == inputs.shape[:-1]


def test_a_grey_picture_without_a_channel_axis():
    x = keras.Input((12, 12))
    model = keras.Model(x, layers.Dense(2)(layers.Flatten()(x)))
    a = xai.explain(model, samples(12, 12), xai.XRAI(steps=3))
    assert a.values.shape == (3, 12, 12, 1)
    assert a.heatmap().shape == (3, 12, 12)


def test_tables_volumes_and_layers_are_refused(zoo):
    for name in ("sequential", "volume"):
        model, inputs = zoo[name]
        assert not xai.XRAI.fits(inputs.shape)
        with pytest.raises(ValueError, match="XRAI needs pictures or series"):
            xai.explain(model, inputs, "xrai")
    model, inputs = zoo["functional"]
    with pytest.raises(ValueError, match="regions of the input"):
        xai.explain(model, inputs, "xrai", wrt="conv")
