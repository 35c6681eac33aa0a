"""What a model and its inputs alone tell is refused before anything is traced or computed."""

import numpy as np
import pytest

import xai_widgets as xai
from xai_widgets.declare import fields
from xai_widgets.methods import METHODS
from xai_widgets.task import Subject, Task

WITH = {
    kind: [cls for cls in METHODS if any(field.metadata["kind"] == kind for field in fields(cls))]
    for kind in ("layer", "baseline")
}


def refused(subject, method, says):
    """The task is refused by a look at the method alone: the model has traced nothing for it."""
    with pytest.raises(ValueError, match=says):
        method.check(subject.view, subject.inputs)
    with pytest.raises(ValueError, match=says):
        Task(subject, method)
    assert subject.asked is None


@pytest.mark.parametrize("cls", WITH["layer"], ids=lambda cls: cls.name)
def test_a_layer_that_is_not_there(cls, digits):
    says = f"{cls.__name__}.layer 'hiden' names no single layer of the model; did you mean 'hidden'"
    refused(Subject(digits.model, digits.inputs[:2]), cls(layer="hiden"), says)


@pytest.mark.parametrize("cls", WITH["baseline"], ids=lambda cls: cls.name)
@pytest.mark.parametrize(
    ("baseline", "says"),
    [
        (xai.Constant([1, 2]), "Constant.value of shape"),
        (xai.Samples(np.zeros((3, 5))), "Samples.samples must have shape"),
        (xai.Mix(a=xai.Blur(), b=xai.Constant([1, 2])), "Constant.value of shape"),
    ],
    ids=["constant", "samples", "mix"],
)
def test_a_baseline_that_does_not_fit(cls, baseline, says, digits):
    refused(Subject(digits.model, digits.inputs[:2]), cls(baseline=baseline), says)


def test_a_blur_of_a_table(tabular):
    subject = Subject(tabular.model, tabular.inputs[:2])
    refused(subject, xai.IntegratedGradients(baseline=xai.Blur()), "for tables use Constant or Mean")


def test_a_baseline_of_an_embedding_is_left_to_the_embedding(zoo):
    model, inputs = zoo["tokens"]
    subject = Subject(model, inputs, wrt="words")
    Task(subject, xai.IntegratedGradients(baseline=xai.Constant(np.zeros(3))))


@pytest.mark.parametrize("cls", [xai.KernelSHAP, xai.LIME])
def test_labels_of_another_shape_or_number(cls, digits):
    subject = Subject(digits.model, digits.inputs[:3])
    refused(subject, cls(segments=np.zeros((27, 28), int)), rf"{cls.__name__}.segments .* got shape \(27, 28\)")
    for count in (2, 4):
        method = cls(segments=np.zeros((count, 28, 28), int))
        refused(subject, method, f"{cls.__name__}.segments must hold .* of which there are 3, got {count}")
        refused(subject.rows(slice(1, 2)), method, f"of which there are 3, got {count}")
    for labels in (np.zeros((28, 28), int), np.zeros((3, 28, 28), int)):
        cls(segments=labels).check(subject.view, subject.inputs)
        cls(segments=labels).check(subject.view, subject.rows(slice(1, 2)).inputs)
        cls(segments=labels).check(subject.view, subject.moved(subject.inputs.arrays).rows(slice(1, 2)).inputs)


def test_labels_fit_what_a_numpy_preprocessing_gives(digits):
    def from_wider(inputs):
        return inputs[:, ::2, ::2].numpy() if hasattr(inputs, "numpy") else np.asarray(inputs[:, ::2, ::2])

    wide = digits.inputs[:2].repeat(2, axis=1).repeat(2, axis=2)
    subject = Subject(digits.model, wide, preprocess=from_wider)
    xai.KernelSHAP(segments=np.zeros((28, 28), int)).check(subject.view, subject.inputs)
    refused(subject, xai.KernelSHAP(segments=np.zeros((56, 56), int)), "labels of shape")
