"""Gradients of a score with respect to the raw inputs, or to the output of a layer: the site."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from xai_widgets.engine.model import ModelView, specs
from xai_widgets.engine.score import Score, precise

CLASSES = tf.TensorSpec([None, None], tf.int32)


def gradient(
    view: ModelView, score: Score, inputs: Sequence[np.ndarray], structure: Any
) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Gradients of the score, and the values with respect to which they were taken.

    Args:
        view: The model; its `wrt` layer, where set, is what the gradient is with respect to.
        score: What is differentiated.
        inputs: As the compiled functions take them, (n, ...) each.
        structure: The structure that the inputs have together.

    Returns:
        For each input (or call of the layer) an array of its shape, twice.

    Raises:
        ValueError: The score does not depend on any of them by any differentiable way.
    """

    def run(*tensors: tf.Tensor) -> Any:
        *values, classes = tensors
        gradients, site = differentiate(view, score, values, structure, classes)
        return gradients, [precise(tensor) for tensor in site]

    key = ("gradient", *score.key, repr(structure))
    function, _ = view.compiled(key, run, [*specs(inputs), CLASSES])
    gradients, site = function(*map(tf.constant, inputs), tf.constant(score.classes, tf.int32))
    return [tensor.numpy() for tensor in gradients], [tensor.numpy() for tensor in site]


def differentiate(
    view: ModelView, score: Score, values: Sequence[tf.Tensor], structure: Any, classes: tf.Tensor
) -> tuple[list[tf.Tensor], list[tf.Tensor]]:
    """Gradients at the site and the site's values, while tracing."""
    site: list[tf.Tensor] = []
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        if view.wrt is None:
            site.extend(values)
            tape.watch(site)
            scores = view.score(score, values, structure, classes)
        else:

            def see(output: Any) -> Any:
                flat = tf.nest.flatten(output)
                tape.watch(flat)
                site.extend(flat)
                return output

            with view.tap(see):
                scores = view.score(score, values, structure, classes)
    return complete(tape.gradient(scores, site), site, view), site


def layer_output(view: ModelView, inputs: Sequence[np.ndarray], structure: Any) -> list[np.ndarray]:
    """What the `wrt` layer returns, an array (n, ...) for each of its calls and outputs."""

    def run(*tensors: tf.Tensor) -> Any:
        outputs: list[tf.Tensor] = []

        def see(output: Any) -> Any:
            outputs.extend(precise(tensor) for tensor in tf.nest.flatten(output))
            return output

        with view.tap(see):
            view.call(tensors, structure)
        if not outputs:
            raise ValueError(f"wrt: the model does not call layer {view.wrt!r}")
        return outputs

    function, _ = view.compiled(("layer output", repr(structure)), run, specs(inputs))
    return [tensor.numpy() for tensor in function(*map(tf.constant, inputs))]


def complete(gradients: Sequence[Any], site: Sequence[tf.Tensor], view: ModelView) -> list[tf.Tensor]:
    """The gradients as tensors, zeros for an array of the site that the score does not depend on.

    Raises:
        ValueError: The score depends on none.
    """
    if all(one is None for one in gradients):
        raise ValueError(no_gradient(view))
    return [
        precise(tf.zeros_like(value) if one is None else tf.convert_to_tensor(one))
        for one, value in zip(gradients, site, strict=True)
    ]


def no_gradient(view: ModelView) -> str:
    """Why there is no gradient, and what to do."""
    if view.wrt is not None:
        return f"the score does not depend on the output of layer {view.wrt!r} by any differentiable way"
    embeddings = [path for path, layer in view.layers.items() if type(layer).__name__ == "Embedding"]
    hint = f"; for token ids give wrt={embeddings[0]!r}" if embeddings else ""
    return f"the score of model {view.name!r} does not depend on its input by any differentiable way{hint}"
