"""Whatever happens in the middle of an explanation, the model is what it was; and it is freed when it is deleted."""

import gc
import threading
import weakref

import models
import numpy as np
import pytest
from expected import few, keywords, shapes

import xai_widgets as xai
from xai_widgets.engine.compiled import _COMPILED
from xai_widgets.methods import METHODS
from xai_widgets.task import Subject, Task
from xai_widgets.trees import leaves

each = pytest.mark.parametrize("cls", METHODS, ids=lambda cls: cls.name)
slowly = {"marks": pytest.mark.slow}
each_of_some = pytest.mark.parametrize(
    "name",
    ["wrapped", *(pytest.param(name, **slowly) for name in ("functional", "subclassed", "dict_inputs", "tokens"))],
)
FAST = ("integrated_gradients", "grad_cam")


def task(cls, specimen, **more):
    given = {"target": None, **keywords(cls, specimen), **more}
    subject = Subject(specimen.model, specimen.inputs, wrt=given.pop("wrt", None))
    return Task(subject, few(cls), **given)


@each_of_some
@pytest.mark.slow
def test_a_deleted_model_is_freed_whatever_was_explained(name):
    specimen = models.ZOO[name]()
    for cls in METHODS:
        if shapes(cls, specimen):
            xai.explain(specimen.model, specimen.inputs, few(cls), **keywords(cls, specimen))
    gone = weakref.ref(specimen.model)
    del specimen
    gc.collect()
    assert gone() is None


@pytest.mark.parametrize("error", [KeyboardInterrupt, ValueError])
@each
@pytest.mark.slow
def test_an_error_in_the_middle_of_tracing_leaves_the_model_whole_and_the_next_run_works(cls, error, zoo):
    specimen = zoo["nested"]  # which every method applies to

    def fails_in_the_graph_of_the_method(outputs):
        if calls:
            raise error("on purpose")
        return outputs[:, 0]

    calls = []
    with models.unchanged(specimen.model):
        first = task(cls, specimen, target=fails_in_the_graph_of_the_method)
        calls.append(1)
        with pytest.raises(error):
            list(first.frames())
        calls.clear()
        *_, (_, a) = task(cls, specimen, target=fails_in_the_graph_of_the_method).frames()
    assert all(np.isfinite(array).all() for array in leaves(a.values))


@each
@pytest.mark.slow
def test_a_run_that_is_left_between_frames_leaves_the_model_whole(cls, zoo):
    specimen = zoo["nested"]
    with models.unchanged(specimen.model):
        frames = task(cls, specimen).frames()
        next(frames)
        with models.unchanged(specimen.model), pytest.raises(KeyboardInterrupt):
            frames.throw(KeyboardInterrupt)
        a = xai.explain(specimen.model, specimen.inputs, few(cls))
    assert a.values.any()


@pytest.mark.parametrize(
    "cls",
    [pytest.param(cls, id=cls.name, marks=() if cls.name in FAST else pytest.mark.slow) for cls in METHODS],
)
def test_another_thread_may_call_the_model_meanwhile(cls):
    """Everything is traced anew, which is when layers are tapped; the caller sees the plain model throughout."""
    specimen = models.wrapped()
    model, inputs = specimen
    expected = model(inputs).numpy()
    stop, wrong, calls = threading.Event(), [], []

    def call():
        while not stop.is_set():
            try:
                calls.append(np.abs(model(inputs).numpy() - expected).max())
            except Exception as error:
                wrong.append(error)
            stop.wait(0.002)

    caller = threading.Thread(target=call)
    with models.unchanged(model):
        caller.start()
        try:
            alone = xai.explain(model, inputs, few(cls))
            _COMPILED.pop(model)
            again = xai.explain(model, inputs, few(cls))
        finally:
            stop.set()
            caller.join()
    assert not wrong
    assert max(calls) < 1e-6
    np.testing.assert_allclose(alone.values, again.values, atol=1e-6)
