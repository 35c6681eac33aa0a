"""Attributions made of what the shap package hands over."""

from __future__ import annotations

import numbers
from collections.abc import Sequence
from typing import Any

import numpy as np

from xai_widgets.attribution import Attribution
from xai_widgets.declare import nearest
from xai_widgets.layout import positions
from xai_widgets.methods import GivenSHAP


def from_explanation(explanation: Any, target: Any) -> Attribution:
    """See `Attribution.from_shap`."""
    values, data, base, named, several = _read(explanation)
    chosen = _classes(target, values.shape[-1] if several else None, named, len(values))
    if several:
        values = np.stack([row[..., index] for row, index in zip(values, chosen, strict=True)])
    baseline_score = _base_of(base, chosen, len(values))
    notes = ["The values came in a shap.Explanation: which method and which model made them is not told."]
    if data is None:
        data = np.zeros(values.shape, np.float32)
        notes.append("The explanation holds no data: zeros stand in its place.")
    # Values of positions, as of a mask, are told from those of a grey picture by what they belong to.
    channels = values.shape == data.shape
    total = values.reshape(len(values), -1).sum(axis=1, dtype=np.float64)
    notes.append("The explanation holds no outputs: the score is what the base value and the values add up to.")
    return Attribution(
        values=values,
        target=chosen,
        score=(baseline_score + total).astype(values.dtype),
        baseline_score=baseline_score.astype(values.dtype),
        residual=np.full(len(values), np.nan, values.dtype),
        method=GivenSHAP(channels=channels),
        inputs=data,
        change=np.full(len(values), np.nan, values.dtype),
        score_name="output",
        targets=tuple(_label(index, named) for index in chosen),
        features=_features(explanation.feature_names, data),
        notes=tuple(notes),
    )


def outputs_of(explanation: Any) -> tuple[np.ndarray, list[str]]:
    """(N, k) what the explained outputs of each sample are, base value and values together; and the outputs' names."""
    values, _, base, named, several = _read(explanation)
    outputs = values.shape[-1] if several else 1
    total = values.reshape(len(values), -1, outputs).sum(axis=1, dtype=np.float64)
    chosen = [np.full(len(values), output if several else -1) for output in range(outputs)]
    bases = np.stack([_base_of(base, which, len(values)) for which in chosen], axis=1)
    return total + np.nan_to_num(bases), named


def _read(explanation: Any) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None, list[str], bool]:
    """Values, data and base values with a batch axis, the outputs' names, and whether there is an axis of outputs."""
    missing = [name for name in ("values", "base_values", "data") if not hasattr(explanation, name)]
    if missing:
        raise TypeError(
            f"explanation must be a shap.Explanation, got {type(explanation).__name__} without {missing[0]}"
        )
    values = _numbers("values", explanation.values)
    data = None if explanation.data is None else _numbers("data", explanation.data)
    base = None if explanation.base_values is None else _numbers("base_values", explanation.base_values)
    values, data, base = _with_batch_axis(values, data, base)
    names = explanation.output_names
    named = [str(name) for name in names] if isinstance(names, Sequence | np.ndarray) and np.ndim(names) == 1 else []
    return values, data, base, named, _has_outputs(values, data, base, named)


def _numbers(name: str, value: Any) -> np.ndarray:
    try:
        array = np.asarray(value)
        if array.dtype.kind == "O":
            array = array.astype(np.float64)
    except (TypeError, ValueError):  # text, or rows of different lengths
        array = np.array("")
    if array.dtype.kind not in "fiub":
        raise ValueError(f"explanation.{name} must be one array of numbers, as of a table or of pictures")
    return np.array(array, np.float64 if array.dtype == np.float64 else np.float32)


def _with_batch_axis(
    values: np.ndarray, data: np.ndarray | None, base: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray | None, np.ndarray | None]:
    """One row of a table gets its batch axis; whether a single picture is meant cannot be told from its shape."""
    if values.ndim == 0 or values.size == 0:
        raise ValueError(f"explanation.values must hold at least one sample, got shape {values.shape}")
    if (data is not None and data.ndim == 1) or (data is None and values.ndim == 1):
        return values[None], None if data is None else data[None], None if base is None else base[None]
    if values.ndim > 2 and base is not None and base.ndim == 0:
        raise ValueError(
            f"explanation.values of shape {values.shape} with one base value may be one sample or many: "
            "slice with explanation[0:1], or give a base value for each sample"
        )
    if data is not None and len(data) != len(values):
        raise ValueError(f"explanation.values and data must be of as many samples, got {len(values)} and {len(data)}")
    return values, data, base


def _has_outputs(values: np.ndarray, data: np.ndarray | None, base: np.ndarray | None, names: list[str]) -> bool:
    """Whether the last axis is that of several outputs.

    Raises:
        ValueError: The values do not fit the data.
    """
    if data is None:
        told = names and values.ndim > 2 and len(names) == values.shape[-1]
        return bool(told or (base is not None and base.ndim == 2))
    shapes = (data.shape, (len(data), *positions(data.shape)) if positions(data.shape) else data.shape)
    if values.shape in shapes:
        return False
    if values.shape[:-1] in shapes:
        return True
    raise ValueError(f"explanation.values must have the shape {data.shape} of its data, got {values.shape}")


def _classes(target: Any, count: int | None, names: list[str], samples: int) -> np.ndarray:
    """(N,) which output is meant; -1 where there is one and it has no number."""
    listed = ", ".join(map(repr, names[:12])) if names else f"0 to {(count or 1) - 1}"
    if target is None:
        if count is not None and count > 1:
            raise ValueError(f"the explanation has {count} outputs: target must choose one of {listed}")
        return np.full(samples, -1 if count is None else 0)
    if isinstance(target, list | tuple | np.ndarray) and np.ndim(target) == 1:
        if len(target) != samples:
            raise ValueError(f"target must be one output or one for each sample ({samples}), got {len(target)}")
        return np.array([_class(one, count, names, listed) for one in target])
    return np.full(samples, _class(target, count, names, listed))


def _class(target: Any, count: int | None, names: list[str], listed: str) -> int:
    if isinstance(target, str):
        if target not in names:
            raise ValueError(f"target {target!r} is no output of the explanation{nearest(target, names)}")
        return names.index(target)
    if isinstance(target, bool) or not isinstance(target, numbers.Integral):
        raise TypeError(f"target must be an output's number or name, got {target!r}")
    index = int(target)
    if index < 0 or (count is not None and index >= count):
        raise ValueError(f"target must be one of {listed if count else 'the classes, from 0 on'}, got {index}")
    return index


def _base_of(base: np.ndarray | None, chosen: np.ndarray, samples: int) -> np.ndarray:
    """(N,) base values of the outputs that are meant, NaN where there are none."""
    if base is None:
        return np.full(samples, np.nan)
    if base.ndim == 1 and len(base) != samples and chosen.min() >= 0 and len(base) > chosen.max():
        base = np.broadcast_to(base, (samples, len(base)))  # one for each output
    if base.ndim == 2 and base.shape[1] == 1:
        base = base[:, 0]
    if base.ndim == 2 and len(base) == samples and chosen.min() >= 0 and base.shape[1] > chosen.max():
        return base[np.arange(samples), chosen]
    if base.ndim > 1 or (base.ndim == 1 and len(base) != samples):
        raise ValueError(f"explanation.base_values must be one for each sample, {samples}, got shape {base.shape}")
    return np.broadcast_to(base, samples)


def _label(index: int, names: list[str]) -> str:
    if index < 0:
        return "the output"
    return names[index] if index < len(names) else f"class {index}"


def _features(names: Any, data: np.ndarray) -> tuple[str, ...]:
    """Names of the columns of a table; those of anything else are not kept."""
    if data.ndim != 2 or names is None or isinstance(names, str) or len(names) != data.shape[1]:
        return ()
    return tuple(map(str, names))
