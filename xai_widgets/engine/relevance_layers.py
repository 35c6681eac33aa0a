"""Weighted sums in a traced graph, together with the bias and the batch norm that follow them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import tensorflow as tf

from xai_widgets.engine.operations import again
from xai_widgets.engine.relevance_graph import QUOTIENT, SAME, SHIFT, Graph, Linear, pulled
from xai_widgets.engine.relevance_rules import WeightedSum

# Of dilated convolutions, too.
_RESHAPED = {"Reshape", "Squeeze", "ExpandDims", "BatchToSpaceND"}


class Fold(NamedTuple):
    """A sum with weights and what follows it up to `end`: factors and shifts that do not depend on the site.

    Attributes:
        operation, linear: The sum, and where it has its input and weights.
        moves: What reshapes the sum before the first factor or shift.
        scale: A factor for each channel of the output, or one for all; None for one.
        shift: What is added; None for zero.
        end: The last tensor of the chain.
        inner: The tensors of the chain before it.
        absorbed: Names of the operations of the chain after the sum.
    """

    operation: Any
    linear: Linear
    moves: tuple[Any, ...]
    scale: tf.Tensor | None
    shift: tf.Tensor | None
    end: tf.Tensor
    inner: tuple[tf.Tensor, ...]
    absorbed: frozenset[str]


def fold(graph: Graph, operation: Any, linear: Linear, dtype: tf.DType) -> Fold:
    """A sum with all that can be folded into its weights and bias (canonisation; Hui and Binder, 2019)."""
    tensor = operation.outputs[0]
    best = Fold(operation, linear, (), None, None, tensor, (), frozenset())
    moves: list[Any] = []
    chain: list[Any] = []
    while (follower := graph.only_consumer(tensor)) is not None:
        scale, shift = best.scale, best.shift
        affine = False
        if len(graph.places(follower)) != 1:  # what meets it there depends on the site as well
            break
        if follower.type not in _RESHAPED and not _same_shape(follower.outputs[0], tensor):
            break  # it is copied there: a bias is a number for each value of the sum
        if follower.type in _RESHAPED and scale is None and shift is None:
            moves.append(follower)
        elif follower.type in SHIFT and _shifts(follower, tensor):
            other = tf.cast(_other(follower, tensor), dtype)
            other = -other if follower.type == "Sub" else other
            shift, affine = other if shift is None else shift + other, True
        elif follower.type in {"Mul", *QUOTIENT} and (factor := _factor(follower, tensor, best, dtype)) is not None:
            scale = _channels(factor) if scale is None else scale * _channels(factor)
            shift, affine = None if shift is None else shift * factor, True
        elif follower.type not in SAME:
            break
        chain.append(follower)
        tensor = follower.outputs[0]
        if affine:
            inner = (operation.outputs[0], *(one.outputs[0] for one in chain[:-1]))
            names = frozenset(one.name for one in chain)
            best = Fold(operation, linear, tuple(moves), scale, shift, tensor, inner, names)
    return best


def weighted(folded: Fold, dtype: tf.DType, bounds: Callable[[], tuple[tf.Tensor, tf.Tensor]]) -> WeightedSum:
    """The folded sum as rules take it, in a precision of choice.

    Args:
        folded: The sum.
        dtype: Of all that is computed.
        bounds: Gives the smallest and the largest values that the input may have.
    """
    operation, linear = folded.operation, folded.linear
    source = operation.inputs[linear.x]
    x, weights = tf.cast(source, dtype), tf.cast(operation.inputs[linear.weights], dtype)
    if folded.scale is not None:
        weights = weights * _for_weights(operation, linear, folded.scale, weights)

    groups = _groups(operation, linear)

    def apply(x: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
        if groups == 1:
            (tensor,) = again(operation, {linear.x: x, linear.weights: weights}, dtype)
        else:
            tensor = _by_groups(operation, linear, groups, x, weights)
        for move in folded.moves:
            (tensor,) = again(move, {0: tensor}, dtype)
        return tensor

    def pull(weights: tf.Tensor, upstream: tf.Tensor) -> tf.Tensor:
        return pulled(lambda x: [apply(x, weights)], [x], [upstream])[0]

    if source.dtype == dtype and groups == 1:
        products = (folded.moves[-1] if folded.moves else operation).outputs[0]
        products = products if folded.scale is None else products * folded.scale
    else:  # the sum as it was computed is too coarse to be shared out
        products = apply(x, weights)
    bias = tf.zeros((), dtype) if folded.shift is None else folded.shift
    return WeightedSum(x, weights, products, bias, apply, pull, bounds)


def _groups(operation: Any, linear: Linear) -> int:
    """Into how many groups a convolution divides its channels."""
    if operation.type not in {"Conv2D", "Conv3D"} or not _has_channels(operation, linear):
        return 1
    channels, each = operation.inputs[linear.x].shape[-1], operation.inputs[linear.weights].shape[-2]
    return channels // each if channels and each else 1


def _by_groups(operation: Any, linear: Linear, groups: int, x: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """A convolution with groups; on a CPU TensorFlow has no derivative of one."""
    if weights.shape[-2] == 1 and operation.type == "Conv2D" and operation.get_attr("padding") != b"EXPLICIT":
        height, width = weights.shape[:2]
        return tf.nn.depthwise_conv2d(
            x,
            tf.reshape(weights, (height, width, groups, -1)),
            operation.get_attr("strides"),
            operation.get_attr("padding").decode(),
            dilations=operation.get_attr("dilations")[1:3],
        )
    pairs = zip(tf.split(x, groups, axis=-1), tf.split(weights, groups, axis=-1), strict=True)
    parts = [again(operation, {linear.x: one, linear.weights: its}, x.dtype)[0] for one, its in pairs]
    return tf.concat(parts, axis=-1)


def _same_shape(one: tf.Tensor, other: tf.Tensor) -> bool:
    if one.shape.rank is None or other.shape.rank is None:
        return False
    return bool(one.shape.as_list() == other.shape.as_list())


def _other(operation: Any, tensor: tf.Tensor) -> tf.Tensor:
    return next(one for one in operation.inputs if one.name != tensor.name)


def _shifts(operation: Any, tensor: tf.Tensor) -> bool:
    """Whether an operation adds a bias to a tensor, or takes one away, along the last axis.

    A constant number is none: it is how a hard sigmoid or a scaling of inputs begins.
    """
    if operation.type == "BiasAdd":
        return bool(operation.get_attr("data_format") == b"NHWC")
    other = _other(operation, tensor)
    if other.shape.rank == 0 and tf.get_static_value(other) is not None:
        return False
    return operation.type != "Sub" or operation.inputs[0].name == tensor.name


def _factor(operation: Any, tensor: tf.Tensor, so_far: Fold, dtype: tf.DType) -> tf.Tensor | None:
    """What multiplies a tensor; None where that cannot be part of the weights."""
    if operation.type in QUOTIENT and operation.inputs[0].name != tensor.name:
        return None
    other = _other(operation, tensor)
    sizes = other.shape.as_list() if other.shape.rank is not None else [None]
    if any(size != 1 for size in sizes[:-1]) or (sizes and sizes[-1] is None):
        return None
    if sizes and sizes[-1] != 1:
        sums = so_far.operation.outputs[0]
        same = sizes[-1] == tensor.shape[-1] == sums.shape[-1] and len(sizes) <= (tensor.shape.rank or 0)
        if not same or not _has_channels(so_far.operation, so_far.linear):
            return None
    factor = tf.cast(other, dtype)
    return 1 / factor if operation.type in QUOTIENT else factor


def _channels(factor: tf.Tensor) -> tf.Tensor:
    """(C,), or () for one factor for all."""
    return tf.reshape(factor, () if factor.shape.num_elements() == 1 else (-1,))


def _has_channels(operation: Any, linear: Linear) -> bool:
    """Whether the last axis of the sum is an axis of the weights."""
    if linear.kind == "convolution":
        return bool(operation.get_attr("data_format").endswith(b"C"))
    return operation.type != "Einsum" and linear.weights == 1


def _for_weights(operation: Any, linear: Linear, scale: tf.Tensor, weights: tf.Tensor) -> tf.Tensor:
    """The factors of the channels, shaped to multiply the weights with."""
    if scale.shape.rank == 0:
        return scale
    if operation.type == "DepthwiseConv2dNative":
        return tf.reshape(scale, tf.shape(weights)[2:])
    flipped = any(_attribute(operation, name) for name in ("transpose_b", "adj_y"))
    return scale[:, None] if flipped or "Backprop" in operation.type else scale


def _attribute(operation: Any, name: str) -> Any:
    return operation.get_attr(name) if name in operation.node_def.attr else None
