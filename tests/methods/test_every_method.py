"""What every method promises, on every kind of model."""

import numpy as np
import pytest

import xai_widgets as xai
from xai_widgets.attribution import Subject, Task
from xai_widgets.methods import METHODS


def few(cls):
    """The method with few passes."""
    return cls(steps=6) if cls.name == "integrated_gradients" else cls()


@pytest.mark.parametrize("cls", METHODS, ids=lambda cls: cls.name)
def test_runs_on_every_model_and_leaves_it_whole(cls, any_model):
    model, inputs = any_model
    a = xai.explain(model, inputs, few(cls))
    assert a.values.shape == inputs.shape
    assert a.values.dtype == (np.float64 if inputs.dtype == np.float64 else np.float32)
    assert np.isfinite(a.values).all()
    assert np.abs(a.values).max() > 0
    assert a.heatmap().shape == (inputs.shape if inputs.ndim == 2 else inputs.shape[:-1])
    assert a.target.shape == a.score.shape == a.residual.shape == (3,)


@pytest.mark.parametrize("cls", METHODS, ids=lambda cls: cls.name)
def test_a_batch_equals_its_samples_one_by_one(cls, any_model):
    model, inputs = any_model
    together = xai.explain(model, inputs, few(cls))
    alone = [xai.explain(model, inputs[i : i + 1], few(cls)).values for i in range(len(inputs))]
    largest = np.abs(together.values).max()
    # float16 layers round differently in other batch sizes
    tolerance = 2e-2 if "float16" in {layer.compute_dtype for layer in model._flatten_layers()} else 1e-5
    np.testing.assert_allclose(together.values, np.concatenate(alone), atol=tolerance * largest)


@pytest.mark.parametrize("cls", METHODS, ids=lambda cls: cls.name)
def test_frames_end_at_one_and_grow(cls, digits):
    task = Task(Subject(digits.model, digits.inputs[:1]), cls(steps=200) if hasattr(cls, "steps") else cls())
    frames = [frame for frame, _ in task.frames()]
    progress = [frame.progress for frame in frames]
    assert progress == sorted(progress)
    assert progress[-1] == 1
    assert frames[-1].passes == frames[-1].total


@pytest.mark.parametrize("cls", METHODS, ids=lambda cls: cls.name)
def test_groups_of_samples_do_not_matter(cls, digits):
    whole = xai.explain(digits.model, digits.inputs[:7], few(cls))
    groups = xai.explain(digits.model, digits.inputs[:7], few(cls), batch_size=2)
    np.testing.assert_allclose(whole.values, groups.values, atol=1e-5 * np.abs(whole.values).max())
    np.testing.assert_array_equal(whole.target, groups.target)
    assert groups.inputs.shape == (7, 28, 28, 1)
