"""The walk itself: what each operation does with the relevance of its outputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import tensorflow as tf

from xai_widgets.composites import Rule
from xai_widgets.engine import relevance_graph as kinds
from xai_widgets.engine.operations import again
from xai_widgets.engine.outputs import precise, unactivated
from xai_widgets.engine.relevance_graph import Graph, pulled
from xai_widgets.engine.relevance_layers import Fold, fold, weighted
from xai_widgets.engine.relevance_rules import STABILISER, propagate, stabilised
from xai_widgets.engine.taps import marks

if TYPE_CHECKING:
    from xai_widgets.engine.relevance import Plan

Box = tuple[Sequence[tf.Tensor], Sequence[tf.Tensor]]

# What is computed of the model's outputs is no layer of it: shared out exactly, whatever the composite says.
_OUTSIDE = Rule("epsilon", (STABILISER,))


class Walk:
    """One walk from scores back to the site, while tracing.

    Relevance is held in two forms. An amount is the relevance itself. A slope stands for the tensor times the slope;
    between sums without weights it is handed on as slopes, for these have exact derivatives: a chain of them is one
    sum, divided by once, at its end.

    Args:
        values: The raw inputs.
        site: Where the walk ends.
        scores: (n,) where it begins.
        plan: The rules.
        layers: Paths of the layers by their marks, the model itself first.
        numbers: Epsilon and gamma.
        box: The range of the raw inputs, for the z-box rule.
    """

    def __init__(
        self,
        values: Sequence[tf.Tensor],
        site: Sequence[tf.Tensor],
        scores: tf.Tensor,
        plan: Plan,
        layers: Sequence[str],
        numbers: tuple[tf.Tensor, tf.Tensor],
        box: Box | None,
    ) -> None:
        self.unread: dict[str, None] = {}
        self.ruled: set[str] = set()
        self.default_rules: dict[str, Rule] = {}
        self.flat_table = self.boxed = False
        self._site, self._scores, self._dtype = site, scores, scores.dtype
        self._composite, self._rules, self._layers = plan.composite, dict(plan.rules), layers
        self._epsilon, self._gamma = (tf.cast(number, self._dtype) for number in numbers)
        self._graph = Graph(site, scores)
        self._first = self._graph.first_weighted(values, lambda operation: bool(marks(operation.name)))
        self._fed = self._graph.reached(values)
        self._folds: dict[str, Fold] = {}
        for operation in self._graph.operations:
            if linear := self._graph.linear(operation):
                self._folds[operation.name] = fold(self._graph, operation, linear, self._dtype)
        self._weighted_sums = {one.end.name for one in self._folds.values()}
        self._absorbed = {name for one in self._folds.values() for name in one.absorbed}
        self._box = box and {value.name: ends for value, *ends in zip(values, *box, strict=True)}
        self._amounts: dict[str, tf.Tensor] = {}
        self._slopes: dict[str, tf.Tensor] = {}

    def run(self) -> list[tf.Tensor | None]:
        """The relevance of each tensor of the site; None where none arrives."""
        self._give(self._scores, amount=self._scores)
        for operation in reversed(self._graph.operations):
            if operation.name not in self._absorbed:
                self._step(operation)
        return [self.total(tensor) for tensor in self._site]

    def total(self, tensor: tf.Tensor) -> tf.Tensor | None:
        """The relevance of a tensor as an amount; None where it has none."""
        amount, slope = self._amounts.get(tensor.name), self._slopes.get(tensor.name)
        if slope is None:
            return amount
        ours = self._precise(tensor) * slope
        return ours if amount is None else amount + ours

    def of_output(self, tensor: tf.Tensor) -> tf.Tensor | None:
        """The relevance of what a layer returns; where the score leaves a final activation out, of what enters that."""
        found = self.total(tensor)
        return self.total(unactivated(tensor)) if found is None else found

    def _step(self, operation: Any) -> None:
        if operation.name in self._folds:
            return self._weighted(self._folds[operation.name])
        if all(self._none(tensor) for tensor in operation.outputs):
            return None
        places = self._graph.places(operation)
        kind = operation.type
        if kind in kinds.SAME:
            return self._same(operation, places)
        if kind in kinds.MOVED | kinds.WINNER or (kind in kinds.EXTREME and len(places) > 1):
            return self._moved(operation, places)
        if kind in kinds.SHIFT and len(places) == 1:
            return self._shifted(operation, places[0])
        if kind in kinds.SUM:
            return self._summed(operation, places)
        if kind in kinds.PRODUCT | kinds.MATRIX_PRODUCTS | kinds.CONVOLUTIONS.keys():
            return self._multiplied(operation, places)
        if kind in kinds.PASSED | kinds.EXTREME and len(places) == 1:
            return self._passed(operation, places[0])
        if kind == "Prod":
            return self._divided(operation)
        return self._unread(operation)

    def _weighted(self, folded: Fold) -> None:
        amount = self.total(folded.end)
        if amount is None:
            return
        for tensor in folded.inner:  # a folded layer and what is folded into it share their relevance
            if tensor.shape.is_compatible_with(amount.shape):
                self._amounts[tensor.name] = amount
        rule, source = self._rule(folded), folded.operation.inputs[folded.linear.x]
        layer = weighted(folded, self._dtype, lambda: self._bounds(folded.operation, source))
        share = propagate(rule, layer, amount, self._epsilon, self._gamma)
        self._give(source, amount=share)

    def _rule(self, folded: Fold) -> Rule:
        paths = [self._layers[place] for place in marks(folded.operation.name)]
        named = [path for path in paths if path in self._rules]
        self.ruled.update(named)
        if not paths:
            return _OUTSIDE
        first = folded.operation.name in self._first
        rule = self._composite.rule(folded.linear.kind, first)
        around = [path for path in named if path != paths[-1]]
        self.default_rules.setdefault(paths[-1], self._rules[around[-1]] if around else rule)
        if named:
            return self._rules[named[-1]]
        if first and rule.name == "flat" and folded.operation.inputs[folded.linear.x].shape.rank == 2:
            self.flat_table |= folded.linear.kind == "dense"
        return rule

    def _same(self, operation: Any, places: Sequence[int]) -> None:
        for place in places:
            output = operation.outputs[place if len(operation.outputs) > 1 else 0]
            amount, slope = self._amounts.get(output.name), self._slopes.get(output.name)
            self._give(self._graph.inputs(operation)[place], amount=amount, slope=slope)

    def _moved(self, operation: Any, places: Sequence[int]) -> None:
        if any(tensor.name in self._amounts for tensor in operation.outputs):
            amounts = [self.total(tensor) for tensor in operation.outputs]
            self._give_all(operation, places, amounts=self._through(operation, places, amounts))
        else:
            slopes = [self._slopes.get(tensor.name) for tensor in operation.outputs]
            self._give_all(operation, places, slopes=self._through(operation, places, slopes))

    def _shifted(self, operation: Any, place: int) -> None:
        output = operation.outputs[0]
        amount = self._amounts.get(output.name)
        if amount is not None and self._is_bias(operation.inputs[place]):
            return self._summed(operation, [place])
        if amount is not None:
            self._give(operation.inputs[place], amount=self._unspread(operation, place, amount))
        slope = self._slopes.get(output.name)
        if slope is not None:
            self._give_all(operation, [place], slopes=self._through(operation, [place], [slope]))
        return None

    def _is_bias(self, tensor: tf.Tensor) -> bool:
        """Whether a tensor is a sum of weighted sums, as in a recurrent cell: what is added to it is their bias."""
        if tensor.op.type not in {"AddV2", "Add", "AddN"} or len(self._graph.places(tensor.op)) < 2:
            return False
        return all(one.name in self._weighted_sums for one in tensor.op.inputs)

    def _summed(self, operation: Any, places: Sequence[int]) -> None:
        slope = self._slope(operation.outputs[0])
        self._give_all(operation, places, slopes=self._through(operation, places, [slope]))

    def _multiplied(self, operation: Any, places: Sequence[int]) -> None:
        signals = self._signals(operation, places)
        output = operation.outputs[0]
        amount, slope = self._amounts.get(output.name), self._slopes.get(output.name)
        if operation.type not in kinds.PRODUCT:
            amount, slope = None, self._slope(output)
        if amount is not None:
            amounts = [self._unspread(operation, place, amount / len(signals)) for place in signals]
            self._give_all(operation, signals, amounts=amounts)
        if slope is not None and operation.type in kinds.QUOTIENT and signals == [1]:
            return self._give(operation.inputs[1], amount=self._unspread(operation, 1, self._precise(output) * slope))
        if slope is not None:
            slopes = self._through(operation, signals, [slope / len(signals)])
            self._give_all(operation, signals, slopes=slopes)
        return None

    def _signals(self, operation: Any, places: Sequence[int]) -> list[int]:
        """The factors that take the relevance of a product."""
        if operation.type in kinds.QUOTIENT:
            return [places[0]]
        gates = [self._graph.gate(operation.inputs[place]) for place in places]
        return [place for place, gate in zip(places, gates, strict=True) if gate == min(gates)]

    def _passed(self, operation: Any, place: int) -> None:
        amount = self.total(operation.outputs[0])
        self._give(operation.inputs[place], amount=self._unspread(operation, place, amount))

    def _divided(self, operation: Any) -> None:
        """All factors of a product along axes get the same."""
        value, axes = operation.inputs
        amount = self.total(operation.outputs[0])
        each = tf.ones_like(self._precise(value))
        kept = tf.reshape(amount, tf.shape(tf.reduce_sum(each, axes, keepdims=True)))
        self._give(value, amount=each * kept / tf.reduce_sum(each, axes, keepdims=True))

    def _unread(self, operation: Any) -> None:
        paths = [self._layers[place] for place in marks(operation.name)]
        self.unread[paths[-1] if paths and paths[-1] else f"operation {operation.type}"] = None
        ends = self._floating_inputs(operation)
        for output in operation.outputs:
            if self._none(output) or not ends:
                continue
            upstream = tf.cast(self._slope(output), output.dtype)
            slopes = tf.gradients([output], ends, [upstream], stop_gradients=ends)
            for end, slope in zip(ends, slopes, strict=True):
                if slope is not None:
                    self._give(end, slope=precise(tf.convert_to_tensor(slope)))

    def _floating_inputs(self, operation: Any) -> list[tf.Tensor]:
        """The tensors with numbers that an operation depends on, directly or by the lists that loops work on."""
        found: dict[str, tf.Tensor] = {}
        waiting, seen = [operation], {operation.name}
        while waiting:
            current = waiting.pop()
            for tensor in (current.inputs[place] for place in self._graph.places(current)):
                if tensor.dtype.is_floating:
                    found[tensor.name] = tensor
                elif tensor.op.name not in seen:
                    seen.add(tensor.op.name)
                    waiting.append(tensor.op)
        return list(found.values())

    def _bounds(self, operation: Any, tensor: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        """The smallest and largest values that the input of a weighted sum may have.

        Of a first layer they come from the raw inputs; deeper down they are those of the sample itself.
        """
        if operation.name in self._first and self._box is not None:
            self.boxed = True
            ends = [self._redone(tensor, {name: pair[end] for name, pair in self._box.items()}) for end in (0, 1)]
            return tf.minimum(*ends), tf.maximum(*ends)
        x = self._precise(tensor)
        axes = tuple(range(1, x.shape.rank))
        low, high = (reduce(x, axes, keepdims=True) for reduce in (tf.reduce_min, tf.reduce_max))
        return tf.zeros_like(x) + low, tf.zeros_like(x) + high

    def _redone(self, tensor: tf.Tensor, replaced: dict[str, tf.Tensor]) -> tf.Tensor:
        """A tensor computed from other raw inputs."""
        if tensor.name in replaced:
            return replaced[tensor.name]
        if tensor.name not in self._fed or not tensor.dtype.is_floating:
            return tensor
        operation = tensor.op
        if operation.type in kinds.SAME:
            place = tensor.value_index if len(operation.outputs) > 1 else 0
            return self._precise(self._redone(self._graph.inputs(operation)[place], replaced))
        inputs = {place: self._redone(one, replaced) for place, one in enumerate(operation.inputs)}
        outputs = again(operation, inputs, self._dtype)
        replaced.update({old.name: new for old, new in zip(operation.outputs, outputs, strict=True)})
        return replaced[tensor.name]

    def _through(self, operation: Any, places: Sequence[int], upstream: Sequence[tf.Tensor | None]) -> list[tf.Tensor]:
        """The operation's own derivative, transposed."""

        def run(*tensors: tf.Tensor) -> list[tf.Tensor]:
            return again(operation, dict(zip(places, tensors, strict=True)), self._dtype)

        return pulled(run, [self._precise(operation.inputs[place]) for place in places], upstream)

    def _unspread(self, operation: Any, place: int, amount: tf.Tensor) -> tf.Tensor:
        """An amount at an input that was spread over a larger output: summed over its copies."""
        tensor = operation.inputs[place]
        if tensor.shape.rank is not None and tensor.shape.as_list() == operation.outputs[0].shape.as_list():
            return amount
        spread: Callable[[tf.Tensor], list[tf.Tensor]] = lambda x: [x + tf.zeros_like(amount)]  # noqa: E731
        return pulled(spread, [self._precise(tensor)], [amount])[0]

    def _slope(self, tensor: tf.Tensor) -> tf.Tensor:
        """The relevance of a tensor as a slope."""
        amount, slope = self._amounts.get(tensor.name), self._slopes.get(tensor.name)
        if amount is None:
            assert slope is not None
            return slope
        ours = amount / stabilised(self._precise(tensor))
        return ours if slope is None else slope + ours

    def _none(self, tensor: tf.Tensor) -> bool:
        return tensor.name not in self._amounts and tensor.name not in self._slopes

    def _precise(self, tensor: tf.Tensor) -> tf.Tensor:
        return tf.cast(tensor, self._dtype)

    def _give(self, tensor: tf.Tensor, amount: tf.Tensor | None = None, slope: tf.Tensor | None = None) -> None:
        for held, more in ((self._amounts, amount), (self._slopes, slope)):
            if more is not None:
                held[tensor.name] = held[tensor.name] + more if tensor.name in held else more

    def _give_all(
        self,
        operation: Any,
        places: Sequence[int],
        amounts: Sequence[tf.Tensor] = (),
        slopes: Sequence[tf.Tensor] = (),
    ) -> None:
        for place, amount in zip(places, amounts, strict=False):
            self._give(operation.inputs[place], amount=amount)
        for place, slope in zip(places, slopes, strict=False):
            self._give(operation.inputs[place], slope=slope)
