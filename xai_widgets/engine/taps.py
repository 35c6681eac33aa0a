"""See or replace what layers compute while a function is being traced, without rebuilding or changing the model."""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import tensorflow as tf

_ABSENT = object()
_FUNCTION = tf.types.experimental.PolymorphicFunction


@contextmanager
def tapped(layer: Any, see: Callable[[Any], Any]) -> Iterator[None]:
    """Within the context, in this thread, `layer` returns `see(output)` for each of its calls.

    The layer's `call` is shadowed on the instance and uncovered again in `finally`, so the model is whole after an
    error or an interrupt. Other threads that call the model meanwhile get its plain output, and so does a graph within
    the one that is being traced (a loop, a tf.function of the user's): what it computes stays in there. The caller
    holds the model's tracing lock: two contexts on one layer must nest, not interleave.
    """
    call, where = layer.call, _here()

    @functools.wraps(call)
    def seen(*args: Any, **kwargs: Any) -> Any:
        output = call(*args, **kwargs)
        return see(output) if _here() == where else output

    with _shadowed(layer, {"call": seen}):
        yield


def _here() -> tuple[int, int]:
    return threading.get_ident(), id(tf.compat.v1.get_default_graph())


@contextmanager
def uncovered(layers: Iterable[Any]) -> Iterator[None]:
    """Within the context, in this thread, a `tf.function` that a layer has as method or attribute runs as plain Python.

    What happens within a function of its own is out of reach for taps, and what is traced into it would stay there and
    come back in the user's next call. The caller holds the model's tracing lock.
    """
    methods: dict[type, dict[str, Any]] = {}
    with contextlib.ExitStack() as stack:
        for layer in layers:
            if type(layer) not in methods:
                methods[type(layer)] = _functions(type(layer))
            plain = {
                name: _in_this_thread(covered.python_function.__get__(layer), getattr(layer, name))
                for name, covered in methods[type(layer)].items()
                if name not in layer.__dict__
            }
            for name, covered in layer.__dict__.items():
                if isinstance(covered, _FUNCTION):
                    plain[name] = _in_this_thread(covered.python_function, covered)
            if plain:
                stack.enter_context(_shadowed(layer, plain))
        yield


def _functions(cls: type) -> dict[str, Any]:
    """The methods of a class that are tf.functions."""
    found: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        found.update(base.__dict__)
    return {name: value for name, value in found.items() if isinstance(value, _FUNCTION)}


def _in_this_thread(plain: Callable[..., Any], elsewhere: Callable[..., Any]) -> Callable[..., Any]:
    thread = threading.get_ident()

    @functools.wraps(plain)
    def run(*args: Any, **kwargs: Any) -> Any:
        return (plain if threading.get_ident() == thread else elsewhere)(*args, **kwargs)

    return run


@contextmanager
def _shadowed(layer: Any, attributes: dict[str, Any]) -> Iterator[None]:
    # Through __dict__: Keras tracks what is assigned to a layer as an attribute.
    before = {name: layer.__dict__.get(name, _ABSENT) for name in attributes}
    try:
        layer.__dict__.update(attributes)
        yield
    finally:
        for name, value in before.items():
            if value is _ABSENT:
                layer.__dict__.pop(name, None)
            else:
                layer.__dict__[name] = value
