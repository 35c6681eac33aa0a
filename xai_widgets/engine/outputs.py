"""What a model gives: its outputs as they are traced, with and without their final activation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import tensorflow as tf

from xai_widgets.engine.operations import VALUELESS

_ACTIVATIONS = {"Softmax": "softmax", "LogSoftmax": "log-softmax", "Sigmoid": "sigmoid"}
_TRANSPARENT = {"Identity", "Cast", "Reshape"}


@dataclass(frozen=True)
class TracedOutput:
    """One output of a model while it is traced: as returned, what enters its final activation, and which that is."""

    value: tf.Tensor
    logits: tf.Tensor
    activation: str | None


class Head(NamedTuple):
    """What is known of an output without data.

    `units` is the size of its last axis, 1 for an output of shape (N,); `positions` are the axes between.
    """

    name: str
    activation: str | None
    units: int
    positions: tuple[int | None, ...] = ()

    @property
    def classes(self) -> int:
        """How many classes a target may name; a single sigmoid unit stands for two."""
        return 2 if self.is_binary else self.units

    @property
    def is_binary(self) -> bool:
        return self.units == 1 and self.activation == "sigmoid"

    def precise(self, traced: TracedOutput, probability: bool) -> tf.Tensor:
        """Scores (n, ..., classes) of all classes."""
        tensor = precise(traced.value if probability else traced.logits)
        if probability and self.activation == "log-softmax":
            tensor = tf.exp(tensor)
        if tensor.shape.rank == 1:
            tensor = tensor[:, None]
        if self.is_binary:
            tensor = tf.concat([1 - tensor if probability else -tensor, tensor], axis=-1)
        return tensor


class Outputs(NamedTuple):
    """What the model gives for some samples, and the structure in which it gives it."""

    flat: Sequence[TracedOutput]
    structure: Any
    heads: tuple[Head, ...]


def precise(tensor: tf.Tensor) -> tf.Tensor:
    """The tensor in float32, or float64 where it is."""
    return tensor if tensor.dtype in (tf.float32, tf.float64) else tf.cast(tensor, tf.float32)


def before_activation(value: tf.Tensor) -> TracedOutput:
    """Find what enters the final softmax, log-softmax or sigmoid of a symbolic tensor, by reading the traced graph."""
    made = _last(value)
    if made.type not in _ACTIVATIONS:
        return TracedOutput(value, value, None)
    logits = tf.reshape(made.inputs[0], tf.shape(value))
    logits.set_shape(value.shape)
    return TracedOutput(value, logits, _ACTIVATIONS[made.type])


def unactivated(value: tf.Tensor) -> tf.Tensor:
    """What enters the softmax, log-softmax or sigmoid that made a symbolic tensor; the tensor itself where none did."""
    made = _last(value)
    return made.inputs[0] if made.type in _ACTIVATIONS else value


def _last(value: tf.Tensor) -> Any:
    """The operation that made the values of a symbolic tensor."""
    while value.op.type in _TRANSPARENT:
        value = value.op.inputs[0]
    return value.op


def reaches(start: Sequence[tf.Tensor], end: Sequence[tf.Tensor]) -> bool:
    """Whether the values of any of some symbolic tensors go into any of the others, in whatever way."""
    wanted = {id(tensor.op) for tensor in start}
    waiting, seen = [tensor.op for tensor in end], set()
    while waiting:
        operation = waiting.pop()
        if id(operation) in wanted:
            return True
        if id(operation) not in seen:
            seen.add(id(operation))
            if operation.type not in VALUELESS:
                waiting += [tensor.op for tensor in operation.inputs]
    return False


def head_of(name: str, traced: TracedOutput) -> Head:
    """What is known of an output from its tracing."""
    shape = tuple(traced.value.shape)
    if len(shape) < 2:
        return Head(name, traced.activation, 1)
    return Head(name, traced.activation, shape[-1] or 1, shape[1:-1])


def output_names(structure: Any, names: Sequence[str]) -> list[str]:
    """Names of the flattened outputs: keys of a dict, the model's own names, or places."""
    count = len(tf.nest.flatten(structure))
    if isinstance(structure, Mapping) and len(structure) == count:
        return [str(key) for key in sorted(structure)]
    return list(names) if len(names) == count else [str(place) for place in range(count)]


def given(outputs: Outputs) -> list[tf.Tensor]:
    """The outputs as one list of tensors, for a compiled function to return; `gathered` undoes it."""
    return [tensor for output in outputs.flat for tensor in (precise(output.logits), precise(output.value))]


def given_at(outputs: Outputs, rows: tf.Tensor) -> list[tf.Tensor]:
    """The same of some rows."""
    return [tf.gather(tensor, rows) for tensor in given(outputs)]


def gathered(columns: Sequence[tf.Tensor], structure: Any, heads: tuple[Head, ...]) -> Outputs:
    """What `given` took apart."""
    flat = [
        TracedOutput(value, logits, head.activation)
        for logits, value, head in zip(columns[::2], columns[1::2], heads, strict=True)
    ]
    return Outputs(flat, structure, heads)
