"""Python source that makes what a widget shows."""

from __future__ import annotations

from typing import Any

from xai_widgets.methods import Method
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
    labels = getattr(method, "segments", None)
    if labels is None or not are_of_each_sample(labels, subject.inputs):
        return method.source("xai.")
    source = method.replace(segments=labels[index : index + 1]).source("xai.")
    return source.replace("segments=segments", f"segments=segments[{index}:{index + 1}]")


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
