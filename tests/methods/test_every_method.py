"""What every method promises, on every kind of model."""

import numpy as np
import pytest

import xai_widgets as xai
from xai_widgets.declare import fields
from xai_widgets.methods import METHODS
from xai_widgets.task import Subject, Task

FEW = {"integrated_gradients": {"steps": 6}, "expected_gradients": {"samples": 6}, "smooth_grad": {"samples": 6}}
each = pytest.mark.parametrize("cls", METHODS, ids=lambda cls: cls.name)


def few(cls):
    """The method with few passes."""
    return cls(**FEW.get(cls.name, {}))


def skip_where_it_does_not_apply(cls, model, inputs):
    if not cls.per_channel and inputs.ndim == 2:
        pytest.skip("a class activation map needs positions")
    if cls is xai.CAM and not any("GlobalAverage" in type(layer).__name__ for layer in model.layers):
        pytest.skip("CAM needs pooling")


def float16(model):
    return "float16" in {layer.compute_dtype for layer in model._flatten_layers()}


@each
def test_runs_on_every_model_and_leaves_it_whole(cls, any_model):
    model, inputs = any_model
    skip_where_it_does_not_apply(cls, model, inputs)
    a = xai.explain(model, inputs, few(cls))
    if cls.per_channel:
        assert a.values.shape == inputs.shape
    else:
        assert a.values.ndim == inputs.ndim - 1
    assert a.values.dtype == (np.float64 if inputs.dtype == np.float64 else np.float32)
    assert np.isfinite(a.values).all()
    assert np.abs(a.values).max() > 0
    assert a.heatmap().shape == (inputs.shape if inputs.ndim == 2 else inputs.shape[:-1])
    assert a.target.shape == a.score.shape == a.residual.shape == (3,)


@each
def test_a_batch_equals_its_samples_one_by_one(cls, any_model):
    model, inputs = any_model
    skip_where_it_does_not_apply(cls, model, inputs)
    together = xai.explain(model, inputs, few(cls))
    alone = [xai.explain(model, inputs[i : i + 1], few(cls)).values for i in range(len(inputs))]
    largest = np.abs(together.values).max()
    tolerance = 2e-2 if float16(model) else 1e-5  # float16 layers round differently in other batch sizes
    np.testing.assert_allclose(together.values, np.concatenate(alone), atol=tolerance * largest)


@each
def test_the_same_seed_gives_the_same_map_and_another_another(cls, zoo):
    model, inputs = zoo["functional"]
    skip_where_it_does_not_apply(cls, model, inputs)
    a, b = (xai.explain(model, inputs, few(cls)).values for _ in range(2))
    np.testing.assert_array_equal(a, b)
    if "seed" in {field.name for field in fields(cls)}:
        other = xai.explain(model, inputs, few(cls).replace(seed=1)).values
        assert not np.array_equal(a, other)


@pytest.mark.parametrize("cls", [cls for cls in METHODS if cls().claims()], ids=lambda cls: cls.name)
def test_what_claims_to_add_up_does(cls, zoo):
    model, inputs = zoo["sequential"]
    many = {"integrated_gradients": {"steps": 400}, "expected_gradients": {"samples": 4000}}[cls.name]
    a = xai.explain(model, inputs, cls(**many))
    np.testing.assert_allclose(a.values.sum(axis=1), a.score - a.baseline_score, atol=0.02)
    np.testing.assert_allclose(a.residual, a.values.sum(axis=1) - (a.score - a.baseline_score), atol=1e-5)


@each
def test_frames_end_at_one_and_grow(cls, digits):
    skip_where_it_does_not_apply(cls, digits.model, digits.inputs)
    task = Task(
        Subject(digits.model, digits.inputs[:1]),
        few(cls) if cls.name not in FEW else cls(**{next(iter(FEW[cls.name])): 200}),
    )
    frames = [frame for frame, _ in task.frames()]
    progress = [frame.progress for frame in frames]
    assert progress == sorted(progress)
    assert progress[-1] == 1
    assert frames[-1].passes == frames[-1].total


@each
def test_groups_of_samples_do_not_matter(cls, digits):
    skip_where_it_does_not_apply(cls, digits.model, digits.inputs)
    whole = xai.explain(digits.model, digits.inputs[:7], few(cls))
    groups = xai.explain(digits.model, digits.inputs[:7], few(cls), batch_size=2)
    np.testing.assert_allclose(whole.values, groups.values, atol=1e-5 * np.abs(whole.values).max())
    np.testing.assert_array_equal(whole.target, groups.target)
    assert groups.inputs.shape == (7, 28, 28, 1)
