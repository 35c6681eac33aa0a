"""Compiled functions of a model, kept for as long as the model lives, and what tells one from another."""

from __future__ import annotations

import contextlib
import functools
import re
import threading
import weakref
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import tensorflow as tf


@dataclass
class Compiled:
    """The compiled functions of one model, each with what was learnt while tracing it.

    They hold the model's variables, never the model itself. `covered` are the builds of the model whose own
    tf.functions cannot be traced as plain Python; `learnt` is what was counted of each build.
    """

    lock: threading.RLock = field(default_factory=threading.RLock)
    functions: dict[Any, tuple[Traced, Any]] = field(default_factory=dict)
    covered: set[Any] = field(default_factory=set)
    learnt: dict[Any, Any] = field(default_factory=dict)

    def once(self, key: Any, count: Callable[[], Any]) -> Any:
        """What was counted under a key, or is now."""
        if key not in self.learnt:
            self.learnt[key] = count()
        return self.learnt[key]


# Keyed by the model, weakly: a model that is deleted is freed together with its functions.
_COMPILED: weakref.WeakKeyDictionary[Any, Compiled] = weakref.WeakKeyDictionary()
_COMPILED_LOCK = threading.Lock()
MOST_FUNCTIONS = 64


def compiled_of(model: Any) -> Compiled:
    """The compiled functions of a model."""
    with _COMPILED_LOCK:
        return _COMPILED.setdefault(model, Compiled())


def specs(inputs: Sequence[np.ndarray]) -> list[tf.TensorSpec]:
    """Specifications of tensors like these, of any batch size."""
    return [_free(array.shape[1:], array.dtype) for array in inputs]


@functools.lru_cache(maxsize=256)
def _free(shape: tuple[int, ...], dtype: np.dtype[Any]) -> tf.TensorSpec:
    return tf.TensorSpec([None, *shape], dtype)


class Traced:
    """A function traced for tensors of some specifications, which are handed to it in their order."""

    def __init__(self, function: Callable[..., Any], specs: Sequence[Any]) -> None:
        self._function = tf.function(function, input_signature=specs, autograph=False).get_concrete_function()
        # A public call binds and checks its arguments first, for as long as a small network takes for a pass.
        self._flat = getattr(self._function, "_call_flat", None)

    def _called(self, tensors: Sequence[tf.Tensor]) -> Any:
        if self._flat is not None:
            try:
                return self._flat(list(tensors), self._function.captured_inputs)
            except (AttributeError, TypeError):  # of another kind in this TensorFlow
                self._flat = None
        return self._function(*tensors)

    @property
    def variables(self) -> tuple[tf.Variable, ...]:
        """What it reads besides its arguments."""
        return tuple(self._function.graph.variables)

    def __call__(self, *tensors: tf.Tensor) -> Any:
        try:
            return self._called(tensors)
        except tf.errors.InvalidArgumentError as error:
            unknown = _UNKNOWN_ID.search(error.message)
            if unknown is None:
                raise
            found, count = map(int, unknown.groups())
            raise ValueError(
                f"the model looks up row {found} of a table of {count}: the inputs, or the baseline that takes their "
                "place, hold a token id that it does not know"
            ) from None


# What a look-up says on the CPU; it is met where the graph of layers does not tell which input holds the ids.
_UNKNOWN_ID = re.compile(r"indices\S* = (-?\d+) is not in \[0, (\d+)\)")


def build_of(model: Any) -> tuple[Any, ...]:
    """What a traced function of a model has in it besides variables: its layers, their activations and precision."""
    return tuple(
        (id(layer), id(getattr(layer, "activation", None)), layer.dtype_policy.name)
        for layer in model._flatten_layers(include_self=True)
    )


@contextlib.contextmanager
def attributes_kept(layers: Sequence[Any]) -> Iterator[None]:
    """Put back what layers keep of a call on themselves, where it is a tensor of the graph that was traced."""
    kept = [(layer, dict(layer.__dict__)) for layer in layers]
    try:
        yield
    finally:
        for layer, before in kept:
            for name, value in list(layer.__dict__.items()):
                if value is before.get(name) or not _is_symbolic(value):
                    continue
                if name in before:
                    layer.__dict__[name] = before[name]
                else:
                    del layer.__dict__[name]


def _is_symbolic(value: Any) -> bool:
    """Whether it is a tensor of a graph, or holds one."""
    if isinstance(value, Mapping):
        return any(map(_is_symbolic, value.values()))
    return any(map(_is_symbolic, value)) if isinstance(value, list | tuple) else bool(tf.is_symbolic_tensor(value))


@contextlib.contextmanager
def losses_kept(model: Any) -> Iterator[None]:
    """Put back the losses of the user's own last call, which Keras clears with each call."""
    kept = [(layer, list(layer._losses), set(layer._loss_ids)) for layer in model._flatten_layers(include_self=True)]
    try:
        yield
    finally:
        for layer, losses, ids in kept:
            layer._losses[:] = losses
            layer._loss_ids.clear()
            layer._loss_ids.update(ids)


def identity(function: Any) -> Any:
    """A key that stands for a function without keeping it, or a model in its closure, alive.

    What a closure holds counts: the same function over other values is compiled anew.
    """
    if function is None:
        return None
    try:
        reference: Any = weakref.WeakMethod(function) if hasattr(function, "__self__") else weakref.ref(function)
        hash(reference)
    except TypeError:
        reference = _Same(function)
    return reference, tuple(_held(cell) for cell in getattr(function, "__closure__", None) or ())


def _held(cell: Any) -> Any:
    """What a closure's variable holds: plain values as they are, all else by what it is and not by what is in it."""
    try:
        held = cell.cell_contents
    except ValueError:  # not set yet
        return None
    return (type(held), held) if isinstance(held, _PLAIN) else _Same(held)


_PLAIN = (bool, int, float, complex, str, bytes, type(None))


class _Same:
    """Equal to what holds the very same object; it keeps that alive only where it must."""

    def __init__(self, held: Any) -> None:
        self._place = id(held)
        self._get: Callable[[], Any] = lambda: held
        with contextlib.suppress(TypeError):
            self._get = weakref.ref(held)

    def __eq__(self, other: object) -> bool:
        held = self._get()
        return isinstance(other, _Same) and held is not None and held is other._get()

    def __hash__(self) -> int:
        return self._place
