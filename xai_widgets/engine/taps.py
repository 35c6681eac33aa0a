"""See or replace what layers compute while a function is being traced, without rebuilding or changing the model."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

_ABSENT = object()


@contextmanager
def tapped(layer: Any, see: Callable[[Any], Any]) -> Iterator[None]:
    """Within the context, in this thread, `layer` returns `see(output)` for each of its calls.

    The layer's `call` is shadowed on the instance and uncovered again in `finally`, so the model is whole after an
    error or an interrupt. Other threads that call the model meanwhile get its plain output. The caller holds the
    model's tracing lock: two contexts on one layer must nest, not interleave.
    """
    call, thread = layer.call, threading.get_ident()

    @functools.wraps(call)
    def seen(*args: Any, **kwargs: Any) -> Any:
        output = call(*args, **kwargs)
        return see(output) if threading.get_ident() == thread else output

    # Through __dict__: Keras tracks what is assigned to a layer as an attribute.
    before = layer.__dict__.get("call", _ABSENT)
    layer.__dict__["call"] = seen
    try:
        yield
    finally:
        if before is _ABSENT:
            layer.__dict__.pop("call", None)
        else:
            layer.__dict__["call"] = before
