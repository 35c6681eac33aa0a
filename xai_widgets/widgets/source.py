"""Python source that makes what a widget shows."""

from __future__ import annotations

from typing import Any

import numpy as np

from xai_widgets.methods import Inputs, Method
from xai_widgets.methods.players import are_of_each_sample
from xai_widgets.targets import Region, Target
from xai_widgets.task import Subject


def explain_source(
    subject: Subject, method: Method, target: Any, index: int, probability: bool, *, added_axis: bool
) -> str:
    """A call of `explain` for one sample, with the names `xai`, `model` and `inputs`.

    Functions and large arrays stand there under the name of their parameter, class names as `names`.

    Args:
        subject: The model and all samples.
        method, target, probability: As in `explain`.
        index: Which sample.
        added_axis: Whether the inputs were one sample without a batch axis.
    """
    options = [f"target={_target_source(target)}"]
    if isinstance(target, Target) and subject.names:
        options.append("names=names")
    if subject.view.wrt is not None:
        options.append(f"wrt={subject.view.wrt!r}")
    if subject.preprocess is not None:
        options.append("preprocess=preprocess")
    if probability:
        options.append("probability=True")
    rows = _rows_source(subject.inputs.structure, added_axis, index)
    return f"xai.explain(model, {rows}, {_method_source(method, subject, index)}, {', '.join(options)})"


def _method_source(method: Method, subject: Subject, index: int) -> str:
    """The source of the method; labels of each sample stand there as those of the one that is shown."""

    def naming(name: str, array: np.ndarray) -> str | None:
        if name == "segments" and are_of_each_sample(array, subject.inputs):
            return f"segments[{index}:{index + 1}]"
        return _as_inputs(array, subject.inputs) if name == "samples" else None

    return method.source("xai.", naming)


def _as_inputs(samples: np.ndarray, inputs: Inputs) -> str | None:
    """Samples as some of the inputs, as those are that a menu chose; None where they are others."""
    if len(inputs.arrays) > 1 or isinstance(inputs.structure, dict | list | tuple):
        return None
    (array,) = inputs.arrays
    places = {row.tobytes(): place for place, row in enumerate(array)}
    found = [places.get(row.tobytes()) for row in samples.astype(array.dtype)]
    return None if None in found else f"inputs[{found}]"


def _target_source(target: Any) -> str:
    if callable(target) or isinstance(target, Region):
        return "target"
    return f"xai.{target!r}" if isinstance(target, Target) else repr(target)


def _rows_source(structure: Any, added_axis: bool, index: int) -> str:
    if added_axis:
        return "inputs[None]"
    if isinstance(structure, dict):
        return "{" + ", ".join(f"{key!r}: inputs[{key!r}][{index}:{index + 1}]" for key in structure) + "}"
    if isinstance(structure, list | tuple):
        return "[" + ", ".join(f"inputs[{place}][{index}:{index + 1}]" for place in range(len(structure))) + "]"
    return f"inputs[{index}:{index + 1}]"
