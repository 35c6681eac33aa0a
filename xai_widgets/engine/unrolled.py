"""Recurrent layers step by step instead of in a loop, for what reads the traced graph."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import keras

from xai_widgets.engine.taps import shadowed, this_thread_only

# Each step is traced for itself, and so is its way back: at some point that takes longer than anyone waits.
LONGEST = 128
_LOOPS = {cls.inner_loop for cls in (keras.layers.RNN, keras.layers.LSTM, keras.layers.GRU)}


@contextmanager
def unrolled(layers: Iterable[Any]) -> Iterator[None]:
    """Within the context, in this thread, recurrent layers trace their steps one after another.

    A layer stays a loop where the number of steps is unknown or over `LONGEST`, and where its class loops in a way of
    its own. The caller holds the model's tracing lock.
    """
    with contextlib.ExitStack() as stack:
        for layer in layers:
            if getattr(type(layer), "inner_loop", None) in _LOOPS:
                loop = this_thread_only(_by_steps(layer), layer.inner_loop)
                stack.enter_context(shadowed(layer, {"inner_loop": loop}))
        yield


def _by_steps(layer: Any) -> Callable[..., Any]:
    @functools.wraps(layer.inner_loop)
    def run(sequences: Any, initial_state: Any, mask: Any = None, training: bool = False) -> Any:
        mask = mask[0] if isinstance(mask, list | tuple) else mask  # as the loops of LSTM and GRU have it
        steps = sequences.shape[1]
        if steps is None or steps > LONGEST:
            return type(layer).inner_loop(layer, sequences, initial_state, mask, training)
        return keras.layers.RNN.inner_loop(_Unrolled(layer), sequences, initial_state, mask, training)

    return run


class _Unrolled:
    """A recurrent layer that says of itself that it is unrolled; the layer itself is left as it is."""

    unroll = True

    def __init__(self, layer: Any) -> None:
        self._layer = layer

    def __getattr__(self, name: str) -> Any:
        return getattr(self._layer, name)
