"""Multipliers of operations: with them the differences of the inputs make the difference of the output, exactly.

The batch holds inputs and after them as many references. Each rule is symmetric in both, so what goes back is the same
in both halves of the batch. All rules take the operation, the gradient of its output, and which tensors move.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import tensorflow as tf

from xai_widgets.engine import differences
from xai_widgets.engine.operations import again
from xai_widgets.engine.rows import batch_axis
from xai_widgets.engine.rules import Moves


def other(tensor: tf.Tensor) -> tf.Tensor:
    """What the tensor is in the other half of the batch: the reference of an input, the input of a reference."""
    if tensor.shape.rank == 0:
        return tensor  # a number for the whole batch
    axis = batch_axis(tensor)
    return tf.roll(tensor, tf.shape(tensor)[axis] // 2, axis)


def halves(tensor: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """What belongs to inputs, and what to their references."""
    first, second = tf.split(tensor, 2, batch_axis(tensor))
    return first, second


def activation(
    divided: Callable[[tf.Tensor, tf.Tensor], tf.Tensor], operation: Any, gradient: tf.Tensor, moves: Moves
) -> list[tf.Tensor]:
    """Of an operation with one input: its divided difference."""
    value = operation.inputs[0]
    if value.shape.rank == 0:
        return [gradient * divided(value, value)]
    multiplier = tf.cast(divided(*halves(_wide(value))), gradient.dtype)
    return [gradient * tf.concat([multiplier, multiplier], batch_axis(value))]


def product(operation: Any, gradient: tf.Tensor, moves: Moves) -> list[Any]:
    """Of what is linear in each factor: each counts at the mean of the other, and so gets half of what both do."""
    means = [(one + other(one)) / 2 if moves(one) else tf.identity(one) for one in operation.inputs]
    (found,) = again(operation, dict(enumerate(means)), gradient.dtype)
    return list(tf.gradients(found, means, gradient))


def product_along(operation: Any, gradient: tf.Tensor, moves: Moves) -> list[Any]:
    """Of a product along axes: one of two halves, each of them again one of two."""
    value, axes = operation.inputs
    along = [int(axis) % value.shape.rank for axis in tf.get_static_value(axes).reshape(-1)]
    kept = [axis for axis in range(value.shape.rank) if axis not in along]
    order = [*along, *kept]
    sizes = [tf.shape(value)[axis] for axis in kept]
    count = math.prod(value.shape[axis] for axis in along)
    factors = tf.unstack(tf.reshape(tf.transpose(value, order), [count, *sizes]), count)
    others = tf.unstack(tf.reshape(tf.transpose(other(value), order), [count, *sizes]), count)
    _, _, multipliers = _halved(factors, others)
    back = sorted(range(len(order)), key=order.__getitem__)
    found = tf.transpose(tf.reshape(tf.stack(multipliers), tf.gather(tf.shape(value), order)), back)
    return [tf.reshape(gradient, tf.shape(tf.reduce_sum(value, axes, keepdims=True))) * found, None]


def _halved(ours: list[tf.Tensor], theirs: list[tf.Tensor]) -> tuple[tf.Tensor, tf.Tensor, list[tf.Tensor]]:
    """The product of some factors, that of what they are in the other half of the batch, and the multipliers."""
    if len(ours) == 1:
        return ours[0], theirs[0], [tf.ones_like(ours[0])]
    middle = len(ours) // 2
    first, other_first, of_first = _halved(ours[:middle], theirs[:middle])
    second, other_second, of_second = _halved(ours[middle:], theirs[middle:])
    multipliers = [one * (second + other_second) / 2 for one in of_first]
    multipliers += [one * (first + other_first) / 2 for one in of_second]
    return first * second, other_first * other_second, multipliers


def quotient(operation: Any, gradient: tf.Tensor, moves: Moves) -> list[Any]:
    """A product with the reciprocal."""
    (a, other_a), (b, other_b) = _pairs(operation, moves)
    return _spread(operation, gradient, (1 / b + 1 / other_b) / 2, -(a + other_a) / (2 * b * other_b))


def squared_difference(operation: Any, gradient: tf.Tensor, moves: Moves) -> list[Any]:
    """Of (a - b)^2, as a square of what is between them."""
    (a, other_a), (b, other_b) = _pairs(operation, moves)
    slope = (a - b) + (other_a - other_b)
    return _spread(operation, gradient, slope, -slope)


def larger(operation: Any, gradient: tf.Tensor, moves: Moves) -> list[Any]:
    """max(a, b) is b + relu(a - b)."""
    (a, other_a), (b, other_b) = _pairs(operation, moves)
    above = differences.relu(a - b, other_a - other_b)
    return _spread(operation, gradient, above, 1 - above)


def smaller(operation: Any, gradient: tf.Tensor, moves: Moves) -> list[Any]:
    """min(a, b) is a - relu(a - b)."""
    (a, other_a), (b, other_b) = _pairs(operation, moves)
    above = differences.relu(a - b, other_a - other_b)
    return _spread(operation, gradient, 1 - above, above)


def power(operation: Any, gradient: tf.Tensor, moves: Moves) -> list[Any]:
    """Of a power whose exponent does not move."""
    (a, other_a), (exponent, _) = _pairs(operation, moves)
    return _spread(operation, gradient, differences.power(a, other_a, exponent))


def clipped(operation: Any, gradient: tf.Tensor, moves: Moves) -> list[Any]:
    """Of values that are kept between bounds that do not move."""
    (a, other_a), (low, _), (high, _) = _pairs(operation, moves)
    return _spread(operation, gradient, differences.clip(a, other_a, low, high))


def selected(operation: Any, gradient: tf.Tensor, moves: Moves) -> list[Any]:
    """Where both halves choose the same branch, as it is; else the branch that moves more makes all of the difference.

    So an activation that is written with `where` has its divided difference.
    """
    condition = operation.inputs[0]
    flipped = other(condition) if moves(condition) else condition
    _, (a, other_a), (b, other_b) = _pairs(operation, moves)
    by_a, by_b = a - other_a, b - other_b
    of_a = tf.abs(by_a) > tf.abs(by_b)
    apart = tf.where(condition, a, b) - tf.where(flipped, other_a, other_b)
    alone = tf.math.divide_no_nan(apart, tf.where(of_a, by_a, by_b))
    alike = tf.equal(condition, flipped)
    nothing, whole = tf.zeros_like(alone), tf.ones_like(alone)
    if_a = tf.where(alike, tf.where(condition, whole, nothing), tf.where(of_a, alone, nothing))
    if_b = tf.where(alike, tf.where(condition, nothing, whole), tf.where(of_a, nothing, alone))
    return _spread(operation, gradient, None, if_a, if_b)


def softmax(operation: Any, gradient: tf.Tensor, moves: Moves) -> list[Any]:
    """The Jacobian at the logarithmic mean of both halves: exact, and blind to what is added to all logits."""
    mean, share = _log_means(operation, gradient)
    return [mean * (gradient - tf.reduce_sum(gradient * share, axis=-1, keepdims=True))]


def log_softmax(operation: Any, gradient: tf.Tensor, moves: Moves) -> list[Any]:
    """See `softmax`."""
    _, share = _log_means(operation, gradient)
    return [gradient - share * tf.reduce_sum(gradient, axis=-1, keepdims=True)]


def _log_means(operation: Any, gradient: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """The logarithmic mean of both halves' probabilities, and the share of each in their sum."""
    logs = tf.nn.log_softmax(_wide(operation.inputs[0]))
    mean = differences.exp(logs, other(logs))
    share = mean / tf.reduce_sum(mean, axis=-1, keepdims=True)
    return tf.cast(mean, gradient.dtype), tf.cast(share, gradient.dtype)


def max_pool(operation: Any, gradient: tf.Tensor, moves: Moves) -> list[Any]:
    """Of the largest value of each window."""
    attributes = {name: operation.get_attr(name) for name in ("ksize", "strides", "padding", "data_format")}
    back = tf.raw_ops.MaxPool3DGrad if operation.type == "MaxPool3D" else tf.raw_ops.MaxPoolGrad
    value, found = operation.inputs[0], operation.outputs[0]

    def routed(part: tf.Tensor) -> tf.Tensor:
        return back(orig_input=value, orig_output=found, grad=part, **attributes)

    return [_extreme(value, found, gradient, routed)]


def largest(operation: Any, gradient: tf.Tensor, moves: Moves) -> list[Any]:
    """Of the largest value along axes."""
    return [_reduced(operation, gradient, tf.reduce_max, 1), None]


def smallest(operation: Any, gradient: tf.Tensor, moves: Moves) -> list[Any]:
    """Of the smallest value along axes."""
    return [_reduced(operation, gradient, tf.reduce_min, -1), None]


def _reduced(operation: Any, gradient: tf.Tensor, reduce: Callable[..., tf.Tensor], sign: int) -> tf.Tensor:
    value, axes = operation.inputs
    found = reduce(value, axes, keepdims=True)
    places = tf.cast(tf.equal(value, found), value.dtype)
    shares = places / tf.reduce_sum(places, axes, keepdims=True)
    return _extreme(value, found, tf.reshape(gradient, tf.shape(found)), lambda part: part * shares, sign)


def _extreme(
    value: tf.Tensor,
    found: tf.Tensor,
    gradient: tf.Tensor,
    routed: Callable[[tf.Tensor], tf.Tensor],
    sign: int = 1,
) -> tf.Tensor:
    """The difference of two extremes goes to the place of the one that is further out.

    There the values differ at least as much, so that multipliers lie between 0 and 1.

    Args:
        value, found: What the extreme is looked for in, and the extreme.
        gradient: Of the extreme.
        routed: From something for each extreme to the same at its place.
        sign: 1 for a maximum, -1 for a minimum.
    """
    first, second = halves(found)
    further = tf.concat([tf.nn.relu(sign * (first - second)), tf.nn.relu(sign * (second - first))], batch_axis(found))
    gained, lost = halves(routed(sign * gradient * further))
    value, reference = halves(value)
    moved = tf.math.divide_no_nan(gained - lost, value - reference)
    return tf.concat([moved, moved], batch_axis(found))


def passed_on(operation: Any, *gradients: Any, moves: Moves) -> list[Any]:
    """Of a `tf.custom_gradient`: through what computed the value, and not by the derivative that was told for it."""
    outputs = zip(operation.outputs, gradients, strict=True)
    return [gradient if output.consumers() else None for output, gradient in outputs]


def _wide(tensor: tf.Tensor) -> tf.Tensor:
    """In float32 at least: half precision is too coarse for differences."""
    return tf.cast(tensor, tf.float32) if tensor.dtype in (tf.float16, tf.bfloat16) else tensor


def _pairs(operation: Any, moves: Moves) -> list[tuple[tf.Tensor, tf.Tensor]]:
    """Each input with what it is in the other half; the same where it does not move."""
    wide = [(_wide(one), moves(one)) for one in operation.inputs]
    return [(one, other(one) if moving else one) for one, moving in wide]


def _spread(operation: Any, gradient: tf.Tensor, *multipliers: tf.Tensor | None) -> list[Any]:
    """The gradient times the multiplier of each input, None for an input without one."""
    parts = [None if one is None else gradient * tf.cast(one, gradient.dtype) for one in multipliers]
    parts += [None] * (len(operation.inputs) - len(parts))
    return [
        None if part is None else _summed_to(value, part) for value, part in zip(operation.inputs, parts, strict=True)
    ]


def _summed_to(value: tf.Tensor, part: tf.Tensor) -> tf.Tensor:
    """Summed over the axes along which the value was broadcast."""
    if value.shape.rank == part.shape.rank and 1 not in value.shape.as_list():
        return part
    value = tf.identity(value)
    return tf.gradients(tf.broadcast_to(value, tf.shape(part)), value, part)[0]
