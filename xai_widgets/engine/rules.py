"""Replace the derivative of chosen operations, in one traced graph and nowhere else.

TensorFlow asks an operation for a derivative of its own before it looks into its registry. While the derivative of a
score is being built, chosen operations are given one, and afterwards it is taken from them again: neither the registry
is touched nor the model, which is only traced. That reaches layers and inline operations at any depth, and what
`tf.Graph.gradient_override_map` does not: the loop of a recurrent layer, and SiLU with its `tf.custom_gradient`. A
`tf.function` that cannot run as plain Python is shared with the user's own calls of it: it is left as it is, and what
it holds keeps its plain gradient.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple, Protocol

import tensorflow as tf

from xai_widgets.engine.reach import reached

# From an operation and the gradients of its outputs, the gradients of its inputs: a tensor or None for each.
Rule = Callable[..., Any]
# Whether a tensor depends on what is differentiated with respect to.
Moves = Callable[[tf.Tensor], bool]

_VALUELESS = frozenset({"Shape", "ShapeN", "Size", "Rank", "ZerosLike", "OnesLike"})
LOOPS = frozenset({"While", "StatelessWhile"})
CALLS = frozenset({"PartitionedCall", "StatefulPartitionedCall"})
_MOST_NAMED = 3


class Rules(Protocol):
    """Which operations get another derivative."""

    @property
    def name(self) -> str:
        """Tells the functions compiled with these rules from others."""

    def rule(self, operation: Any, moves: Moves) -> Rule | None:
        """The derivative of an operation, None to leave its own."""

    def misses(self, operation: Any, moves: Moves) -> bool:
        """Whether to say of an operation without a rule that it keeps its plain gradient."""


class Reach(NamedTuple):
    """Where rules held.

    Attributes:
        replaced: How many operations got another derivative.
        missed: Those that should have and kept their own, such as "LRN in 'stem/norm'".
    """

    replaced: int
    missed: tuple[str, ...]

    def listed(self) -> str:
        """The missed ones in words."""
        more = len(self.missed) - _MOST_NAMED
        return ", ".join(self.missed[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


class Overriding:
    """The derivative of scores by some rules, while tracing.

    Attributes:
        reach: Where the rules held, once it was called.
    """

    def __init__(self, rules: Rules) -> None:
        self._rules = rules
        self.reach = Reach(0, ())

    def __call__(self, scores: tf.Tensor, site: Sequence[tf.Tensor]) -> list[Any]:
        """Gradients of the scores, None where there is none."""
        motion = _Motion(scores.graph, site)
        before: dict[Any, Any] = {}
        missed: dict[str, None] = {}
        try:
            for operation in _between(motion, [scores]):
                rule = self._rules.rule(operation, motion)
                if rule is not None:
                    before[operation] = operation._gradient_function
                    operation._gradient_function = rule
                elif self._rules.misses(operation, motion):
                    missed[_named(operation)] = None
            self.reach = Reach(len(before), tuple(missed))
            return list(tf.gradients(scores, list(site)))
        finally:
            for operation, function in before.items():
                operation._gradient_function = function


class _Motion:
    """Which tensors of a graph, and of the bodies of its loops, depend on a site."""

    def __init__(self, graph: Any, site: Sequence[tf.Tensor]) -> None:
        self._moving = {tensor.ref() for tensor in site}
        self._follow(graph)

    def __call__(self, tensor: tf.Tensor) -> bool:
        return tensor.ref() in self._moving

    def _follow(self, graph: Any) -> None:
        for operation in graph.get_operations():  # in the order in which they were made
            if operation.type in _VALUELESS or not any(map(self, operation.inputs)):
                continue
            self._moving.update(tensor.ref() for tensor in operation.outputs)
            if operation.type in LOOPS:
                self._follow_loop(operation)

    def _follow_loop(self, loop: Any) -> None:
        body, given = body_of(loop), list(map(self, loop.inputs))
        while True:  # what one turn moves is moving in the next
            fresh = [one for one, moves in zip(body.inputs, given, strict=True) if moves and not self(one)]
            if not fresh:
                return
            self._moving.update(tensor.ref() for tensor in fresh)
            self._follow(body)
            given = list(map(self, body.outputs))


def body_of(loop: Any) -> Any:
    """The graph of one turn of a loop that was traced here."""
    return loop._body_graph


def inside(call: Any) -> frozenset[str]:
    """The kinds of operations in the `tf.function` that an operation calls; its own kind where it calls none so.

    Keras has one for a grouped convolution.
    """
    if call.type not in CALLS:
        return frozenset({call.type})
    function = call.graph._get_function(call.get_attr("f").name)
    return frozenset(operation.type for operation in function.graph.get_operations())


def _between(motion: _Motion, ends: Sequence[tf.Tensor]) -> Iterator[Any]:
    """The operations from the site to some ends, those of a loop's body among them."""
    for operation in reached(ends):
        if any(map(motion, operation.outputs)) and any(map(motion, operation.inputs)):
            yield operation
            if operation.type in LOOPS:
                yield from _between(motion, body_of(operation).outputs)


def _named(operation: Any) -> str:
    scope = "/".join(operation.name.split("/")[1:-1])  # without the model's own
    return f"{operation.type} in {scope!r}" if scope else str(operation.type)


def has_own_gradient(operation: Any) -> bool:
    """Whether a `tf.custom_gradient` made the operation: it passes on a value, and its derivative is a function's."""
    if operation.type != "IdentityN":
        return False
    try:
        return bool(operation.get_attr("_gradient_op_type"))
    except ValueError:
        return False
