"""What every method promises, on every kind of model."""

import numpy as np
import pytest
from expected import SUMS, TOLERANCE, explained, few, fit, of_size, shapes

import xai_widgets as xai
from xai_widgets.declare import fields
from xai_widgets.layout import positions
from xai_widgets.methods import METHODS
from xai_widgets.task import Subject, Task
from xai_widgets.trees import leaves

each = pytest.mark.parametrize("cls", METHODS, ids=lambda cls: cls.name)
SEEDED = [cls for cls in METHODS if "seed" in {field.name for field in fields(cls)}]
seeded_first = pytest.mark.parametrize(
    "cls",
    [pytest.param(cls, id=cls.name, marks=() if cls in SEEDED else pytest.mark.slow) for cls in METHODS],
)


@each
def test_runs_on_every_model_and_leaves_it_whole(cls, any_model):
    specimen = any_model
    expected = shapes(cls, specimen)
    if not expected:
        with pytest.raises(ValueError, match=f"{cls.__name__}|layer"):  # says what it needs
            explained(cls, specimen)
        return
    a = explained(cls, specimen)
    values = leaves(a.values)
    assert fit(a.values, expected), [array.shape for array in values]
    wide = specimen.arrays[0].dtype == np.float64
    assert all(array.dtype == (np.float64 if wide else np.float32) for array in values)
    assert all(np.isfinite(array).all() for array in values)
    if not any("zero everywhere" in note for note in a.notes):
        assert max(np.abs(array).max() for array in values) > 0
    assert a.target.shape == a.score.shape == a.residual.shape == (3,)
    if expected == [array.shape for array in specimen.arrays]:
        assert type(a.values) is type(specimen.inputs)
    for heat, array in zip(leaves(a.heatmap()), specimen.arrays, strict=False):
        assert heat.shape == (3, *positions(array.shape)) or heat.shape == array.shape


@each
def test_a_batch_equals_its_samples_one_by_one(cls, batched_model):
    specimen = batched_model
    if not shapes(cls, specimen):
        pytest.skip("does not apply")
    together = leaves(explained(cls, specimen).values)
    alone = [leaves(explained(cls, specimen, slice(i, i + 1)).values) for i in range(3)]
    largest = max(np.abs(array).max() for array in together)
    tolerance = max(specimen.tolerance, TOLERANCE.get(cls.name, 0))
    for array, *parts in zip(together, *alone, strict=True):
        np.testing.assert_allclose(array, np.concatenate(parts), atol=tolerance * largest)


@seeded_first
def test_the_same_seed_gives_the_same_map_and_another_another(cls, zoo):
    specimen = zoo["nested"]
    a, b = (explained(cls, specimen).values for _ in range(2))
    np.testing.assert_array_equal(a, b)
    if cls in SEEDED:
        assert not np.array_equal(a, xai.explain(*specimen, few(cls).replace(seed=1)).values)


@pytest.mark.parametrize("cls", [cls for cls in METHODS if cls().claims()], ids=lambda cls: cls.name)
def test_what_claims_to_add_up_does(cls, zoo):
    specimen = zoo["sequential"] if shapes(cls, zoo["sequential"]) else zoo["nested"]
    a = xai.explain(*specimen, of_size(cls, {"steps": 400, "samples": 4000}))
    summed = a.values.reshape(3, -1).sum(axis=1)
    np.testing.assert_allclose(summed, a.score - a.baseline_score, atol=SUMS.get(cls.name, 0.02))
    np.testing.assert_allclose(a.residual, summed - (a.score - a.baseline_score), atol=1e-5)


@each
def test_frames_end_at_one_and_grow(cls, digits, zoo):
    model, inputs = zoo["nested"] if cls.name == "cam" else (digits.model, digits.inputs)
    task = Task(Subject(model, inputs[:1]), of_size(cls, {"steps": 200, "samples": 200}))
    frames = [frame for frame, _ in task.frames()]
    progress = [frame.progress for frame in frames]
    assert progress == sorted(progress)
    assert progress[-1] == 1
    assert frames[-1].passes == frames[-1].total


@each
@pytest.mark.slow
def test_groups_of_samples_do_not_matter(cls, digits, zoo):
    model, inputs = zoo["nested"] if cls.name == "cam" else (digits.model, digits.inputs)
    whole = xai.explain(model, inputs[:7], few(cls))
    groups = xai.explain(model, inputs[:7], few(cls), batch_size=2)
    np.testing.assert_allclose(whole.values, groups.values, atol=1e-5 * np.abs(whole.values).max())
    np.testing.assert_array_equal(whole.target, groups.target)
    assert groups.inputs.shape == inputs[:7].shape
