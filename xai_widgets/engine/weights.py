"""Layers with weights in the order of their calls, and fresh weights for them."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from typing import Any

import keras
import numpy as np

from xai_widgets.engine.compiled import specs
from xai_widgets.engine.model import ModelView
from xai_widgets.engine.taps import tapped


def weighted_layers(view: ModelView, inputs: Sequence[np.ndarray], structure: Any) -> tuple[str, ...]:
    """Paths of the layers that hold weights of their own, in the order of their last calls.

    A layer that is never called itself (the cell of an LSTM) counts as called with the one that holds it; layers that
    only hold statistics of data, such as `Normalization`, have nothing that was learnt and are left out.

    Raises:
        ValueError: The model uses weights where taps do not reach.
    """
    calls: list[str] = []

    def see(path: str) -> Any:
        def note(output: Any) -> Any:
            calls.append(path)
            return output

        return note

    def run(*tensors: Any) -> Any:
        with contextlib.ExitStack() as stack:
            for path, layer in view.layers.items():
                stack.enter_context(tapped(layer, see(path)))
            return [output.logits for output in view.call(tensors, structure).flat]

    function, order = view.compiled(("calls", repr(structure)), run, specs(inputs), lambda: tuple(calls))
    last = {path: place for place, path in enumerate(order)}
    owners = {path: _called(path, last) for path, layer in view.layers.items() if layer._trainable_variables}
    used = {id(variable) for variable in function.variables}
    for path in owners:
        if owners[path] not in last and any(id(one.value) in used for one in own_variables(view.layers[path])):
            raise ValueError(
                f"layer {path!r} is called in a tf.function where its weights cannot be replaced: one that is no "
                "method or attribute of a layer, or that uses a tensor as a Python bool"
            )
    return tuple(sorted((path for path in owners if owners[path] in last), key=lambda path: last[owners[path]]))


def _called(path: str, last: dict[str, int]) -> str:
    """The layer itself, or the nearest one around it that is called."""
    while path not in last and "/" in path:
        path = path.rpartition("/")[0]
    return path


def own_variables(layer: Any) -> list[Any]:
    """The Keras variables of a layer, without those of layers within it and without states of random generators."""
    return [*layer._trainable_variables, *layer._non_trainable_variables]


def fresh_weights(layer: Any, seed: Sequence[int]) -> Iterator[tuple[Any, np.ndarray]]:
    """The variables of a layer, each with a value as its initializer draws it; statistics of batch norm included."""
    for place, variable in enumerate(own_variables(layer)):
        draw = int(np.random.SeedSequence([*seed, place]).generate_state(1)[0] >> 1)
        value = _initializer(layer, variable, draw)(tuple(variable.shape), dtype=variable.dtype)
        yield variable, keras.ops.convert_to_numpy(value)


def _initializer(layer: Any, variable: Any, seed: int) -> Any:
    """What draws a variable: the layer's initializer of that name with another seed, else Keras's own defaults."""
    name = variable.name
    for attribute in (f"{name}_initializer", f"{name.removesuffix('_kernel')}_initializer"):
        found = getattr(layer, attribute, None)
        if isinstance(found, keras.initializers.Initializer):
            config = found.get_config()
            return type(found).from_config({**config, "seed": seed} if "seed" in config else config)
    if len(variable.shape) > 1:
        return keras.initializers.GlorotUniform(seed=seed)
    return keras.initializers.Ones() if any(word in name for word in _NEUTRAL) else keras.initializers.Zeros()


_NEUTRAL = ("gamma", "scale", "variance")  # what multiplies or divides starts at 1
