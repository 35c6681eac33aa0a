"""What a person hands over, checked and made into float arrays with a batch axis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from xai_widgets.engine.model import ModelView
from xai_widgets.methods.base import Inputs


def read(view: ModelView, inputs: Any) -> Inputs:
    """The raw inputs of a model, in the model's precision; the caller's arrays are not changed.

    Raises:
        TypeError: The inputs are not numbers.
        ValueError: A shape does not fit the model, the batch is empty, or a value is NaN or infinite.
    """
    inputs = _tree(view, inputs)
    structure = tf.nest.map_structure(lambda _: None, inputs)
    arrays = tuple(_array(array, view) for array in tf.nest.flatten(inputs))
    shapes = view.input_shapes if view.preprocess is None else None
    if shapes is not None and len(shapes) != len(arrays):
        raise ValueError(f"the model takes {len(shapes)} inputs of shapes {shapes}, got {len(arrays)}")
    for place, array in enumerate(arrays):
        which = "inputs" if len(arrays) == 1 else f"input {place}"
        _check(which, array, shapes[place] if shapes else None)
        if len(array) != len(arrays[0]):
            raise ValueError(f"inputs must have the same number of samples, got {[len(one) for one in arrays]}")
    check_ids("inputs", view, arrays)
    return Inputs(arrays, structure)


def check_ids(name: str, view: ModelView, arrays: Sequence[np.ndarray]) -> None:
    """Refuse token ids that an embedding has no row for.

    Args:
        name: What errors call them.
        view: The model.
        arrays: (n, ...) for each of its inputs.

    Raises:
        ValueError: There is such an id.
    """
    for place, count in view.vocabularies.items():
        ids = arrays[place]
        unknown = ids[(ids <= -count - 1) | (ids >= count)]  # Keras counts negative ones from the end
        if len(unknown):
            raise ValueError(
                f"{name} must be token ids from 0 to {count - 1}, the rows of the embedding, got {unknown[0]:g}"
            )


def _tree(view: ModelView, inputs: Any) -> Any:
    """The structure that the model takes: plain lists of numbers, or of pictures for a single input, are one array."""
    if isinstance(inputs, Mapping):
        names = [tensor.name for tensor in getattr(view.model, "inputs", None) or ()]
        takes_list = not isinstance(getattr(view.model, "_inputs_struct", None), Mapping)
        if view.preprocess is None and takes_list and len(names) == len(inputs) and set(names) == set(inputs):
            return [inputs[name] for name in names]
        return dict(inputs)
    if isinstance(inputs, list | tuple):
        shapes = view.input_shapes if view.preprocess is None else None
        nested = any(isinstance(one, np.ndarray | tf.Tensor | list | tuple | Mapping) for one in inputs)
        several = len(shapes) > 1 if shapes is not None else nested and not isinstance(inputs[0], list | tuple)
        if several:
            return list(inputs)
        if not inputs:
            raise ValueError("inputs must hold at least one sample, got none")
        if len(inputs) == 1 and shapes is not None and np.ndim(inputs[0]) == len(shapes[0]):
            return inputs[0]
        try:
            return np.stack([np.asarray(one) for one in inputs])
        except ValueError:
            raise ValueError(f"inputs must be one array, got {len(inputs)} of different shapes") from None
    return inputs


def _array(value: Any, view: ModelView) -> np.ndarray:
    array = np.asarray(value)
    if array.dtype.kind not in "fiub":
        raise TypeError(f"inputs must be numbers, got {array.dtype} ({type(value).__name__})")
    array = array.astype(view.dtype)
    array.flags.writeable = False
    return array


def _check(which: str, array: np.ndarray, shape: Sequence[int | None] | None) -> None:
    if array.ndim < 1 or (shape is not None and array.ndim == len(shape) - 1):
        allowed = f" of shape {tuple(shape)}" if shape is not None else ""
        if shape is not None and array.ndim > 1 and _fit(shape, (*array.shape, 1)):
            raise ValueError(
                f"{which} must have a channel axis{allowed}, got shape {array.shape}; try inputs[..., None]"
            )
        raise ValueError(f"{which} must have a batch axis{allowed}, got shape {array.shape}; try inputs[None]")
    if len(array) == 0:
        raise ValueError(f"{which} must hold at least one sample, got shape {array.shape}")
    if shape is not None:
        fits = _fit(shape, array.shape)
        if not fits:
            raise ValueError(f"{which} must have shape {tuple(shape)}, got {array.shape}")
    if not np.isfinite(array).all():
        bad = int((~np.isfinite(array)).sum())
        raise ValueError(f"{which} must be finite, got {bad} NaN or infinite value{'s' if bad > 1 else ''}")


def _fit(wanted: Sequence[int | None], given: Sequence[int]) -> bool:
    """Whether a shape fits, its batch axis aside."""
    return len(wanted) == len(given) and all(
        want is None or want == got for want, got in zip(wanted[1:], given[1:], strict=True)
    )
