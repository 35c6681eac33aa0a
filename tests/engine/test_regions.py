"""Regions of a picture and the map that they make."""

import numpy as np
import pytest

from xai_widgets.engine.regions import SCALES, RankedRegions, segments_at


@pytest.fixture(scope="module")
def picture():
    """Four flat quarters of different colours."""
    quarters = np.zeros((64, 80, 3))
    quarters[:32, 40:] = [1, 0, 0]
    quarters[32:, :40] = [0, 1, 0]
    quarters[32:, 40:] = [0, 0, 1]
    return quarters


@pytest.mark.parametrize("scale", SCALES)
def test_segments_find_flat_quarters(picture, scale):
    labels = segments_at(picture, scale)
    assert labels.min() == 0
    for rows in (slice(0, 27), slice(37, 64)):
        for columns in (slice(0, 35), slice(45, 80)):
            assert len(np.unique(labels[rows, columns])) == 1
    assert len(np.unique(labels[[0, 0, -1, -1], [0, -1, 0, -1]])) == 4


def test_a_flat_picture_is_one_segment():
    assert not segments_at(np.ones((16, 16, 1)), SCALES[0]).any()


def test_the_region_of_the_attribution_stands_out_and_the_sum_stays(picture):
    attribution = np.random.default_rng(0).normal(0, 0.1, (64, 80))
    attribution[:32, 40:] += 1
    regions = RankedRegions(picture, margin=0.0, least=0.01)
    np.testing.assert_array_equal(regions.show(attribution), attribution)  # no regions yet
    while regions.waiting:
        regions.refine(attribution)
    shown = regions.show(attribution)
    assert shown.sum() == pytest.approx(attribution.sum())
    assert shown[:27, 45:].min() > 0.8 > 0.3 > shown[37:].max()


def test_greedy_order_on_overlapping_regions_by_hand():
    """Two segments of 2 x 6, each grown by one: what the first takes is gone for the second."""
    regions = RankedRegions(np.zeros((4, 6, 1)), margin=0.25, least=0.0)
    regions._add(np.repeat([[0], [0], [1], [1]], 6, axis=1))
    attribution = np.repeat([[4.0], [0.0], [2.0], [1.0]], 6, axis=1)
    regions.rank(attribution)
    # Grown, the regions are rows 0-2 with mean 2 and rows 1-3 with mean 1; then row 3 alone is left of the second.
    np.testing.assert_allclose(regions.show(attribution)[:, 0], [2, 2, 2, 1])


def test_pieces_that_are_too_small_are_one_region():
    regions = RankedRegions(np.zeros((4, 6, 1)), margin=0.25, least=0.5)
    regions._add(np.repeat([[0], [0], [1], [1]], 6, axis=1))
    regions.rank(np.repeat([[4.0], [0.0], [2.0], [1.0]], 6, axis=1))
    np.testing.assert_allclose(regions.show(np.zeros((4, 6)))[:, 0], [2, 2, 2, 1])
