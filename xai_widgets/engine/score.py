"""Targets: from what a model returns to one scalar per sample, the score that is explained."""

from __future__ import annotations

import numbers
import reprlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import tensorflow as tf

from xai_widgets.declare import nearest
from xai_widgets.engine.compiled import identity
from xai_widgets.engine.outputs import Head, Outputs, TracedOutput, precise
from xai_widgets.targets import Class, Margin, Neuron, Output, Region


@dataclass(frozen=True)
class ClassReader:
    """Reads classes of an output: their sum with `signs`, averaged over `mask` where the output is dense.

    A reader is what is compiled: two scores with equal readers share their compiled functions.
    """

    head: Head
    output: int
    signs: tuple[int, ...] = (1,)
    probability: bool = False
    mask: tuple[bytes, tuple[int, ...]] | None = None

    def __call__(self, outputs: Sequence[TracedOutput], structure: Any, classes: tf.Tensor) -> tf.Tensor:
        return self.told(outputs, structure, self.chosen(outputs, classes))

    def told(self, outputs: Sequence[TracedOutput], structure: Any, classes: tf.Tensor) -> tf.Tensor:
        """The same where no class is left open; of a sample there may be several rows, one after the other."""
        self._check(outputs[self.output])
        scores = self.head.precise(outputs[self.output], self.probability)
        if self.mask is not None:
            mask = np.frombuffer(self.mask[0], bool).reshape(self.mask[1])
            scores = tf.reduce_mean(tf.boolean_mask(scores, mask, axis=1), axis=1)
        several = tf.reshape(scores, (tf.shape(classes)[0], -1, scores.shape[-1]))
        chosen = tf.reshape(tf.gather(several, classes, axis=2, batch_dims=1), (-1, len(self.signs)))
        if self.signs == (1,):
            return chosen[:, 0]
        return tf.linalg.matvec(chosen, tf.constant(self.signs, chosen.dtype))

    def _check(self, traced: TracedOutput) -> None:
        """Refuse a logit that is out of sight, as the layer that computes it gives something else in its place."""
        if self.head.activation is not None and traced.activation is None and not self.probability:
            raise ValueError(
                f"the score is the logit, what enters the final {self.head.activation}, and the layer comes after it: "
                "name an earlier layer, or explain the probability (probability=True)"
            )

    def chosen(self, outputs: Sequence[TracedOutput], classes: tf.Tensor) -> tf.Tensor:
        """The classes, with what the model predicts in the place of PREDICTED."""
        if self.mask is not None or self.signs != (1,):
            return classes
        scores = self.head.precise(outputs[self.output], self.probability)
        best = tf.argmax(scores, axis=-1, output_type=tf.int32)[:, None]
        return tf.where(classes < 0, best, classes)

    @property
    def name(self) -> str:
        if self.head.activation is None:
            return "output"
        return "probability" if self.probability else "logit"

    def notes(self) -> tuple[str, ...]:
        activation = self.head.activation
        if activation is None:
            if self.probability:
                return (
                    "probability=True could not be met, as no final softmax or sigmoid was found: the score is the "
                    "model's output as it is.",
                )
            if self.head.units == 1:
                return ()
            return ("No final softmax or sigmoid was found: the score is the model's output as it is.",)
        if self.probability:
            return ("The score is the probability, not the logit.",)
        return (f"The score is the logit: the model's final {activation} is left out.",)


@dataclass(frozen=True)
class FunctionReader:
    """Any function of the outputs, which it gets without their final activation, in the model's structure."""

    key: Any
    function: Any = field(compare=False)
    name = "target function"

    def __call__(self, outputs: Sequence[TracedOutput], structure: Any, classes: tf.Tensor) -> tf.Tensor:
        score = self.function(tf.nest.pack_sequence_as(structure, [precise(output.logits) for output in outputs]))
        if not tf.is_tensor(score) or score.shape.rank != 1:
            shape = getattr(score, "shape", type(score).__name__)
            raise ValueError(f"target must return one scalar per sample, shape (N,), got {shape}")
        return precise(score)

    told = __call__

    def notes(self) -> tuple[str, ...]:
        return ()


@dataclass(frozen=True)
class NeuronReader:
    """What a layer computes: a channel averaged over its positions, or one unit."""

    layer: str
    index: int | tuple[int, ...]
    name = "activation"

    def of_layer(self, calls: Sequence[tf.Tensor]) -> tf.Tensor:
        """The scores (n,), from what the layer's calls gave."""
        if len(calls) != 1:
            raise ValueError(f"Neuron.layer {self.layer!r} is called {len(calls)} times: its output is not one thing")
        output = precise(calls[0])
        sizes = tuple(output.shape[1:])
        index = self.index if isinstance(self.index, tuple) else (self.index,)
        wanted = sizes if isinstance(self.index, tuple) else sizes[-1:]
        fits = len(index) == len(wanted) and all(
            size is None or 0 <= place < size for place, size in zip(index, wanted, strict=True)
        )
        if not fits:
            raise ValueError(f"Neuron.index must lie within {wanted} of layer {self.layer!r}, got {self.index}")
        if isinstance(self.index, tuple):
            return output[(slice(None), *index)]
        return tf.reduce_mean(output[..., self.index], axis=tuple(range(1, output.shape.rank - 1)))

    def notes(self) -> tuple[str, ...]:
        return ()


@dataclass(frozen=True, eq=False)
class Score:
    """One scalar per sample.

    Attributes:
        reader: How it is read from the model.
        classes: (N, K) int, the classes that the reader reads for each sample; a tensor argument of every compiled
            function, so that a new class never retraces. K is 0 where no class is read; PREDICTED stands for the class
            that the model will predict.
        labels: What is explained of each sample, in words.
        asked: Whether the model was asked for its outputs at the samples already.
    """

    reader: ClassReader | FunctionReader | NeuronReader
    classes: np.ndarray
    labels: tuple[str, ...]
    asked: bool = False

    @property
    def key(self) -> tuple[Any, ...]:
        """What tells two compiled functions of scores apart."""
        reader = self.reader
        return (reader.key,) if isinstance(reader, FunctionReader) else (reader,)

    @property
    def targets(self) -> np.ndarray:
        """(N,) the class of each sample, -1 where it is not the score of one class that is explained."""
        reader = self.reader
        if isinstance(reader, ClassReader) and len(reader.signs) == 1 and reader.mask is None:
            return self.classes[:, 0]
        return np.full(len(self.classes), -1)

    @property
    def is_open(self) -> bool:
        """Whether only the model can tell the class of a sample."""
        return isinstance(self.reader, ClassReader) and bool((self.classes == PREDICTED).any())

    def told(self, outputs: Outputs, names: Sequence[str]) -> Score:
        """The same score with the predicted classes in place, from what the model gives for the samples."""
        if not isinstance(self.reader, ClassReader) or not self.is_open:
            return self
        scores = self.reader.head.precise(outputs.flat[self.reader.output], probability=False).numpy()
        classes = np.where(self.classes == PREDICTED, scores.argmax(axis=-1)[:, None], self.classes)
        labels = tuple(named(index, names) for index in classes[:, 0])
        return replace(self, classes=classes, labels=labels, asked=True)

    def predicted(self, outputs: Outputs) -> np.ndarray | None:
        """(n,) the classes that the model predicts, None where no single class of its output is explained."""
        reader = self.reader
        if not isinstance(reader, ClassReader) or reader.mask is not None or len(reader.signs) != 1:
            return None
        if reader.head.classes < 2:
            return None
        return reader.head.precise(outputs.flat[reader.output], probability=False).numpy().argmax(axis=-1)

    def repeated(self, times: int) -> Score:
        """The same score with each sample several times over."""
        labels = tuple(label for label in self.labels for _ in range(times))
        return replace(self, classes=np.repeat(self.classes, times, axis=0), labels=labels)

    def rows(self, rows: slice) -> Score:
        """The score of some of the samples."""
        return replace(self, classes=self.classes[rows], labels=self.labels[rows])


PREDICTED = -1


def resolve(
    target: Any,
    heads: tuple[Head, ...],
    count: int,
    names: Sequence[str],
    probability: bool,
    find_layer: Callable[[str], str],
) -> Score:
    """The score that a target stands for.

    Args:
        target: None (the predicted class), an int, a class name, one of these per sample, a `Target`, or a callable
            `outputs -> (N,)`.
        heads: The outputs of the model.
        count: Number of samples.
        names: Class names, empty where unknown.
        probability: Explain the probability instead of the logit.
        find_layer: From the name of a layer to its path.

    Raises:
        TypeError: The target is of none of these forms.
        ValueError: A class, name or layer is unknown, the number of targets is wrong, or the output has no classes.
    """
    if callable(target):
        nothing = np.zeros((count, 0), np.int32)
        if probability:
            raise ValueError(
                "probability=True needs a class: a target function gets the outputs before their activation"
            )
        return Score(FunctionReader(identity(target), target), nothing, ("the target function",) * count)
    if isinstance(target, Neuron):
        path = find_layer(target.layer)
        label = f"{path}[{target.index}]"
        return Score(NeuronReader(path, target.index), np.zeros((count, 0), np.int32), (label,) * count)
    place, head = _output(target, heads)
    if isinstance(target, Output):
        target = target.index
    if isinstance(target, Class):
        target = target.index
    reader = ClassReader(head, place, probability=probability)
    if isinstance(target, Region):
        if not head.positions:
            raise ValueError(f"Region needs an output with positions, (N, H, W, classes); {head.name!r} has none")
        if target.mask.shape != head.positions:
            raise ValueError(f"Region.mask must have the shape {head.positions} of the output, got {target.mask.shape}")
        reader = replace(reader, mask=(target.mask.tobytes(), target.mask.shape))
        target = target.index
    elif head.positions:
        raise ValueError(
            f"the output {head.name!r} has shape {(None, *head.positions, head.units)}, not one row of classes per "
            f"sample: target must be Region(mask, class) or a callable `outputs -> (N,)`, got {target!r}"
        )
    if isinstance(target, Margin):
        pair = [_class_index(one, head, names) for one in (target.first, target.second)]
        label = f"{named(pair[0], names)} rather than {named(pair[1], names)}"
        return Score(replace(reader, signs=(1, -1)), np.tile(np.array(pair, np.int32), (count, 1)), (label,) * count)
    if names and len(names) != head.classes:
        raise ValueError(f"names must name the {head.classes} classes of the model, got {len(names)} names")
    classes = _classes(target, head, names, count)
    labels = tuple("the output" if head.classes == 1 and not names else named(index, names) for index in classes)
    return Score(reader, classes[:, None].astype(np.int32), labels)


def _output(target: Any, heads: tuple[Head, ...]) -> tuple[int, Head]:
    known = [head.name for head in heads]
    if isinstance(target, Output):
        if isinstance(target.name, str) and target.name in known:
            place = known.index(target.name)
        elif isinstance(target.name, numbers.Integral) and 0 <= int(target.name) < len(heads):
            place = int(target.name)
        else:
            raise ValueError(f"Output.name {target.name!r} is no output of the model{nearest(target.name, known)}")
        return place, heads[place]
    if len(heads) > 1:
        listed = ", ".join(map(repr, known))
        raise ValueError(
            f"the model has several outputs ({listed}): target must be Output({known[0]!r}, index) or a callable "
            f"`outputs -> (N,)`, got {target!r}"
        )
    return 0, heads[0]


def _classes(target: Any, head: Head, names: Sequence[str], count: int) -> np.ndarray:
    if target is None:
        return np.full(count, PREDICTED if head.classes > 1 else 0)
    if isinstance(target, np.ndarray) and target.ndim == 0:
        target = target.item()
    if isinstance(target, numbers.Integral | str):
        return np.full(count, _class_index(target, head, names))
    if isinstance(target, Sequence | np.ndarray):
        if len(target) != count:
            raise ValueError(f"target must be one class or one per sample ({count}), got {len(target)}")
        if isinstance(target, np.ndarray) and target.ndim > 1:
            raise TypeError(
                f"target must be one class per sample, got an array of shape {target.shape}: of a one-hot target give "
                "its argmax"
            )
        return np.array([_class_index(one, head, names) for one in target])
    raise TypeError(
        f"target must be None, a class, one class per sample, a Target or a callable, got {reprlib.repr(target)}"
    )


def _class_index(target: Any, head: Head, names: Sequence[str]) -> int:
    if isinstance(target, str):
        if target not in names:
            hint = nearest(target, names) if names else "; give names=[...] to use class names"
            raise ValueError(f"target {target!r} is no class name{hint}")
        same = [place for place, name in enumerate(names) if name == target]
        if len(same) > 1:
            raise ValueError(f"target {target!r} names {len(same)} classes: give one of {', '.join(map(str, same))}")
        (target,) = same
    if isinstance(target, bool) or not isinstance(target, numbers.Integral):
        raise TypeError(f"target must be an integer class, got {reprlib.repr(target)}")
    if not 0 <= int(target) < head.classes:
        allowed = f"0 to {head.classes - 1}" if head.classes > 1 else "0, the model's only value"
        raise ValueError(f"target must be {allowed}, got {target}")
    return int(target)


def named(index: int, names: Sequence[str]) -> str:
    """A class in words."""
    if index == PREDICTED:
        return "the predicted class"
    return names[index] if index < len(names) else f"class {index}"
