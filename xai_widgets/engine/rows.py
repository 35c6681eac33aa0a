"""Which operations move the rows of a batch: whose order is not that of the samples any more."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

_REDUCTIONS = frozenset({"Max", "Mean", "Min", "Prod", "Sum"})


def batch_axis(tensor: tf.Tensor) -> int:
    """The first axis whose size tracing does not tell."""
    sizes = [None] if tensor.shape.rank is None else tensor.shape.as_list()
    return sizes.index(None) if None in sizes else 0


def rearranges(operation: Any, moves: Callable[[tf.Tensor], bool]) -> bool:
    """Whether an operation joins, parts, permutes or mixes the rows of the batch.

    What the graph does not tell (indices that are computed, say) counts as harmless.

    Args:
        operation: One whose output depends on the samples.
        moves: Whether a tensor does.
    """
    values = [tensor for tensor in operation.inputs if moves(tensor) and tensor.shape.rank]
    if not values:
        return False
    found = _ALONG.get(operation.type)
    if found is None:
        return operation.type in _REDUCTIONS and batch_axis(values[0]) in _axes(operation, 1, values[0])
    return found(operation, values)


def _joined(operation: Any, values: Sequence[tf.Tensor]) -> bool:
    place = 0 if operation.type == "Concat" else len(operation.inputs) - 1
    return len(values) > 1 and batch_axis(values[0]) in _axes(operation, place, values[0])


def _parted(operation: Any, values: Sequence[tf.Tensor]) -> bool:
    place = 0 if operation.type == "Split" else 2
    return len(operation.outputs) > 1 and batch_axis(values[0]) in _axes(operation, place, values[0])


def _turned(operation: Any, values: Sequence[tf.Tensor]) -> bool:
    place = 2 if operation.type == "Roll" else 1
    return batch_axis(values[0]) in _axes(operation, place, values[0])


def _gathered(operation: Any, values: Sequence[tf.Tensor]) -> bool:
    if operation.type == "GatherV2" and operation.get_attr("batch_dims") > 0:
        return False
    axes = [0] if operation.type == "Gather" else _axes(operation, 2, values[0])
    return operation.inputs[0] is values[0] and batch_axis(values[0]) in axes


def _reshaped(operation: Any, values: Sequence[tf.Tensor]) -> bool:
    """Rows stay in halves only as long as as many blocks lie before the batch axis as did."""
    return _blocks(values[0]) != _blocks(operation.outputs[0])


def _blocks(tensor: tf.Tensor) -> int:
    return math.prod(tensor.shape.as_list()[: batch_axis(tensor)]) if tensor.shape.rank else 1


def _compared(operation: Any, values: Sequence[tf.Tensor]) -> bool:
    return len(values) > 1


def _axes(operation: Any, place: int, like: tf.Tensor) -> list[int]:
    """The axes that an input names; none where that is computed."""
    known = tf.get_static_value(operation.inputs[place])
    return [] if known is None else [int(axis) % like.shape.rank for axis in known.reshape(-1)]


_ALONG: dict[str, Callable[[Any, Sequence[tf.Tensor]], bool]] = {
    "Concat": _joined,
    "ConcatV2": _joined,
    "Gather": _gathered,
    "GatherV2": _gathered,
    "MatMul": _compared,
    "Reshape": _reshaped,
    "ReverseV2": _turned,
    "Roll": _turned,
    "Split": _parted,
    "SplitV": _parted,
}
