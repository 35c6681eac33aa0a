"""The bodies of functions that a traced graph calls, written out beside the calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf


def library(graph: Any) -> dict[str, Any]:
    """The definitions of all functions that a graph knows, by their names."""
    return {one.signature.name: one for one in graph.as_graph_def().library.function}


def inlined(call: Any, functions: Mapping[str, Any]) -> list[tf.Tensor]:
    """What a call of a function returns, computed in the graph of the call itself, operation by operation.

    Names begin with that of the call. What the call itself computes is left as it is.

    Args:
        call: The operation that calls.
        functions: The library of its graph.
    """
    body = _Body(call, functions[call.get_attr("f").name])
    return [body.tensor(body.function.ret[argument.name]) for argument in body.function.signature.output_arg]


class _Body:
    """The body of one call, made as far as it is asked for."""

    def __init__(self, call: Any, function: Any) -> None:
        self.function = function
        self._call = call
        self._nodes = {node.name: node for node in function.node_def}
        names = [argument.name for argument in function.signature.input_arg]
        self._given = dict(zip(names, call.inputs, strict=True))
        self._made: dict[str, Any] = {}

    def tensor(self, reference: str) -> tf.Tensor:
        """What "argument" or "node:output:place" stands for."""
        if reference in self._given:
            return self._given[reference]
        node, output, place = reference.split(":")
        operation = self._operation(node)
        start = 0
        for argument in operation.op_def.output_arg:
            if argument.name == output:
                return operation.outputs[start + int(place)]
            start += _count(argument, operation)
        raise LookupError(f"function {self.function.signature.name!r} has no {reference!r}")

    def _operation(self, wanted: str) -> Any:
        waiting = [wanted]
        while waiting:  # bodies are deeper than Python's stack
            node = self._nodes[waiting[-1]]
            references = [one for one in node.input if not one.startswith("^")]
            sources = [one.split(":")[0] for one in references if one not in self._given]
            missing = [name for name in sources if name not in self._made]
            if missing:
                waiting += missing
                continue
            waiting.pop()
            if node.name not in self._made:
                self._made[node.name] = self._call.graph.create_op(
                    node.op,
                    [self.tensor(one) for one in references],
                    attrs={key: value for key, value in node.attr.items() if not key.startswith("_")},
                    name=f"{self._call.name}/{node.name}",
                )
        return self._made[wanted]


def _count(argument: Any, operation: Any) -> int:
    """How many tensors an argument of an operation stands for."""
    if argument.number_attr:
        return int(operation.get_attr(argument.number_attr))
    if argument.type_list_attr:
        return len(operation.get_attr(argument.type_list_attr))
    return 1
