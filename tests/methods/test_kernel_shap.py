"""KernelSHAP against enumeration, published values, its axioms, and its own stated error."""

import itertools
import math

import numpy as np
import pytest
from keras import ops
from models import Function, function_model, samples

import xai_widgets as xai


def layered(x):
    """Captum's `BasicModel_MultiLayer`: four units over the sum, one of them with a threshold."""
    total = ops.sum(x, axis=1, keepdims=True)
    return ops.relu(total - 10) + 3 * ops.relu(total + 1) - 1


def chained(x):
    """relu(relu(x1 - 1) - relu(x2))."""
    return ops.relu(ops.relu(x[:, 0] - 1) - ops.relu(x[:, 1]))[:, None]


def shapley(value, players):
    """Shapley values by their definition: `value` of every set of present players, averaged over orders."""
    worth = {
        subset: value(subset) for size in range(players + 1) for subset in itertools.combinations(range(players), size)
    }
    values = np.zeros(players)
    for subset, before in worth.items():
        size = len(subset)
        weight = (
            math.factorial(size) * math.factorial(players - size - 1) / math.factorial(players) if size < players else 0
        )
        for player in set(range(players)) - set(subset):
            values[player] += weight * (worth[tuple(sorted((*subset, player)))] - before)
    return values


def network(features, seed=0):
    """A small network in NumPy and as a model."""
    rng = np.random.default_rng(seed)
    w1, w2 = (rng.normal(size=shape).astype("float32") for shape in ((features, 8), (8, 1)))
    return function_model(lambda x: ops.tanh(x @ w1) @ w2, features), lambda x: np.tanh(x @ w1) @ w2


@pytest.mark.parametrize("players", [2, 3, 7, 12])
def test_all_coalitions_give_the_exact_values(players):
    model, compute = network(players)
    x, b = np.random.default_rng(1).normal(size=(2, players)).astype("float32")

    def value(subset):
        return compute(np.where(np.isin(np.arange(players), subset), x, b)[None])[0, 0]

    a = xai.explain(model, x[None], xai.KernelSHAP(samples=2**players - 2, baseline=xai.Constant(b)))
    np.testing.assert_allclose(a.values[0], shapley(value, players), atol=2e-5)
    np.testing.assert_array_equal(a.error, 0)
    assert a.passes == 2**players - 2


@pytest.mark.parametrize(
    ("function", "x", "b", "segments", "expected"),
    [
        (layered, (20, 50, 30), 0, 40, (76.667, 196.667, 116.667)),
        (layered, (20, 50, 30), (10, 20, 10), 40, (40, 120, 80)),
        (layered, (20, 50, 30), 0, (0, 0, 1), (275, 275, 115)),
        (chained, (3, 1), 0, 40, (1.5, -0.5)),
    ],
)
def test_published_values(function, x, b, segments, expected):
    model = function_model(function, len(x))
    a = xai.explain(model, np.array([x], "float32"), xai.KernelSHAP(segments=segments, baseline=b))
    np.testing.assert_allclose(a.heatmap(), [expected], rtol=1e-5)
    assert a.residual[0] == pytest.approx(0, abs=1e-4)


@pytest.mark.parametrize("samples", [2, 10, 64, 300])
def test_the_values_add_up_whatever_the_samples(samples):
    model, _ = network(20)
    x = np.random.default_rng(2).normal(size=(3, 20)).astype("float32")
    background = xai.Samples(np.random.default_rng(3).normal(size=(5, 20)))
    a = xai.explain(model, x, xai.KernelSHAP(samples=samples, baseline=background))
    np.testing.assert_allclose(a.residual, 0, atol=1e-6)
    np.testing.assert_allclose(a.values.sum(axis=1), a.score - a.baseline_score, atol=1e-5)


def test_a_linear_model_needs_hardly_more_samples_than_players():
    w = np.random.default_rng(0).normal(size=(30, 1)).astype("float32")
    background = np.random.default_rng(1).normal(size=(20, 30)).astype("float32")
    x = samples(30)
    model = function_model(lambda x: x @ w, 30)
    a = xai.explain(model, x, xai.KernelSHAP(samples=120, baseline=xai.Samples(background)))
    np.testing.assert_allclose(a.values, (x - background.mean(axis=0)) * w[:, 0], atol=1e-4)
    np.testing.assert_allclose(a.baseline_score, (background @ w).mean(), atol=1e-4)
    assert any("each of 20 references" in note for note in a.notes)


def test_no_coalition_comes_twice_and_each_with_its_complement():
    from xai_widgets.engine.coalitions import coalition_pairs

    for players, pairs in ((6, 31), (11, 100), (30, 1024), (60, 50)):
        draw = coalition_pairs(players, pairs, seed=0)
        both = np.concatenate([draw.masks, ~draw.masks])
        assert len(np.unique(both, axis=0)) == len(both) == 2 * pairs
        assert not both.all(axis=1).any()
        assert both.any(axis=1).all()


def test_weights_are_unbiased_for_the_kernel():
    """Whatever the budget, the expected weight of all pairs of a size is the mass that the kernel gives that size."""
    from xai_widgets.engine.coalitions import coalition_pairs

    mass = np.zeros(11)
    for seed in range(200):
        draw = coalition_pairs(20, 24, seed)
        sizes = draw.masks.sum(axis=1)
        np.add.at(mass, np.minimum(sizes, 20 - sizes), draw.weights / 200)
    sizes = np.arange(1, 11)
    expected = 20 / (sizes * (20 - sizes)) * np.where(sizes < 10, 1, 0.5)
    np.testing.assert_allclose(mass[1:], expected, rtol=0.1)


def test_one_player_gets_the_whole_difference(digits):
    x = digits.inputs[:2]
    for segments in (1, np.zeros((28, 28), int)):
        a = xai.explain(digits.model, x, xai.KernelSHAP(segments=segments))
        assert a.values.shape == (2, 1)
        np.testing.assert_allclose(a.values[:, 0], a.score - a.baseline_score, rtol=1e-5)


@pytest.mark.parametrize("samples", [128, 512])
def test_the_stated_error_covers_the_truth(samples):
    """The 95 % interval holds the exact value of twelve players in 90 to 99 % of many runs."""
    model, _ = network(12, seed=5)
    x = np.random.default_rng(6).normal(size=(1, 12)).astype("float32")
    truth = xai.explain(model, x, xai.KernelSHAP(samples=2**12)).values
    inside = []
    for seed in range(80):
        a = xai.explain(model, x, xai.KernelSHAP(samples=samples, seed=seed))
        inside.append(np.abs(a.values - truth) <= 1.96 * a.error)
    assert 0.9 < np.mean(inside) < 0.99


def test_more_samples_are_nearer_and_the_note_says_how_many():
    model, _ = network(25, seed=1)
    x = samples(25, count=1)
    truth = xai.explain(model, x, xai.KernelSHAP(samples=40_000, seed=1)).values
    apart = [np.abs(xai.explain(model, x, xai.KernelSHAP(samples=n)).values - truth).sum() for n in (80, 2000)]
    assert apart[1] < 0.4 * apart[0]
    a = xai.explain(model, x, xai.KernelSHAP(samples=80))
    assert a.change[0] > 0.1
    assert sum("would steady it" in note or "samples more" in note for note in a.notes) == 1
    assert any("samples more would steady it" in note for note in a.notes)
    few = xai.explain(model, x, xai.KernelSHAP(samples=20))
    assert few.error is None
    assert any("too few to tell" in note for note in few.notes)


def test_players_of_all_inputs_play_together():
    """A product of two inputs is shared between them, which neither alone could see."""
    import keras

    a, b = keras.Input((2,), name="a"), keras.Input((8, 8, 1), name="b")
    y = keras.layers.Multiply()([keras.layers.Dense(1, use_bias=False)(a), keras.layers.GlobalAveragePooling2D()(b)])
    model = keras.Model([a, b], y)
    dense = next(layer for layer in model.layers if layer.weights)
    dense.set_weights([np.array([[1.0], [2.0]])])
    x = [np.ones((1, 2), "float32"), np.ones((1, 8, 8, 1), "float32")]
    e = xai.explain(model, x, xai.KernelSHAP(segments=4, samples=100, segmentation="grid"), target=0)
    np.testing.assert_allclose(e.values[0], [[0.5, 1.0]], atol=1e-5)
    np.testing.assert_allclose(e.values[1], np.full((1, 4), 1.5 / 4), atol=1e-5)
    assert e.residual[0] == pytest.approx(0, abs=1e-5)
    assert [heat.shape for heat in e.heatmap()] == [(1, 2), (1, 8, 8)]


@pytest.mark.parametrize("segmentation", ["slic", "quickshift", "felzenszwalb", "grid"])
def test_pictures_are_cut_into_about_as_many_segments_as_asked(digits, segmentation):
    from xai_widgets.engine.segments import segmented

    rng = np.random.default_rng(0)
    blobs = np.kron(rng.random((1, 7, 7, 3)), np.ones((1, 8, 8, 1))) + rng.normal(0, 0.02, (1, 56, 56, 3))
    labels, fell_back = segmented(blobs.astype("float32"), 49, segmentation, channels=True)
    assert not fell_back
    assert 24 < labels.max() + 1 < 85
    np.testing.assert_array_equal(np.unique(labels), np.arange(labels.max() + 1))


def test_a_picture_without_segments_gets_a_grid_and_a_note(digits):
    from xai_widgets.engine.segments import segmented

    half = np.zeros((1, 28, 28, 1), "float32")
    half[0, :14] = 1
    labels, fell_back = segmented(half, 30, "felzenszwalb", channels=True)
    assert fell_back
    assert labels.max() + 1 == 30
    a = xai.explain(digits.model, half, xai.KernelSHAP(samples=40, segments=30, segmentation="felzenszwalb"))
    assert any("felzenszwalb found fewer than 8 segments: a grid stands instead" in note for note in a.notes)


def test_labels_of_each_sample_go_with_their_samples(digits):
    labels = np.stack([np.arange(784).reshape(28, 28) // (784 // count + 1) for count in (2, 3, 5)])
    method = xai.KernelSHAP(segments=labels)
    whole = xai.explain(digits.model, digits.inputs[:3], method)
    assert whole.values.shape == (3, 5)
    np.testing.assert_array_equal(whole.values[0, 2:], 0)
    one_by_one = xai.explain(digits.model, digits.inputs[:3], method, batch_size=1)
    np.testing.assert_allclose(whole.values, one_by_one.values, atol=1e-5)
    np.testing.assert_array_equal(whole.segments, one_by_one.segments)
    for count in (1, 2, 4):
        says = f"KernelSHAP.segments must hold labels for each sample, of which there are {count}, got 3"
        with pytest.raises(ValueError, match=says):
            xai.explain(digits.model, digits.inputs[:count], method)
    with pytest.raises(ValueError, match=r"KernelSHAP.segments must hold .* there are 1, got 3"):
        xai.explain(digits.model, digits.inputs[:1], method.replace(segments=np.zeros((3, 13, 13), int)), wrt="pool")
    with pytest.raises(ValueError, match=r"KernelSHAP.segments must be a number, or labels of shape \(28, 28\)"):
        xai.explain(digits.model, digits.inputs[:1], method.replace(segments=np.zeros((27, 28), int)))


@pytest.mark.parametrize("shape", [(12, 12), (9, 10, 5), (16, 2), (4, 5, 6, 2)])
def test_grey_many_channels_series_and_volumes(shape):
    """The score is a weighted sum over positions and channels: segments get the sums of theirs."""
    w = np.random.default_rng(0).normal(size=shape).astype("float32")
    model = Function(lambda x: ops.sum(x * w, axis=tuple(range(1, len(shape) + 1)))[:, None])
    x = samples(*shape, count=2)
    model(x)
    a = xai.explain(model, x, xai.KernelSHAP(segments=10, samples=400))
    positions = shape if shape == (12, 12) else shape[:-1]
    assert a.segments.shape == (2, *positions)
    assert a.heatmap().shape == (2, *positions)
    terms = x * w if shape == (12, 12) else (x * w).sum(axis=-1)
    for row in range(2):
        sums = np.bincount(a.segments[row].ravel(), terms[row].ravel())
        np.testing.assert_allclose(a.values[row, : len(sums)], sums, atol=1e-4)


def test_with_respect_to_a_layer(digits):
    a = xai.explain(digits.model, digits.inputs[:1], xai.KernelSHAP(samples=64), wrt="hidden")
    assert a.values.shape == (1, 128)
    assert a.residual[0] == pytest.approx(0, abs=1e-5)
    pooled = xai.explain(digits.model, digits.inputs[:1], xai.KernelSHAP(samples=64, segments=13), wrt="pool")
    assert pooled.segments.shape == (1, 13, 13)
    assert pooled.heatmap().shape == (1, 28, 28)


def test_it_is_as_near_as_shap_with_the_same_coalitions(tabular):
    """Equal to shap's exact values on a table of few players, and no farther than its sampled ones from the truth."""
    shap = pytest.importorskip("shap")
    x, background = tabular.inputs[:1], tabular.inputs[50:55]

    def score(rows):
        return tabular.model(rows.astype("float32"), training=False).numpy()[:, 0]

    method = xai.KernelSHAP(samples=300, baseline=xai.Samples(background))
    truth = xai.explain(tabular.model, x, method.replace(samples=20_000, seed=9), target=0, probability=True).values
    ours = [
        xai.explain(tabular.model, x, method.replace(seed=seed), target=0, probability=True).values for seed in range(3)
    ]
    explainer = shap.KernelExplainer(score, background)
    theirs = []
    for seed in range(3):
        np.random.seed(seed)
        theirs.append(explainer.shap_values(x, nsamples=300, silent=True, l1_reg=False))
    errors = [np.mean([((one - truth) ** 2).sum() for one in group]) for group in (ours, theirs)]
    assert errors[0] < 1.3 * errors[1]
    np.testing.assert_allclose(np.mean(ours, axis=0), np.mean(theirs, axis=0), atol=0.3 * np.abs(truth).max())
