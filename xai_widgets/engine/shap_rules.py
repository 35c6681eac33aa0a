"""The rules of shap's DeepExplainer within one graph, and what its explainers take for a model.

shap's own way is to exchange the derivatives that TensorFlow has registered, and the function that records operations,
for the whole process while it computes: whatever another thread traces meanwhile is wrong for good, and after an error
every gradient is. Here its rules are registered under names of their own and take the place of a derivative only in
operations of the graph that is being traced; nothing has to be restored.
"""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from xai_widgets.engine.compiled import specs
from xai_widgets.engine.gradients import CLASSES, complete
from xai_widgets.engine.model import ModelView
from xai_widgets.engine.outputs import precise
from xai_widgets.engine.score import ClassReader, Score

_TRACING = threading.local()


def multipliers(
    view: ModelView,
    score: Score,
    site: Sequence[np.ndarray],
    inputs: Sequence[np.ndarray],
    structure: Any,
    instead: str,
) -> tuple[list[np.ndarray], np.ndarray]:
    """What shap's rules make of the gradients of the score, and the scores (2 k,).

    Args:
        view: The model; where its `wrt` layer is set, `site` is what the layer's calls return.
        score: What is explained, of 2 k rows.
        site: (2 k, ...) each: k rows of samples, and their references in the same order.
        inputs: (2 k, ...) each, what the model gets where a layer's output is replaced; not read without `wrt`.
        structure: The structure that the inputs have together.
        instead: What an error says helps.

    Raises:
        ValueError: shap has no rule for an operation that the score passes through, or a rule fails.
    """
    besides = [] if view.wrt is None else list(inputs)

    def run(*tensors: tf.Tensor) -> Any:
        *bound, classes = tensors
        values, places = bound[: len(besides)], bound[len(besides) :]
        graph, rules = tf.compat.v1.get_default_graph(), _rules()
        before = len(graph.get_operations())
        with graph.gradient_override_map(_names()):
            read = _forward(view, score, values or places, places, structure, classes)
        ruled = graph.get_operations()[before:]
        scores = read()
        rules._init_between_tensors(scores.op, places)
        _refuse(rules.between_ops, ruled, instead)
        with graph.gradient_override_map(_names()):
            gradients = _derived(rules, scores, places, instead)
        return complete(gradients, places, view, scores), precise(scores)

    key = ("shap's rules", *score.key, repr(structure))
    function, _ = view.compiled(key, run, [*specs(besides), *specs(site), CLASSES])
    found, scores = function(*map(tf.constant, (*besides, *site)), tf.constant(score.classes, tf.int32))
    return [one.numpy() for one in found], scores.numpy()


def stand_in(site: Sequence[np.ndarray]) -> Any:
    """A Keras model with inputs of these shapes and one output: what shap reads shapes from. It computes nothing."""
    named = [keras.Input(array.shape[1:], dtype=array.dtype.name, name=f"x{i}") for i, array in enumerate(site)]
    return keras.Model(named, _Nothing(name="nothing", autocast=False)(named), name="stand_in")


class _Nothing(keras.layers.Layer):
    def call(self, values: Any) -> Any:
        return tf.zeros((tf.shape(tf.nest.flatten(values)[0])[0], 1))


def _forward(
    view: ModelView,
    score: Score,
    inputs: Sequence[tf.Tensor],
    places: Sequence[tf.Tensor],
    structure: Any,
    classes: tf.Tensor,
) -> Callable[[], tf.Tensor]:
    """Run the model, and hand back what gives the scores (2 k,).

    Which class is read is linear in what the model gives: that goes by plain derivatives, as shap's rule fails at it.
    """
    replacements = iter(places)

    def see(output: Any) -> Any:
        return tf.nest.map_structure(lambda tensor: tf.cast(next(replacements), tensor.dtype), output)

    with contextlib.nullcontext() if view.wrt is None else view.tap(see):
        if isinstance(score.reader, ClassReader):
            outputs = view.call(inputs, structure)
            return functools.partial(score.reader, outputs.flat, outputs.structure, classes)
        scores = view.score(score, inputs, structure, classes)
        return lambda: scores


def _refuse(between: Sequence[Any], ruled: Sequence[Any], instead: str) -> None:
    made = {op.name for op in ruled}
    lacking = {
        op.type
        for op in between
        if op.name in made and op.type not in _names() and any(one.dtype.is_floating for one in op.outputs)
    }
    if lacking:
        raise ValueError(
            f"DeepSHAP: shap's DeepExplainer has no rule for {', '.join(sorted(lacking))}, which the score passes "
            f"through; {instead}"
        )


def _derived(rules: Any, scores: tf.Tensor, places: Sequence[tf.Tensor], instead: str) -> list[Any]:
    _TRACING.rules = rules
    try:
        return tf.gradients(scores, list(places))
    except Exception as error:  # shap's rules raise errors of every kind
        raise ValueError(
            f"DeepSHAP: a rule of shap's DeepExplainer fails on this model ({error}); {instead}"
        ) from error
    finally:
        del _TRACING.rules


def _rules() -> Any:
    """An object that shap's rules can be called with, for one graph."""
    from tensorflow.python.framework import ops

    rules = _deep().TFDeep.__new__(_deep().TFDeep)
    rules.learning_phase_ops, rules._vinputs = [], {}
    rules.orig_grads = {name: ops._gradient_registry.lookup(name) for name in _names()}
    return rules


@functools.cache
def _names() -> dict[str, str]:
    """Under which name shap's rule for an operation is registered; registered when this is first asked for."""
    from tensorflow.python.framework import ops

    names = {}
    for name in _deep().op_handlers:
        try:
            ops._gradient_registry.lookup(name)
        except LookupError:  # an operation of an older TensorFlow
            continue
        names[name] = f"xai_widgets_shap_{name}"
        tf.RegisterGradient(names[name])(_by_rule)
    return names


def _by_rule(op: Any, *gradients: tf.Tensor) -> Any:
    return _TRACING.rules.custom_grad(op, *gradients)


def _deep() -> Any:
    from shap.explainers._deep import deep_tf

    return deep_tf
