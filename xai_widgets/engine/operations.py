"""Kinds of operations that every reader of a traced graph tells apart, and how to compute one again."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

# What they give does not depend on the values of what they take.
VALUELESS = frozenset({"Shape", "ShapeN", "Size", "Rank", "ZerosLike", "OnesLike"})
# Calls of functions that are traced on their own.
CALLS = frozenset({"PartitionedCall", "StatefulPartitionedCall"})
LOOPS = frozenset({"While", "StatelessWhile"})
# No derivative passes them.
WALLS = frozenset({"StopGradient", "PreventGradient"})


def again(operation: Any, inputs: Mapping[int, tf.Tensor], dtype: tf.DType) -> list[tf.Tensor]:
    """The outputs of an operation with other tensors at some of its places, computed in a precision of choice."""
    tensors = [inputs.get(place, tensor) for place, tensor in enumerate(operation.inputs)]
    attributes = {name: value for name, value in operation.node_def.attr.items() if not name.startswith("_")}
    kinds = {attribute.name for attribute in operation.op_def.attr if attribute.type == "type"}
    for name in kinds & attributes.keys():
        if tf.as_dtype(attributes[name].type).is_floating:
            attributes[name] = tf.compat.v1.AttrValue(type=dtype.as_datatype_enum)
    given = [tf.cast(tensor, dtype) if tensor.dtype.is_floating else tensor for tensor in tensors]
    # Of the turn of a loop this is the graph of the way back, which is not the one that the operation is in.
    graph = tf.compat.v1.get_default_graph()
    return list(graph.create_op(operation.type, given, attrs=attributes, op_def=operation.op_def).outputs)
