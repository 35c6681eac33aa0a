"""Generated from the declarations: every field of every method and baseline."""

import inspect
import json
from dataclasses import MISSING

import numpy as np
import pytest

import xai_widgets as xai
from xai_widgets.baselines import BASELINES
from xai_widgets.declare import fields, from_json, schema, to_json
from xai_widgets.methods import GRADIENT_METHODS, METHODS, as_method

DECLARED = (*METHODS, *BASELINES)
FIELDS = [(cls, field) for cls in DECLARED for field in fields(cls)]
each = pytest.mark.parametrize("cls", DECLARED, ids=lambda cls: cls.name)
each_field = pytest.mark.parametrize(
    ("cls", "field"), FIELDS, ids=[f"{cls.name}.{field.name}" for cls, field in FIELDS]
)


def make(cls, **values):
    """A value of a class with small arrays where it must be given some."""
    needed = {field.name: np.ones((2, 6)) for field in fields(cls) if field.metadata["kind"] == "array"}
    return cls(**{**needed, **values})


@each
def test_json_round_trip(cls):
    value, arrays = make(cls), {}
    data = json.loads(json.dumps(to_json(value, arrays)))
    assert from_json(data, DECLARED, BASELINES, arrays) == value
    assert hash(from_json(data, DECLARED, BASELINES, arrays)) == hash(value)


@each
def test_is_documented_and_schema_is_json(cls):
    assert cls.summary().endswith(".")
    described = json.loads(json.dumps(schema(cls)))
    assert described["doc"]
    assert all(field["doc"].endswith(".") and field["label"] for field in described["fields"])


@each_field
def test_bounds_are_refused_by_name(cls, field):
    meta = field.metadata
    wrong = {
        "int": ["7", 1.5, None, True],
        "float": ["7", None, True],
        "choice": [3, None],
        "bool": [1, "yes"],
        "layer": [3],
        "seed": ["7", None],
        "sample": ["7", 1.5, True],
        "method": [3, None, xai.SmoothGrad(), xai.SmoothGrad, xai.GradCAM(), xai.Constant()],
        "words": ["x", None, {"a": 1}, {1: "a"}],
        "size": ["7", 1.5, True, [1, "2"], []],
        "limit": ["7", True, ["x"]],
        "segments": ["7", 1.5, None, True, [0.5, 1.0]],
        "baseline": [None, True],
    }
    for value in wrong.get(meta["kind"], ["x", None]):
        with pytest.raises(TypeError, match=f"{cls.__name__}.{field.name}"):
            make(cls, **{field.name: value})
    words = ["no such word"]
    out = {
        "choice": words,
        "method": [*words, "smooth_grad"],
        "baseline": words,
        "float": [np.nan, np.inf],
        "value": [np.nan, [1, np.inf]],
        "limit": [np.nan, [1, np.inf]],
    }.get(meta["kind"], [])
    out += [meta["ge"] - 1] if meta["ge"] is not None else []
    out += [meta["gt"]] if meta["gt"] is not None else []
    for value in out:
        with pytest.raises(ValueError, match=f"{cls.__name__}.{field.name}"):
            make(cls, **{field.name: value})


@each_field
def test_a_slider_offers_only_what_is_taken_and_python_takes_more(cls, field):
    described = next(one for one in schema(cls)["fields"] if one["name"] == field.name)
    if described["min"] is not None:
        make(cls, **{field.name: described["min"]})
        assert field.default is None or described["min"] <= field.default  # it goes back to where it was
    if described["max"] is not None:
        larger = 0.99 if (cls, field.name) == (xai.RISE, "keep") else described["max"] * 3  # a share below 1
        assert getattr(make(cls, **{field.name: larger}), field.name) == larger
        wider = schema(cls, current=make(cls, **{field.name: larger}))
        assert next(one for one in wider["fields"] if one["name"] == field.name)["max"] == larger


@pytest.mark.parametrize(
    ("data", "error"),
    [
        (None, TypeError),
        ([], TypeError),
        ({}, TypeError),
        ({"name": 3}, TypeError),
        ({"name": "__class__"}, ValueError),
        ({"name": "saliency", "frames": 1}, TypeError),
        ({"name": "saliency", "__init__": 1}, TypeError),
        ({"name": "integrated_gradients", "steps": 1e300}, ValueError),
        ({"name": "integrated_gradients", "steps": {"array": "x"}}, ValueError),
        ({"name": "integrated_gradients", "baseline": {"name": "saliency"}}, ValueError),
        ({"name": "integrated_gradients", "baseline": "blur"}, TypeError),
        ({"name": "integrated_gradients", "steps": "64"}, TypeError),
        ({"name": "smooth_grad", "of": "saliency"}, TypeError),
        ({"name": "smooth_grad", "of": {"name": "smooth_grad"}}, ValueError),
        ({"name": "smooth_grad", "of": {"name": "grad_cam"}}, ValueError),
        ({"name": "smooth_grad", "of": {"name": "constant"}}, ValueError),
        ({"name": "smooth_grad", "of": {"name": "integrated_gradients", "steps": 1e300}}, ValueError),
        ({"name": "smooth_grad", "of": {"name": "saliency", "of": 1}}, TypeError),
        ({"name": "smooth_grad", "of": {"name": "integrated_gradients", "baseline": {"name": "saliency"}}}, ValueError),
    ],
)
def test_hostile_json_is_refused(data, error):
    with pytest.raises(error):
        from_json(data, METHODS, BASELINES, limits={("integrated_gradients", "steps"): 512})


def test_arrays_travel_by_key_and_compare_by_content():
    ours = np.ones((2, 2))
    value = xai.IntegratedGradients(baseline=xai.Constant(ours))
    ours[:] = 5
    assert value == xai.IntegratedGradients(baseline=xai.Constant(np.ones((2, 2))))
    assert value != xai.IntegratedGradients(baseline=xai.Constant(ours))
    with pytest.raises(ValueError, match="read-only"):
        value.baseline.value[0] = 3
    arrays = {}
    data = json.loads(json.dumps(to_json(value, arrays)))
    assert from_json(data, METHODS, BASELINES, arrays) == value
    with pytest.raises(ValueError, match="unknown array"):
        from_json(data, METHODS, BASELINES, {})


def test_methods_by_name_class_and_value():
    assert as_method("saliency") == as_method(xai.Saliency) == xai.Saliency()
    assert as_method("integrated_gradients", {"steps": 5}).steps == 5
    with pytest.raises(ValueError, match="did you mean 'saliency'"):
        as_method("saliancy")
    with pytest.raises(TypeError, match="did you mean 'steps'"):
        as_method("integrated_gradients", {"step": 3})
    with pytest.raises(TypeError, match="IntegratedGradients has no parameter 'step'; did you mean 'steps'"):
        xai.IntegratedGradients(step=3)
    with pytest.raises(TypeError, match=r"write IntegratedGradients\(steps=...\)"):
        as_method(xai.IntegratedGradients(), {"steps": 3})
    with pytest.raises(TypeError, match="method must be"):
        as_method(3)


def test_a_value_is_the_source_that_makes_it_and_large_arrays_are_only_named():
    value = xai.IntegratedGradients(steps=5, baseline=xai.Constant([0.25, 0.5, 1.0]))
    assert eval(repr(value), {"IntegratedGradients": xai.IntegratedGradients, "Constant": xai.Constant}) == value
    assert eval(value.source("xai."), {"xai": xai}) == value
    assert repr(xai.Constant(np.zeros(1000))) == "Constant(value=value)"


def test_a_method_in_a_method_is_a_value_too():
    inner = xai.IntegratedGradients(steps=5, baseline=xai.Constant(np.ones((2, 2))))
    value = xai.SmoothGrad(of=inner)
    assert value == xai.SmoothGrad(of=inner.replace()) != xai.SmoothGrad(of=inner.replace(steps=6))
    assert hash(value) == hash(xai.SmoothGrad(of=inner.replace()))
    assert xai.SmoothGrad(of="blur_ig") == xai.SmoothGrad(of=xai.BlurIG) == xai.SmoothGrad(of=xai.BlurIG())
    assert (
        xai.SmoothGrad(of=xai.BlurIG())
        .source("xai.")
        .endswith("of=xai.BlurIG(steps=32, sigma=20.0, schedule='square'))")
    )
    arrays = {}
    data = json.loads(json.dumps(to_json(value, arrays)))
    assert from_json(data, METHODS, BASELINES, arrays) == value
    described = next(field for field in schema(xai.SmoothGrad)["fields"] if field["name"] == "of")
    assert described["choices"] == [cls.name for cls in GRADIENT_METHODS]
    assert described["default"] == {"name": "saliency", "normalize": "none"}
    assert "smooth_grad" not in described["choices"]
    reaching = schema(xai.IntegratedGradients, current=xai.SmoothGrad(of=xai.IntegratedGradients(steps=9999)))
    assert reaching["fields"][0]["max"] == 9999


def test_a_baseline_by_its_name():
    assert xai.IntegratedGradients(baseline="blur") == xai.IntegratedGradients(baseline=xai.Blur())
    assert xai.IntegratedGradients(baseline=xai.MaxDistance) == xai.IntegratedGradients(baseline="max_distance")
    with pytest.raises(ValueError, match=r"IntegratedGradients.baseline 'blurr' is no baseline; did you mean 'blur'"):
        xai.IntegratedGradients(baseline="blurr")
    for name in ("noise", "GaussianNoise", "gaussian_noise"):
        assert xai.ExpectedGradients(baseline=name).baseline == xai.GaussianNoise()
    with pytest.raises(TypeError, match=r"baseline: Samples needs samples, as in xai.Samples\(samples\)"):
        xai.IntegratedGradients(baseline="samples")


def test_numbers_stand_for_constant_baselines():
    assert xai.IntegratedGradients(baseline=0.5) == xai.IntegratedGradients(baseline=xai.Constant(0.5))


@each
def test_help_tells_every_field_with_its_bounds_and_default(cls):
    text = inspect.getdoc(cls)
    for field in fields(cls):
        line = next(line for line in text.splitlines() if line.strip().startswith(f"{field.name}: "))
        assert field.metadata["doc"] in line
        assert field.default is MISSING or repr(field.default) in line
        assert all(repr(choice) in line for choice in field.metadata["choices"] or ())
    assert cls.summary() == " ".join(text.split("\n\n")[0].split())
