"""Layer-wise relevance propagation: a walk through the traced graph, from the score back to the site.

Each tensor on the way has a relevance, handed on by one small rule for each kind of operation:

- Weighted sums (convolutions of every kind, dense layers, products with constant matrices), together with their bias
  and a following batch norm: the rule that composite and `rules` choose, see `relevance_rules`.
- Elementwise functions and affine maps that stand alone: the relevance as it is.
- Moves (reshape, concatenate, pad, ...): to where each value came from. Max-pooling: to the winner.
- Sums without weights (residual, average pooling): each term its share.
- Products: a gate (sigmoid, softmax, 1 / sqrt, ...) counts as a constant, and the other factor takes all (Arras et
  al., 2017; Ali et al., 2022); where none is one, half each. So LSTM, SiLU, attention, layer normalisation.
- Anything else (loops, functions that cannot be read): its own gradient; a note names the layer.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from xai_widgets.composites import Composite, Rule
from xai_widgets.engine.compiled import specs
from xai_widgets.engine.gradients import CLASSES, no_gradient
from xai_widgets.engine.model import ModelView
from xai_widgets.engine.outputs import Head, Outputs, gathered, given, precise, reaches
from xai_widgets.engine.relevance_walk import Walk
from xai_widgets.engine.score import Score
from xai_widgets.engine.taps import marked, tapped
from xai_widgets.engine.unrolled import unrolled


class Plan(NamedTuple):
    """Which rules are used.

    Attributes:
        composite: The rules by kind of layer.
        rules: Rules of single layers, by path; of a layer of layers for all in it.
        epsilon, gamma: Tensor arguments of the compiled function: a new value never retraces.
    """

    composite: Composite
    rules: tuple[tuple[str, Rule], ...]
    epsilon: float
    gamma: float

    @property
    def boxed(self) -> bool:
        """Whether a rule asks for the range of the inputs."""
        return any(rule.name == "z_box" for rule in (*self.composite.all, *(rule for _, rule in self.rules)))


class Relevance(NamedTuple):
    """Relevance at the site, the scores (n,), what the model gave, and what is to be known.

    Attributes:
        values: An array for each input or call of the `wrt` layer.
        flow: For each layer that was asked for, an array for each tensor that its calls return.
        unread: Paths of layers through which only the plain gradient went.
        flat_table: Whether the values of a vector enter a dense layer under a flat rule.
        default_rules: By path of each layer with weights that the walk passed, the rule without one of its own.
        boxed: Whether a rule read the range of the inputs.
    """

    values: list[np.ndarray]
    scores: np.ndarray
    outputs: Outputs
    flow: dict[str, list[np.ndarray]]
    unread: tuple[str, ...]
    flat_table: bool
    default_rules: dict[str, Rule]
    boxed: bool


def relevance(
    view: ModelView,
    score: Score,
    inputs: Sequence[np.ndarray],
    structure: Any,
    plan: Plan,
    box: tuple[Sequence[np.ndarray], Sequence[np.ndarray]] | None = None,
    keep: tuple[str, ...] = (),
) -> Relevance:
    """Propagate the score back, by one pass.

    Args:
        view: The model; its `wrt` layer, where set, is where the walk ends.
        score: What is propagated.
        inputs: As the compiled functions take them, (n, ...) each.
        structure: The structure that the inputs have together.
        plan: The rules.
        box: The smallest and the largest values that the inputs may have, like them; needed where `plan.boxed`.
        keep: Paths of layers whose relevance is given as well.

    Raises:
        ValueError: The score does not depend on the site, or a rule was given for a layer that has no use for one.
    """
    learnt: list[Any] = []
    lows, highs = box if plan.boxed and box is not None else ((), ())

    def run(*tensors: tf.Tensor) -> Any:
        *bound, classes, epsilon, gamma = tensors
        count = len(inputs)
        values = bound[:count]
        limits = (bound[count : 2 * count], bound[2 * count :]) if lows else None
        site, scores, outputs, seen = _traced(view, score, values, structure, classes, keep)
        walk = Walk(values, site, precise(scores), plan, ("", *view.layers), (epsilon, gamma), limits)
        totals = walk.run()
        if all(total is None for total in totals):
            raise ValueError(no_gradient(view, reaches(site, [scores])))
        if view.wrt is None:
            _refuse_unused(walk, plan)
        found = [tf.zeros_like(precise(at)) if one is None else one for one, at in zip(totals, site, strict=True)]
        flow = {path: [one for one in map(walk.of_output, given) if one is not None] for path, given in seen.items()}
        learnt.append((outputs, {path: len(kept) for path, kept in flow.items() if kept}, walk))
        return found, precise(scores), given(outputs), [one for kept in flow.values() for one in kept]

    def fact() -> tuple[Any, tuple[Head, ...], dict[str, int], tuple[Any, ...]]:
        outputs, kept, walk = learnt.pop()
        seen = tuple(walk.unread), walk.flat_table, walk.default_rules, walk.boxed
        return outputs.structure, outputs.heads, kept, seen

    scalar = tf.TensorSpec([], view.dtype)
    signature = [*specs(inputs), *specs(lows), *specs(highs), CLASSES, scalar, scalar]
    key = ("relevance", *score.key, repr(structure), plan.composite, plan.rules, keep)
    function, (template, heads, kept, seen) = view.compiled(key, run, signature, fact)
    numbers = (tf.constant(number, view.dtype) for number in (plan.epsilon, plan.gamma))
    classes = tf.constant(score.classes, tf.int32)
    values, scores, columns, flowed = function(*map(tf.constant, (*inputs, *lows, *highs)), classes, *numbers)
    remaining = iter(flowed)
    flow = {path: [next(remaining).numpy() for _ in range(count)] for path, count in kept.items()}
    outputs = gathered(columns, template, heads)
    return Relevance([one.numpy() for one in values], scores.numpy(), outputs, flow, *seen)


def _traced(
    view: ModelView,
    score: Score,
    values: Sequence[tf.Tensor],
    structure: Any,
    classes: tf.Tensor,
    keep: Sequence[str],
) -> tuple[list[tf.Tensor], tf.Tensor, Outputs, dict[str, list[tf.Tensor]]]:
    """The site, the scores, the outputs and what the kept layers return, while tracing."""
    layers = view.layers
    site: list[tf.Tensor] = [] if view.wrt is not None else list(values)
    seen: dict[str, list[tf.Tensor]] = {}

    def keeper(path: str) -> Callable[[Any], Any]:
        def see(output: Any) -> Any:
            kept = seen.setdefault(path, [])
            kept += [tensor for tensor in tf.nest.flatten(output) if tf.is_tensor(tensor)]
            return output

        return see

    def at_site(output: Any) -> Any:
        # Copies: what the layer returns may be what it was given.
        copies = [tf.identity(tensor) for tensor in tf.nest.flatten(output)]
        site.extend(copies)
        return tf.nest.pack_sequence_as(output, copies)

    with contextlib.ExitStack() as stack:
        stack.enter_context(unrolled(layers.values()))
        stack.enter_context(marked([view.model, *layers.values()]))
        if view.wrt is not None:
            stack.enter_context(view.tap(at_site))
        for path in keep:
            stack.enter_context(tapped(layers[path], keeper(path)))
        scores, outputs = view.score_and_outputs(score, values, structure, classes)
    return site, scores, outputs, seen


def _refuse_unused(walk: Walk, plan: Plan) -> None:
    unused = [path for path, _ in plan.rules if path not in walk.ruled]
    if unused:
        raise ValueError(
            f"rules: layer {unused[0]!r} has no weighted sum that the score depends on, so no rule applies to it; "
            "rules are for convolutions and dense layers, and for layers that hold some"
        )
