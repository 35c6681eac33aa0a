"""What a symbolic tensor is computed from, by reading the traced graph."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import tensorflow as tf

from xai_widgets.engine.operations import WALLS

_ACTIVE = frozenset({"Elu", "Erf", "LeakyRelu", "Relu", "Relu6", "Selu", "Sigmoid", "Softplus"})
_KEEPS_ACTIVE = frozenset(
    {"AddV2", "AvgPool", "AvgPool3D", "Cast", "ConcatV2", "ExpandDims", "Identity", "MaxPool", "MaxPool3D"}
    | {"Mean", "Pad", "Reshape", "Squeeze", "Transpose"}
)


def reached(ends: Iterable[tf.Tensor], walls: Collection[Any] = ()) -> set[Any]:
    """The operations that the ends depend on in a differentiable way, their own among them.

    Integers and booleans (shapes, indices, token ids, the winner of an argmax) carry no derivative: nothing is
    followed through them. What a loop or a nested `tf.function` does inside is one operation.

    Args:
        ends: Tensors of one graph.
        walls: Operations that are not passed, nor counted.
    """
    found: set[Any] = set()
    waiting = [end.op for end in ends]
    while waiting:
        operation = waiting.pop()
        if operation in found or operation in walls or operation.type in WALLS:
            continue
        found.add(operation)
        waiting.extend(tensor.op for tensor in operation.inputs if _carries_derivative(tensor.dtype))
    return found


def unwrapped(tensor: tf.Tensor) -> tf.Tensor:
    """The tensor that this one is the same as, through operations that change nothing."""
    while tensor.op.type == "Identity":
        tensor = tensor.op.inputs[0]
    return tensor


def active(tensor: tf.Tensor) -> bool:
    """Whether an activation function made it that is hardly ever negative, pooled, joined or reshaped since."""
    operation = tensor.op
    if operation.type in _ACTIVE:
        return True
    values = [one for one in operation.inputs if _carries_derivative(one.dtype) and one.op.type != "Const"]
    if operation.type == "Mul":  # SiLU and GELU: a value times a gate
        return any(map(active, values))
    return operation.type in _KEEPS_ACTIVE and bool(values) and all(map(active, values))


def _carries_derivative(dtype: tf.DType) -> bool:
    # A resource is a variable, a variant the list that a recurrent layer keeps its steps in.
    return bool(dtype.is_floating or dtype.is_complex or dtype == tf.variant)
