"""Maps against boxes and against one another."""

from dataclasses import replace

import numpy as np
import pytest
from models import samples

import xai_widgets as xai


@pytest.fixture
def pointing(zoo):
    """An attribution whose largest value each test places."""
    model, inputs = zoo["functional"]
    a = xai.explain(model, inputs, "saliency")

    def at(*places):
        values = np.zeros_like(a.values)
        for sample, place in places:
            values[(sample, *place)] = 1
        return replace(a, values=values)

    return at


def test_a_point_in_any_box_of_its_sample_hits(pointing):
    a = pointing((0, (2, 3)), (1, (2, 3)), (2, (7, 7)))
    hits = xai.pointing_game(a, [(2, 3, 3, 4), (3, 3, 5, 5), [(0, 0, 1, 1), (6, 6, 8, 8)]])
    np.testing.assert_array_equal(hits, [True, False, True])
    assert hits.dtype == bool
    np.testing.assert_array_equal(xai.pointing_game(a, [(2, 4, 3, 5), (3, 3, 5, 5), (0, 0, 5, 5)]), [False] * 3)
    near = xai.pointing_game(a, [(2, 4, 3, 5), (4, 3, 5, 5), (0, 0, 5, 5)], tolerance=1)
    np.testing.assert_array_equal(near, [True, False, False])


def test_a_plateau_points_at_its_middle_and_a_flat_map_nowhere(pointing):
    a = pointing(*((0, (row, column)) for row in (3, 4, 5) for column in (3, 4, 5)))
    hits = xai.pointing_game(a, [(4, 4, 5, 5), (0, 0, 8, 8), (0, 0, 8, 8)])
    np.testing.assert_array_equal(hits, [True, False, False])


def test_series_have_intervals(zoo):
    model, inputs = zoo["series"]
    a = xai.explain(model, inputs, "saliency")
    place = a.heatmap().argmax(axis=1)
    assert xai.pointing_game(a, [(one, one + 1) for one in place]).all()


@pytest.mark.parametrize(
    ("boxes", "says"),
    [
        ([(0, 0, 1, 1)], "each of the 3 samples"),
        ([(0, 0, 1)] * 3, "4 numbers each"),
        ([(0, 0, 0, 1)] * 3, "end after they start"),
    ],
)
def test_boxes_that_do_not_fit_are_refused(pointing, boxes, says):
    with pytest.raises(ValueError, match=says):
        xai.pointing_game(pointing(), boxes)


def test_tables_and_other_things_have_no_boxes(zoo):
    model, inputs = zoo["sequential"]
    with pytest.raises(ValueError, match="positions"):
        xai.pointing_game(xai.explain(model, inputs, "saliency"), [(0, 1)] * 3)
    with pytest.raises(TypeError, match="attribution must be"):
        xai.pointing_game(inputs, [])


def test_agreement_is_spearmans(zoo):
    from scipy.stats import spearmanr

    model, inputs = zoo["functional"]
    methods = ["saliency", "gradient_input", "grad_cam"]
    given = [xai.explain(model, inputs, method) for method in methods]
    found = xai.agreement(given)
    maps = [one.heatmap().reshape(3, -1) for one in given]
    for row in range(3):
        for column in range(3):
            each = [spearmanr(maps[row][i], maps[column][i]).statistic for i in range(3)]
            np.testing.assert_allclose(found.samples[:, row, column], each, atol=1e-9)
    np.testing.assert_allclose(np.diag(found.matrix), 1)
    np.testing.assert_array_equal(np.asarray(found), found.matrix)
    assert "GradCAM(layer=None, relu=True)" in repr(found)
    assert found.plot()._repr_png_().startswith(b"\x89PNG")


def test_a_rising_function_of_a_map_agrees_fully_and_its_opposite_not_at_all(zoo):
    model, inputs = zoo["sequential"]
    a = xai.explain(model, inputs, "saliency")
    found = xai.agreement([a, replace(a, values=np.exp(a.values)), replace(a, values=-a.values)])
    np.testing.assert_allclose(found.matrix[0], [1, 1, -1])


def test_what_cannot_be_compared_is_refused(zoo):
    model, inputs = zoo["sequential"]
    a = xai.explain(model, inputs, "saliency")
    with pytest.raises(ValueError, match="two or more"):
        xai.agreement([a])
    with pytest.raises(TypeError, match="attributions must be"):
        xai.agreement([a, inputs])
    with pytest.raises(ValueError, match="same inputs"):
        xai.agreement([a, xai.explain(model, samples(6, count=2), "saliency")])
