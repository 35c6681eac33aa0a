"""Occlusion against published values, closed forms and a loop written by hand."""

import keras
import numpy as np
import pytest
from keras import ops
from models import Function, function_model, samples

import xai_widgets as xai
from xai_widgets.engine.checkpoint import ASK
from xai_widgets.engine.masks import Masked
from xai_widgets.engine.model import ModelView
from xai_widgets.task import Subject, Task


def layered(x):
    """Captum's `BasicModel_MultiLayer`: four units over the sum, one of them with a threshold."""
    total = ops.sum(x, axis=1, keepdims=True)
    return ops.relu(total - 10) + 3 * ops.relu(total + 1) - 1


def chained(x):
    """relu(relu(x1 - 1) - relu(x2))."""
    return ops.relu(ops.relu(x[:, 0] - 1) - ops.relu(x[:, 1]))[:, None]


@pytest.mark.parametrize(
    ("function", "x", "window", "expected"),
    [
        (chained, (3, 1), None, (1, -1)),
        (chained, (3, 1), (2,), (1, 1)),  # the drop itself: DeepExplain's (.5, .5) is the drop over the window's size
        (layered, (20, 50, 30), 1, (80, 200, 120)),
    ],
)
def test_published_values(function, x, window, expected):
    a = xai.explain(function_model(function, len(x)), np.array([x], "float32"), xai.Occlusion(window=window))
    np.testing.assert_allclose(a.values, [expected], rtol=1e-6)


def picture_model(shape, seed=0):
    w = np.random.default_rng(seed).normal(size=shape).astype("float32")
    model = Function(lambda x: ops.tanh(ops.sum(x * w, axis=tuple(range(1, len(shape) + 1))))[:, None])
    model(np.zeros((1, *shape), "float32"))
    return model, lambda x: np.tanh((x * w).sum(axis=tuple(range(1, len(shape) + 1))))


@pytest.mark.parametrize(
    ("shape", "window", "stride"),
    [((9, 7, 3), 3, 2), ((9, 7, 5), (4, 2), (3, 1)), ((10, 10), (3, 4), 3), ((13, 2), 5, 4), ((4, 5, 6, 1), 2, 2)],
)
def test_it_is_the_drop_averaged_over_the_windows_that_cover_a_place(shape, window, stride):
    model, compute = picture_model(shape)
    x = samples(*shape, count=2) / 10
    size = shape if shape == (10, 10) else shape[:-1]
    sides, steps = np.broadcast_to(window, len(size)), np.broadcast_to(stride, len(size))
    starts = [
        [*range(0, length - side, step), length - side] for length, side, step in zip(size, sides, steps, strict=True)
    ]
    total, count = np.zeros((2, *size)), np.zeros(size)
    for corner in np.stack(np.meshgrid(*starts, indexing="ij"), axis=-1).reshape(-1, len(size)):
        where = tuple(slice(start, start + side) for start, side in zip(corner, sides, strict=True))
        covered = x.copy()
        covered[(slice(None), *where)] = 0.5
        total[(slice(None), *where)] += (compute(x) - compute(covered)).reshape(-1, *[1] * len(size))
        count[where] += 1
    a = xai.explain(model, x, xai.Occlusion(window=window, stride=stride, baseline=xai.Constant(0.5)))
    assert count.min() > 0
    assert a.values.shape == (2, *size, 1)
    np.testing.assert_allclose(a.values[..., 0], total / count, atol=1e-5)
    np.testing.assert_allclose(a.baseline_score, compute(np.full_like(x, 0.5)), atol=1e-5)


@pytest.mark.parametrize("shape", [(28, 28, 1), (5, 3, 2), (100, 2), (9, 9, 9, 1)])
def test_defaults_fit_any_size(shape):
    model, _ = picture_model(shape)
    a = xai.explain(model, samples(*shape, count=1) / 10, xai.Occlusion())
    assert np.abs(a.values).max() > 0
    assert a.passes < 1000


def test_several_references_are_averaged():
    model, compute = picture_model((6,))
    x, references = samples(6, count=1), samples(6, count=4) * 2
    a = xai.explain(model, x, xai.Occlusion(baseline=xai.Samples(references)))
    expected = [(compute(x) - compute(np.where(np.arange(6) == i, references, x)).mean())[0] for i in range(6)]
    np.testing.assert_allclose(a.values[0], expected, atol=1e-5)
    assert a.passes == 24
    assert any("each of 4 references" in note for note in a.notes)


def test_many_references_are_spread_over_calls_between_which_a_job_can_end(monkeypatch):
    model, _ = picture_model((6,))
    x, method = samples(6, count=2), xai.Occlusion(baseline=xai.Samples(samples(6, count=11) * 2))
    together = xai.explain(model, x, method)
    calls, points, groups = [], [], Masked._groups

    def seen(masked, rows):
        for group in groups(masked, rows):
            calls.append(rows * group[0].shape[1])
            yield group

    monkeypatch.setattr(ModelView, "chunk", lambda *_, **__: 8)
    monkeypatch.setattr(Masked, "_groups", seen)
    token = ASK.set(lambda: points.append(len(calls)))
    apart = xai.explain(model, x, method)
    ASK.reset(token)
    np.testing.assert_allclose(apart.values, together.values, atol=1e-6)
    assert sum(calls) == 2 * (6 + 2) * 11
    assert max(calls) <= 12
    assert points == list(range(1, len(calls) + 1))


def test_one_input_at_a_time_is_occluded():
    a, b = keras.Input((3,), name="a"), keras.Input((3,), name="b")
    model = keras.Model({"a": a, "b": b}, keras.layers.Dot(1)([a, b]))
    x = {"a": np.array([[1.0, 2, 3]], "float32"), "b": np.array([[4.0, 5, 6]], "float32")}
    e = xai.explain(model, x, xai.Occlusion(), target=0)
    np.testing.assert_allclose(e.values["a"], [[4, 10, 18]])
    np.testing.assert_allclose(e.values["b"], [[4, 10, 18]])


def test_tokens_are_replaced_by_an_id():
    tokens = keras.Input((4,), dtype="int32")
    embedding = keras.layers.Embedding(10, 1, name="embedding")
    model = keras.Model(tokens, keras.layers.Flatten()(embedding(tokens)))
    embedding.set_weights([np.arange(10, dtype="float32")[:, None] ** 2])
    ids = np.array([[3, 1, 4, 1]])
    for method, expected in ((xai.Occlusion(), 3**2), (xai.Occlusion(baseline=2), 3**2 - 2**2)):
        a = xai.explain(model, ids, method, target=xai.Class(0))
        np.testing.assert_allclose(a.values, [[expected, 0, 0, 0]], atol=1e-5)
    assert any("replaced by the id 2" in note for note in a.notes)
    for name in ("rise", "lime", "kernel_shap"):
        a = xai.explain(model, ids, name, target=0, samples=64)
        assert a.values.shape == (1, 4)
        assert np.abs(a.values[0]).argmax() == 0
        assert any("token ids" in note for note in a.notes)


def test_windows_that_tile_the_input_come_first(digits, monkeypatch):
    monkeypatch.setattr(ModelView, "chunk", lambda *_, **__: 256)
    method = xai.Occlusion(window=4, stride=1)
    frames = [frame for frame, _ in Task(Subject(digits.model, digits.inputs[:4]), method).frames()]
    for first, last in zip(frames[0].values[0], frames[-1].values[0], strict=True):
        assert np.corrcoef(first.ravel(), last.ravel())[0, 1] > 0.8
    assert frames[0].progress < 0.11


@pytest.mark.parametrize(
    ("parameters", "says"),
    [
        ({"window": (2, 3, 4)}, r"Occlusion.window must be one number or 2, for the axes \(28, 28\)"),
        ({"window": 3, "stride": 5}, "Occlusion.stride must be at most the window, 3, got 5"),
        ({"window": (3, 4), "stride": (3, 5)}, r"Occlusion.stride must be at most the window, \(3, 4\), got"),
        ({"stride": 5}, r"Occlusion.stride must be at most the window, \(4, 4\), got \(5, 5\)"),
        ({"window": 0}, "Occlusion.window must be >= 1"),
    ],
)
def test_what_does_not_fit_is_refused_before_anything_is_computed(digits, parameters, says):
    subject = Subject(digits.model, digits.inputs[:1])
    with pytest.raises(ValueError, match=says):
        Task(subject, xai.Occlusion(**parameters))


def test_what_the_fields_alone_tell_is_refused_without_a_model():
    with pytest.raises(ValueError, match=r"Occlusion.stride must be at most the window, 2, got 5"):
        xai.Occlusion(window=2, stride=5)


def test_a_baseline_that_is_the_input_gives_zeros_and_says_so():
    model, _ = picture_model((6, 6, 1))
    x = samples(6, 6, 1, count=1)
    for name in ("occlusion", "rise", "lime", "kernel_shap"):
        a = xai.explain(model, x, name, baseline=xai.Constant(x[0]))
        np.testing.assert_allclose(a.values, 0, atol=1e-5)
        assert any("equals the input" in note for note in a.notes)
