"""SmoothGrad of any gradient method, against closed forms and against the plain way of doing it."""

import numpy as np
import pytest
from keras import ops
from models import function_model, unchanged

import xai_widgets as xai
from xai_widgets.methods import GRADIENT_METHODS
from xai_widgets.task import Subject, Task
from xai_widgets.trees import leaves

MATRIX = np.array([[2.0, 1.0, 0.0], [1.0, -1.0, 3.0], [0.0, 3.0, 0.5]], "float32")
X = np.array([[1.0, -2.0, 3.0]], "float32")
SIGMA = 0.2 * 5


@pytest.fixture(scope="module")
def quadratic():
    return function_model(lambda x: ops.sum(x * (x @ MATRIX), axis=1, keepdims=True) / 2, 3)


def few(cls, **changes):
    fields = cls.__dataclass_fields__
    return cls(**{name: 4 for name in ("steps", "samples") if name in fields}, **changes)


@pytest.mark.parametrize("cls", GRADIENT_METHODS, ids=lambda cls: cls.name)
@pytest.mark.slow
def test_is_the_mean_of_the_maps_of_noisy_copies(zoo, cls):
    """One copy after the other, by `explain` itself; the noise is what SmoothGrad of the identity's gradient gives."""
    model, inputs = zoo["functional"]
    method, x = few(cls), inputs[:1]
    a = xai.explain(model, x, xai.SmoothGrad(samples=6, of=method), target=1)
    copies = noisy_copies(x, 6)
    maps = [xai.explain(model, copy, method, target=1).values for copy in copies]
    np.testing.assert_allclose(a.values, np.mean(maps, axis=0), atol=1e-5)
    pairs = (np.stack(maps[:3]) + np.stack(maps[3:])) / 2
    between = pairs.std(axis=0, ddof=1) / np.sqrt(3)
    assert (a.error >= between - 1e-5).all()
    if cls is not xai.ExpectedGradients:
        np.testing.assert_allclose(a.error, between, atol=1e-5)


def noisy_copies(x, samples, noise=0.15, seed=0):
    """Plus and minus the draws of SmoothGrad: those of a small input come one after the other from one generator."""
    generator = np.random.Generator(np.random.Philox(key=[seed, 0]))
    draws = noise * np.ptp(x) * generator.standard_normal((samples // 2, *x.shape[1:]), dtype=np.float32)
    return [x + draw for draw in draws] + [x - draw for draw in draws]


def test_the_general_way_gives_for_saliency_what_the_compiled_one_gives(zoo):
    model, inputs = zoo["functional"]
    fast = xai.explain(model, inputs, xai.SmoothGrad(samples=8), target=1)
    *_, general = xai.SmoothGrad(samples=8)._of_maps(*parts_of(model, inputs, target=1))
    np.testing.assert_allclose(general.values[0], fast.values, atol=1e-5)
    np.testing.assert_allclose(general.error[0], fast.error, atol=1e-5)


def parts_of(model, inputs, target):
    task = Task(Subject(model, inputs), xai.Saliency(), target=target)
    return task.subject.view, task.score, task.subject.inputs


def test_closed_forms_of_gradient_times_input(quadratic):
    """(x + e) * A (x + e): its mean adds sigma^2 times the diagonal of A."""
    a = xai.explain(quadratic, X, xai.SmoothGrad(samples=20_000, noise=0.2, of=xai.GradientInput()))
    expected = X[0] * (X @ MATRIX)[0] + SIGMA**2 * np.diag(MATRIX)
    np.testing.assert_allclose(a.values[0], expected, atol=0.15)
    assert (np.abs(a.values[0] - expected) < 4 * a.error[0]).all()


@pytest.mark.parametrize("reduce", ["square", "variance"])
def test_square_and_variance_of_a_method(zoo, reduce):
    model, inputs = zoo["functional"]
    method, x = xai.IntegratedGradients(steps=4), inputs[:1]
    a = xai.explain(model, x, xai.SmoothGrad(samples=6, reduce=reduce, of=method), target=1)
    maps = np.stack([xai.explain(model, copy, method, target=1).values for copy in noisy_copies(x, 6)])
    expected = (maps**2).mean(axis=0) if reduce == "square" else maps.var(axis=0)
    np.testing.assert_allclose(a.values, expected, atol=1e-5)


def test_frames_are_soon_and_tell_what_they_cost(digits):
    task = Task(Subject(digits.model, digits.inputs[:1]), xai.SmoothGrad(samples=10, of=xai.GuidedIG(steps=16)))
    frames = [frame for frame, _ in task.frames()]
    progress = [frame.progress for frame in frames]
    assert progress == sorted(progress)
    assert progress[-1] == 1
    assert progress[0] <= 0.02
    assert frames[-1].passes == frames[-1].total == 10 * (1 + 1 + 3 + 15)
    assert all(np.abs(frame.values[0]).max() > 0 for frame in frames)
    means = [frame.values[0] for frame in frames[len(frames) // 2 :]]
    last = frames[-1].values[0]
    assert np.abs(means[0] - last).sum() < np.abs(last).sum()


def test_the_stated_error_covers_the_truth(digits):
    x, method = digits.inputs[:1], xai.GradientInput()
    truth = xai.explain(digits.model, x, xai.SmoothGrad(samples=4000, seed=99, of=method)).values
    covered = []
    for seed in range(5):
        a = xai.explain(digits.model, x, xai.SmoothGrad(samples=100, seed=seed, of=method))
        covered.append((np.abs(a.values - truth) < 1.96 * a.error)[a.error > 0].mean())
    assert 0.9 < np.mean(covered) < 0.99


@pytest.mark.slow
def test_the_error_of_a_sampling_method_counts_too(digits):
    """All copies share the draws of expected gradients: that part of the error no number of copies averages out."""
    x = digits.inputs[:1]
    inner = xai.ExpectedGradients(samples=16)
    truth = xai.explain(digits.model, x, xai.SmoothGrad(samples=20, seed=9, of=inner.replace(samples=400, seed=9)))
    a = xai.explain(digits.model, x, xai.SmoothGrad(samples=20, of=inner))
    assert (np.abs(a.values - truth.values) < 1.96 * a.error)[a.error > 0].mean() > 0.9


def test_batches_and_groups_do_not_matter(digits):
    method = xai.SmoothGrad(samples=6, of=xai.IntegratedGradients(steps=5))
    whole = xai.explain(digits.model, digits.inputs[:5], method)
    parts = xai.explain(digits.model, digits.inputs[:5], method, batch_size=2)
    np.testing.assert_allclose(whole.values, parts.values, atol=1e-5)


def test_on_every_model(any_model):
    specimen, method = any_model, xai.SmoothGrad(samples=4, of=xai.IntegratedGradients(steps=3))
    with unchanged(specimen.model):
        if specimen.site:  # noise has no place on token ids
            with pytest.raises(ValueError, match="embedding"):
                xai.explain(specimen.model, specimen.inputs, method, **specimen.keywords)
            return
        a = xai.explain(specimen.model, specimen.inputs, method, **specimen.keywords)
    values = leaves(a.values)
    assert [array.shape for array in values] == [array.shape for array in specimen.arrays]
    assert all(np.isfinite(array).all() for array in values)


def test_no_method_that_is_no_gradient_and_none_in_itself():
    for wrong in (xai.SmoothGrad(), xai.SmoothGrad, xai.XRAI(), xai.GradCAM(), xai.Conductance(), 3, None):
        with pytest.raises(TypeError, match=r"SmoothGrad\.of must be a gradient method"):
            xai.SmoothGrad(of=wrong)
    with pytest.raises(ValueError, match="did you mean 'blur_ig'"):
        xai.SmoothGrad(of="blurig")


def test_where_a_method_does_not_apply_it_says_so(zoo):
    model, inputs = zoo["sequential"]
    with pytest.raises(ValueError, match="BlurIG needs pictures"):
        xai.explain(model, inputs, xai.SmoothGrad(of="blur_ig"))
