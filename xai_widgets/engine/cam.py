"""Class activation maps: activations of a layer, weighted by what the score's gradient there says."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from xai_widgets.engine.model import ModelView, specs
from xai_widgets.engine.taps import tapped


def spatial_layers(view: ModelView, inputs: Sequence[np.ndarray], structure: Any) -> tuple[str, ...]:
    """Paths of the layers whose output has a channel axis and positions, more than one along each axis, in call order.

    Layers that hold others are left out: what they return is what one of theirs returns.
    """
    found: dict[str, None] = {}

    def see(path: str) -> Any:
        def note(output: Any) -> Any:
            if (
                tf.is_tensor(output)
                and (output.shape.rank or 0) > 2
                and all(size and size > 1 for size in output.shape[1:-1])
            ):
                found.pop(path, None)
                found[path] = None
            return output

        return note

    def run(*tensors: tf.Tensor) -> Any:
        with contextlib.ExitStack() as stack:
            for path, layer in view.layers.items():
                if not any(other.startswith(f"{path}/") for other in view.layers):
                    stack.enter_context(tapped(layer, see(path)))
            return [output.logits for output in view.call(tensors, structure).flat]

    _, layers = view.compiled(("spatial layers", repr(structure)), run, specs(inputs), lambda: tuple(found))
    return layers


def grad_cam(activations: np.ndarray, gradients: np.ndarray) -> np.ndarray:
    """Grad-CAM: channels weighted by the mean of their gradients over positions (Selvaraju et al., 2017).

    Args:
        activations, gradients: (n, ..., channels).

    Returns:
        (n, ...), signed.
    """
    weights = gradients.mean(axis=tuple(range(1, gradients.ndim - 1)), keepdims=True)
    return (activations * weights).sum(axis=-1)
