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

from xai_widgets.engine.operations import CALLS, LOOPS, VALUELESS, WALLS
from xai_widgets.engine.reach import reached
from xai_widgets.engine.rows import rearranges
from xai_widgets.engine.taps import marks

# From an operation and the gradients of its outputs, the gradients of its inputs: a tensor or None for each.
Rule = Callable[..., Any]
# Whether a tensor depends on what is differentiated with respect to.
Moves = Callable[[tf.Tensor], bool]

_MOST_NAMED = 3


class Rules(Protocol):
    """Which operations get another derivative."""

    @property
    def name(self) -> str:
        """Tells the functions compiled with these rules from others."""

    @property
    def paired(self) -> bool:
        """Whether the batch holds inputs and after them their references, so that its order matters."""

    def rule(self, operation: Any, moves: Moves) -> Rule | None:
        """The derivative of an operation, None to leave its own."""

    def misses(self, operation: Any, moves: Moves) -> bool:
        """Whether to say of an operation without a rule that it keeps its plain gradient."""


class Reach(NamedTuple):
    """Where rules held.

    Attributes:
        replaced: How many operations were differentiated by another derivative.
        missed: By layer, those that should have been and kept their own, such as "LRN in 'stem/norm'".
        mixed: By layer, those that move the rows of a batch whose order matters.
    """

    replaced: int
    missed: tuple[str, ...]
    mixed: tuple[str, ...] = ()


def listed(names: Sequence[str]) -> str:
    """The first of some names in words, and how many there are besides."""
    more = len(names) - _MOST_NAMED
    return "; ".join(names[:_MOST_NAMED]) + (f" and {more} more" if more > 0 else "")


class Overriding:
    """The derivative of scores by some rules, while tracing.

    Args:
        rules: Which operations have another one.
        layers: Paths of the layers by their marks in the names of operations, the model itself ("") first.

    Attributes:
        reach: Where the rules held, once it was called.
    """

    def __init__(self, rules: Rules, layers: Sequence[str] = ("",)) -> None:
        self._rules, self._layers = rules, layers
        self.reach = Reach(0, ())

    def __call__(self, scores: tf.Tensor, site: Sequence[tf.Tensor]) -> list[Any]:
        """Gradients of the scores, None where there is none."""
        motion = _Motion(scores.graph, site)
        before: dict[Any, Any] = {}
        called: set[Any] = set()
        missed, mixed = _ByLayer(self._layers), _ByLayer(self._layers)
        try:
            for operation, name in _between(motion, [scores]):
                if self._rules.paired and rearranges(operation, motion):
                    mixed.add(operation, name)
                rule = self._rules.rule(operation, motion)
                if rule is not None:
                    before[operation] = operation._gradient_function
                    operation._gradient_function = _counted(rule, called)
                elif self._rules.misses(operation, motion):
                    missed.add(operation, name)
            gradients = list(tf.gradients(scores, list(site)))
            self.reach = Reach(len(called), missed.listed(), mixed.listed())
            return gradients
        finally:
            for operation, function in before.items():
                operation._gradient_function = function


def _counted(rule: Rule, called: set[Any]) -> Rule:
    """The rule, which notes the operations that it is called for."""

    def run(operation: Any, *gradients: Any) -> Any:
        called.add(operation)
        return rule(operation, *gradients)

    return run


class _ByLayer:
    """Kinds of operations by the layer that they are in, each once."""

    def __init__(self, layers: Sequence[str]) -> None:
        self._layers = layers
        self._kinds: dict[str, dict[str, None]] = {}

    def add(self, operation: Any, name: str) -> None:
        """Note an operation; its name, or that of the loop around it, holds the marks of its layers."""
        path = ([""] + [self._layers[place] for place in marks(name)])[-1]
        self._kinds.setdefault(path, {})[operation.type] = None

    def listed(self) -> tuple[str, ...]:
        """Such as "Exp, Tanh in 'head'"; the model itself has no name."""
        named = {path: ", ".join(sorted(kinds)) for path, kinds in self._kinds.items()}
        return tuple(f"{kinds} in {path!r}" if path else kinds for path, kinds in named.items())


class _Motion:
    """Which tensors of a graph, and of the bodies of its loops, depend on a site."""

    def __init__(self, graph: Any, site: Sequence[tf.Tensor]) -> None:
        self._moving = {tensor.ref() for tensor in site}
        self._follow(graph)

    def __call__(self, tensor: tf.Tensor) -> bool:
        return tensor.ref() in self._moving

    def _follow(self, graph: Any) -> None:
        for operation in graph.get_operations():  # in the order in which they were made
            if operation.type in VALUELESS or not any(map(self, operation.inputs)):
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


def _between(motion: _Motion, ends: Sequence[tf.Tensor], loop: str = "") -> Iterator[tuple[Any, str]]:
    """The operations from the site to some ends, those of a loop's body and walls that stop a way among them.

    Each comes with its name; what is in the body of a loop, with that of the outermost loop.
    """
    found = reached(ends)
    # What is stopped on its way to the square of a deviation from a mean takes nothing away: such deviations sum to 0.
    stopping = (operation for operation in found if operation.type != "SquaredDifference")
    walls = {tensor.op for operation in stopping for tensor in operation.inputs if tensor.op.type in WALLS}
    for operation in (*found, *walls):
        if any(map(motion, operation.outputs)) and any(map(motion, operation.inputs)):
            name = loop or operation.name
            yield operation, name
            if operation.type in LOOPS:
                yield from _between(motion, body_of(operation).outputs, name)


def has_own_gradient(operation: Any) -> bool:
    """Whether a `tf.custom_gradient` made the operation: it passes on a value, and its derivative is a function's."""
    if operation.type != "IdentityN":
        return False
    try:
        return bool(operation.get_attr("_gradient_op_type"))
    except ValueError:
        return False
