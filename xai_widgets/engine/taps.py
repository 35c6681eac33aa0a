"""See or replace what layers compute while a function is being traced, without rebuilding or changing the model."""

from __future__ import annotations

import contextlib
import functools
import re
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

    with shadowed(layer, {"call": seen}):
        yield


_MARK = re.compile(r"xai-(\d+)\.")


@contextmanager
def marked(layers: Iterable[Any]) -> Iterator[None]:
    """Within the context, in this thread, the names of the operations of a layer say whose they are: see `marks`."""
    where = _here()
    with contextlib.ExitStack() as stack:
        for place, layer in enumerate(layers):
            stack.enter_context(shadowed(layer, {"call": _scoped(layer.call, f"xai-{place}.", where)}))
        yield


def _scoped(call: Callable[..., Any], scope: str, where: tuple[int, int]) -> Callable[..., Any]:
    @functools.wraps(call)
    def run(*args: Any, **kwargs: Any) -> Any:
        if _here() != where:
            return call(*args, **kwargs)
        with tf.name_scope(scope):
            return call(*args, **kwargs)

    return run


def marks(name: str) -> list[int]:
    """The places of the layers that an operation with this name belongs to, the innermost last."""
    return [int(place) for place in _MARK.findall(name)]


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
                name: this_thread_only(covered.python_function.__get__(layer), getattr(layer, name))
                for name, covered in methods[type(layer)].items()
                if name not in layer.__dict__
            }
            for name, covered in layer.__dict__.items():
                if isinstance(covered, _FUNCTION):
                    plain[name] = this_thread_only(covered.python_function, covered)
            if plain:
                stack.enter_context(shadowed(layer, plain))
        yield


def _functions(cls: type) -> dict[str, Any]:
    """The methods of a class that are tf.functions."""
    found: dict[str, Any] = {}
    for base in reversed(cls.__mro__):
        found.update(base.__dict__)
    return {name: value for name, value in found.items() if isinstance(value, _FUNCTION)}


def this_thread_only(plain: Callable[..., Any], elsewhere: Callable[..., Any]) -> Callable[..., Any]:
    """A function that is `plain` in this thread and `elsewhere` in others."""
    thread = threading.get_ident()

    @functools.wraps(plain)
    def run(*args: Any, **kwargs: Any) -> Any:
        return (plain if threading.get_ident() == thread else elsewhere)(*args, **kwargs)

    return run


@contextmanager
def shadowed(layer: Any, attributes: dict[str, Any]) -> Iterator[None]:
    """Within the context, attributes of a layer are other ones."""
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
