"""Points, weights and the order in which a path is walked."""

import numpy as np
import pytest

from xai_widgets.engine.path import RULES, quadrature, spread


@pytest.mark.parametrize("count", [1, 2, 3, 7, 32, 100])
def test_every_prefix_spans_the_path(count):
    order = spread(count)
    assert sorted(order) == list(range(count))
    for size in range(4, count + 1):
        gaps = np.diff(np.sort(np.append(order[:size], [-1, count])))
        assert gaps.max() <= 4 * count / size + 1


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("steps", [1, 2, 5, 64])
def test_weights_sum_to_one_inside_the_path(rule, steps):
    points, weights = quadrature(rule, steps)
    assert weights.sum() == pytest.approx(1)
    assert (weights > 0).all()
    assert points.min() >= 0
    assert points.max() <= 1
    assert (np.diff(points) > 0).all()


@pytest.mark.parametrize(
    ("rule", "degree"), [("midpoint", 1), ("trapezoid", 1), ("gauss_legendre", 9), ("left", 0), ("right", 0)]
)
def test_rules_are_exact_up_to_their_degree(rule, degree):
    points, weights = quadrature(rule, 5)
    for power in range(degree + 1):
        assert weights @ points**power == pytest.approx(1 / (power + 1))
