"""Targets: from what a model returns to one scalar per sample, the score that is explained."""

from __future__ import annotations

import numbers
import weakref
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from xai_widgets.declare import nearest

_ACTIVATIONS = {"Softmax": "softmax", "LogSoftmax": "log-softmax", "Sigmoid": "sigmoid"}
_TRANSPARENT = {"Identity", "Cast", "Reshape"}


@dataclass(frozen=True)
class TracedOutput:
    """One output of a model while it is traced: as returned, what enters its final activation, and which that is."""

    value: tf.Tensor
    logits: tf.Tensor
    activation: str | None


def before_activation(value: tf.Tensor) -> TracedOutput:
    """Find what enters the final softmax, log-softmax or sigmoid of a symbolic tensor, by reading the traced graph."""
    seen = value
    while seen.op.type in _TRANSPARENT:
        seen = seen.op.inputs[0]
    activation = _ACTIVATIONS.get(seen.op.type)
    if activation is None:
        return TracedOutput(value, value, None)
    return TracedOutput(value, tf.reshape(seen.op.inputs[0], tf.shape(value)), activation)


def identity(function: Any) -> Any:
    """A key that stands for a function without keeping it, or a model in its closure, alive."""
    if function is None:
        return None
    try:
        return weakref.WeakMethod(function) if hasattr(function, "__self__") else weakref.ref(function)
    except TypeError:
        return function


class Head(NamedTuple):
    """What is known of an output without data.

    `units` is the width of an output of shape (N, units), 1 for (N,), and None for any other shape.
    """

    name: str
    activation: str | None
    units: int | None

    @property
    def classes(self) -> int | None:
        """How many classes a target may name; a single sigmoid unit stands for two."""
        return 2 if self.is_binary else self.units

    @property
    def is_binary(self) -> bool:
        return self.units == 1 and self.activation == "sigmoid"


@dataclass(frozen=True, eq=False)
class Score:
    """One scalar per sample: the logit of a class (or its probability), or any function of the outputs.

    Attributes:
        head: The output that is explained.
        output: Its place among the flattened outputs.
        classes: (N,) int, the class of each sample; -1 where `function` decides. A tensor argument of every
            compiled function, so that a new class never retraces.
        probability: Keep the final activation.
        function: `outputs -> (N,)`, given the outputs without their final activation, in the model's structure.
    """

    head: Head
    output: int
    classes: np.ndarray
    probability: bool = False
    function: Callable[[Any], Any] | None = None

    @property
    def key(self) -> tuple[Any, ...]:
        """What tells two compiled functions of scores apart."""
        return (self.output, self.probability, identity(self.function))

    @property
    def name(self) -> str:
        """What the number is: "logit", "probability", "output" or "target function"."""
        if self.function is not None:
            return "target function"
        if self.head.activation is None:
            return "output"
        return "probability" if self.probability else "logit"

    def notes(self) -> tuple[str, ...]:
        """Plain sentences about the score's convention."""
        if self.function is not None:
            return ()
        if self.head.activation is None:
            return ("No final softmax or sigmoid was found, so the score is the model's output as it is.",) * (
                self.head.units != 1 or self.probability
            )
        if self.probability:
            return ("The score is the probability: where it is near 0 or 1 its gradient vanishes, whatever matters.",)
        return (f"The score is the logit: the model's final {self.head.activation} is left out.",)

    def rows(self, rows: slice) -> Score:
        """The score of some of the samples."""
        return replace(self, classes=self.classes[rows])

    def of(self, outputs: Sequence[TracedOutput], structure: Any, classes: tf.Tensor) -> tf.Tensor:
        """The scores, shape (n,) float, while tracing.

        Args:
            outputs: The flattened outputs of the model.
            structure: The model's own structure of outputs.
            classes: (n,) int32.

        Raises:
            ValueError: `function` did not return one scalar per sample.
        """
        if self.function is not None:
            score = self.function(tf.nest.pack_sequence_as(structure, [precise(output.logits) for output in outputs]))
            if not tf.is_tensor(score) or score.shape.rank != 1:
                shape = getattr(score, "shape", type(score).__name__)
                raise ValueError(f"target must return one scalar per sample, shape (N,), got {shape}")
            return precise(score)
        traced = outputs[self.output]
        tensor = precise(traced.value if self.probability else traced.logits)
        if self.probability and traced.activation == "log-softmax":
            tensor = tf.exp(tensor)
        if tensor.shape.rank == 1:
            tensor = tensor[:, None]
        if self.head.is_binary:
            positive = tensor[:, 0]
            return tf.where(classes == 1, positive, 1 - positive if self.probability else -positive)
        return tf.gather(tensor, classes, axis=1, batch_dims=1)


def precise(tensor: tf.Tensor) -> tf.Tensor:
    """The tensor in float32, or float64 where it is."""
    return tensor if tensor.dtype == tf.float64 else tf.cast(tensor, tf.float32)


def predicted(head: Head, logits: np.ndarray) -> np.ndarray:
    """The predicted class of each sample, (N,) int, from the (N, units) or (N,) logits of an output."""
    if head.units == 1:
        positive = logits.reshape(len(logits)) > 0
        return positive.astype(np.int64) if head.is_binary else np.zeros(len(logits), np.int64)
    return logits.argmax(axis=1)


def resolve(
    target: Any, heads: Sequence[Head], outputs: Sequence[TracedOutput], names: Sequence[str], probability: bool
) -> Score:
    """The score that a target stands for.

    Args:
        target: None (the predicted class), an int, a class name, one of these per sample, or a callable
            `outputs -> (N,)`.
        heads: The model's outputs.
        outputs: What they give for the samples, (N, ...) each.
        names: Class names, empty where unknown.
        probability: Explain the probability instead of the logit.

    Raises:
        TypeError: The target is of none of these forms.
        ValueError: A class or name is unknown, the number of targets is wrong, or the output has no classes.
    """
    logits = [output.logits.numpy() for output in outputs]
    count = len(logits[0])
    if callable(target):
        return Score(heads[0], 0, np.full(count, -1), probability, target)
    if len(heads) > 1:
        listed = ", ".join(repr(head.name) for head in heads)
        raise ValueError(
            f"the model has several outputs ({listed}): target must be a callable that picks a value per sample, "
            f"such as `lambda outputs: outputs[...][:, 0]`, got {target!r}"
        )
    head = heads[0]
    if head.units is None:
        raise ValueError(
            f"the model's output has shape {(None, *logits[0].shape[1:])}, not one row of classes per sample: "
            f"target must be a callable `outputs -> (N,)`, got {target!r}"
        )
    if target is None:
        return Score(head, 0, predicted(head, logits[0]), probability)
    if isinstance(target, numbers.Integral | str):
        classes = np.full(count, _class_index(target, head, names))
    elif isinstance(target, Sequence | np.ndarray):
        if len(target) != count:
            raise ValueError(f"target must be one class or one per sample ({count}), got {len(target)}")
        classes = np.array([_class_index(one, head, names) for one in target])
    else:
        raise TypeError(f"target must be None, a class, one class per sample or a callable, got {target!r}")
    return Score(head, 0, classes, probability)


def _class_index(target: Any, head: Head, names: Sequence[str]) -> int:
    if isinstance(target, str):
        if target not in names:
            hint = nearest(target, names) if names else "; give names=[...] to use class names"
            raise ValueError(f"target {target!r} is no class name{hint}")
        return list(names).index(target)
    if isinstance(target, bool) or not isinstance(target, numbers.Integral):
        raise TypeError(f"target must be an integer class, got {target!r}")
    assert head.classes is not None
    if not 0 <= int(target) < head.classes:
        allowed = f"0 to {head.classes - 1}" if head.classes > 1 else "0, the model's only value"
        raise ValueError(f"target must be {allowed}, got {target}")
    return int(target)
