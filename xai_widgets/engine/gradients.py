"""Gradients of a score with respect to the raw inputs, or to the output of a layer: the site."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from xai_widgets.engine.compiled import specs
from xai_widgets.engine.model import ModelView
from xai_widgets.engine.outputs import Head, Outputs, gathered, given, precise, reaches
from xai_widgets.engine.rules import Overriding, Reach, Rules
from xai_widgets.engine.score import Score
from xai_widgets.engine.taps import marked, tapped

CLASSES = tf.TensorSpec([None, None], tf.int32)


class Gradient(NamedTuple):
    """Gradients at the site, the values there, the scores (n,), and what else the same pass of the model gave.

    `reach` tells where rules held, where there were some.
    """

    gradients: list[np.ndarray]
    site: list[np.ndarray]
    scores: np.ndarray
    outputs: Outputs
    reach: Reach | None = None


def gradient(
    view: ModelView, score: Score, inputs: Sequence[np.ndarray], structure: Any, rules: Rules | None = None
) -> Gradient:
    """Gradients of the score, by one pass.

    Args:
        view: The model; its `wrt` layer, where set, is what the gradient is with respect to.
        score: What is differentiated.
        inputs: As the compiled functions take them, (n, ...) each.
        structure: The structure that the inputs have together.
        rules: Which operations have another derivative than their own; None for the plain gradient.

    Raises:
        ValueError: The score does not depend on the site by any differentiable way.
    """
    if view.wrt is not None and rules is None and len(view.group) > 1:
        return gradients_of_group(view, score, inputs, structure).of(view.wrt)
    traced: list[Outputs] = []
    overriding = None if rules is None else Overriding(rules, ("", *view.layers))

    def run(*tensors: tf.Tensor) -> Any:
        *values, classes = tensors
        gradients, site, scores, outputs = differentiate(view, score, values, structure, classes, derivative=overriding)
        traced.append(outputs)
        return gradients, [precise(tensor) for tensor in site], scores, given(outputs)

    def fact() -> tuple[Any, tuple[Head, ...], Reach | None]:
        return traced[-1].structure, traced[-1].heads, None if overriding is None else overriding.reach

    key = ("gradient", *score.key, repr(structure), rules and rules.name)
    function, (template, heads, reach) = view.compiled(key, run, [*specs(inputs), CLASSES], fact)
    gradients, site, scores, columns = function(*map(tf.constant, inputs), tf.constant(score.classes, tf.int32))
    outputs = gathered(columns, template, heads)
    return Gradient([one.numpy() for one in gradients], [one.numpy() for one in site], scores.numpy(), outputs, reach)


@dataclass(frozen=True)
class Gradients:
    """What `gradient` gives of each layer of a group, by one pass; arrays are made of what is asked for."""

    view: ModelView
    layers: dict[str, tuple[list[tf.Tensor], list[tf.Tensor]]]
    unreached: frozenset[str]
    reached: frozenset[str]
    scores: np.ndarray
    outputs: Outputs

    def site(self, layer: str) -> list[np.ndarray]:
        """What a layer returns, (n, ...) for each of its calls."""
        return [one.numpy() for one in self.layers[layer][1]]

    def of(self, layer: str) -> Gradient:
        """The same as `gradient` gives of a layer alone."""
        if layer in self.unreached:
            raise ValueError(no_gradient(self.view.at(layer), layer in self.reached))
        slopes = [one.numpy() for one in self.layers[layer][0]]
        return Gradient(slopes, self.site(layer), self.scores, self.outputs)


def gradients_of_group(view: ModelView, score: Score, inputs: Sequence[np.ndarray], structure: Any) -> Gradients:
    """Gradients of the score with respect to each layer of a view's group, by one pass or the one that it recalls.

    Args:
        view, score, inputs, structure: As in `gradient`; the view is at a layer.
    """
    group = view.group
    kept: Gradients | None = None if view.recall is None else view.recall.found
    if kept is not None and tuple(kept.layers) == group:
        return kept
    traced: list[tuple[Outputs, frozenset[str], frozenset[str]]] = []

    def run(*tensors: tf.Tensor) -> Any:
        *values, classes = tensors
        sites: dict[str, list[tf.Tensor]] = {path: [] for path in group}
        with tf.GradientTape(watch_accessed_variables=False) as tape:

            def see(path: str, output: Any) -> Any:
                calls = tf.nest.flatten(output)
                tape.watch(calls)
                sites[path].extend(calls)
                return output

            with view.taps(see):
                scores, outputs = view.score_and_outputs(score, values, structure, classes)
        found = tape.gradient(scores, sites)
        unreached = frozenset(path for path in group if all(one is None for one in found[path]))
        reached = frozenset(path for path in group if reaches(sites[path], [scores]))
        traced.append((outputs, unreached, reached))
        slopes = {
            path: [tf.zeros([])] if path in unreached else complete(found[path], sites[path], view, scores)
            for path in group
        }
        return slopes, {path: list(map(precise, sites[path])) for path in group}, precise(scores), given(outputs)

    def fact() -> tuple[Any, tuple[Head, ...], frozenset[str], frozenset[str]]:
        outputs, unreached, reached = traced[-1]
        return outputs.structure, outputs.heads, unreached, reached

    # One function, whichever of the layers is asked for.
    key = ("gradients", group, *score.key, repr(structure))
    function, (template, heads, unreached, reached) = view.at(group[0]).compiled(
        key, run, [*specs(inputs), CLASSES], fact
    )
    slopes, sites, scores, columns = function(*map(tf.constant, inputs), tf.constant(score.classes, tf.int32))
    layers = {path: (slopes[path], sites[path]) for path in group}
    result = Gradients(view, layers, unreached, reached, scores.numpy(), gathered(columns, template, heads))
    if view.recall is not None:
        view.recall.found = result
    return result


def gradient_at(
    view: ModelView, score: Score, site: Sequence[np.ndarray], inputs: Sequence[np.ndarray], structure: Any
) -> tuple[list[np.ndarray], np.ndarray]:
    """Gradients of the score with the site at given values, and the scores (n,) there.

    Args:
        view, score, structure: As in `gradient`.
        site: (n, ...) each: inputs, or what the calls of the `wrt` layer return instead of what they computed.
        inputs: (n, ...) each: what the model gets where a layer's output is replaced; not read without `wrt`.
    """
    besides = [] if view.wrt is None else list(inputs)

    def run(*tensors: tf.Tensor) -> Any:
        *values, classes = tensors
        given, places = values[: len(besides)], values[len(besides) :]
        gradients, _, scores, _ = differentiate(view, score, given or places, structure, classes, places)
        return gradients, scores

    key = ("gradient at", *score.key, repr(structure))
    function, _ = view.compiled(key, run, [*specs(besides), *specs(site), CLASSES])
    gradients, scores = function(*map(tf.constant, (*besides, *site)), tf.constant(score.classes, tf.int32))
    return [one.numpy() for one in gradients], scores.numpy()


def differentiate(
    view: ModelView,
    score: Score,
    values: Sequence[tf.Tensor],
    structure: Any,
    classes: tf.Tensor,
    places: Sequence[tf.Tensor] | None = None,
    derivative: Callable[[tf.Tensor, Sequence[tf.Tensor]], list[Any]] | None = None,
) -> tuple[list[tf.Tensor], list[tf.Tensor], tf.Tensor, Outputs]:
    """Gradients at the site, the site's values, the scores and the outputs, while tracing.

    Args:
        view, score, values, structure, classes: As in `ModelView.score`.
        places: What the `wrt` layer returns instead of what it computed; None to leave it. Not read without `wrt`.
        derivative: From the scores and the site the gradients there; None for the plain ones.
    """
    site: list[tf.Tensor] = []
    with tf.GradientTape(watch_accessed_variables=False) as tape, contextlib.ExitStack() as stack:
        if derivative is not None:  # it may have to say where
            stack.enter_context(marked([view.model, *view.layers.values()]))
        if view.wrt is None:
            site.extend(values)
            tape.watch(site)
            scores, outputs = view.score_and_outputs(score, values, structure, classes)
        else:
            remaining = None if places is None else iter(places)

            def see(output: Any) -> Any:
                flat = tf.nest.flatten(output)
                seen = flat if remaining is None else [next(remaining) for _ in flat]
                tape.watch(seen)
                site.extend(seen)
                cast = [tf.cast(one, computed.dtype) for one, computed in zip(seen, flat, strict=True)]
                return tf.nest.pack_sequence_as(output, cast)

            with view.tap(see):
                scores, outputs = view.score_and_outputs(score, values, structure, classes)
    slopes = tape.gradient(scores, site) if derivative is None else derivative(scores, site)
    return complete(slopes, site, view, scores), site, precise(scores), outputs


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


def token_layer(view: ModelView, inputs: Sequence[np.ndarray], structure: Any) -> str | None:
    """Path of the embedding that token ids enter; None unless all that the model gives comes through one alone."""
    embeddings = {path: layer for path, layer in view.layers.items() if type(layer).__name__ == "Embedding"}
    if not embeddings or len(inputs) != 1:
        return None
    learnt: list[str | None] = []

    def run(*tensors: tf.Tensor) -> Any:
        seen: dict[str, list[tf.Tensor]] = {path: [] for path in embeddings}

        def keep(path: str) -> Any:
            def see(output: Any) -> Any:
                seen[path].extend(tf.nest.flatten(output))
                return output

            return see

        with tf.GradientTape(watch_accessed_variables=False) as tape, contextlib.ExitStack() as stack:
            tape.watch(tensors)
            for path, layer in embeddings.items():
                stack.enter_context(tapped(layer, keep(path)))
            outputs = [output.logits for output in view.call(tensors, structure).flat]
        rank = tensors[0].shape.rank + 1
        once = {path: calls for path, calls in seen.items() if [one.shape.rank for one in calls] == [rank]}
        entered = [path for path, calls in once.items() if reaches(tensors, calls)]
        alone = len(entered) == 1 and tape.gradient(outputs, tensors[0]) is None
        learnt.append(entered[0] if alone else None)
        return outputs

    _, path = view.compiled(("token layer", repr(structure)), run, specs(inputs), lambda: learnt[-1])
    return path


def complete(
    gradients: Sequence[Any], site: Sequence[tf.Tensor], view: ModelView, scores: tf.Tensor
) -> list[tf.Tensor]:
    """The gradients of the scores as tensors, zeros for an array of the site that they do not depend on.

    Raises:
        ValueError: They depend on none.
    """
    if all(one is None for one in gradients):
        raise ValueError(no_gradient(view, reaches(site, [scores])))
    return [
        precise(tf.zeros_like(value) if one is None else tf.convert_to_tensor(one))
        for one, value in zip(gradients, site, strict=True)
    ]


def no_gradient(view: ModelView, reached: bool) -> str:
    """Why there is no gradient, and what to do.

    Args:
        view: The model.
        reached: Whether the site's values go into the score at all.
    """
    if view.wrt is not None and not reached:
        return (
            f"the score does not depend on the output of layer {view.wrt!r}: it is taken before that layer's end (the "
            "logit is what enters the final softmax or sigmoid) or on a way beside it, or the layer runs within a loop"
        )
    site = f"the output of layer {view.wrt!r}" if view.wrt is not None else "its input"
    embeddings = [path for path, layer in view.layers.items() if type(layer).__name__ == "Embedding"]
    hint = f"; for token ids give wrt={embeddings[0]!r}" if embeddings and view.wrt is None else ""
    return (
        f"the score of model {view.name!r} does not depend on {site} by any differentiable way: rounding, an argmax, a "
        f"comparison or whole numbers lie between{hint}. Occlusion, RISE, LIME and KernelSHAP need no derivative"
    )
