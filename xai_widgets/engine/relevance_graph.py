"""What a traced graph says of how a score comes about: which operations take part, and what kind each is."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import tensorflow as tf

from xai_widgets.engine.inlined import inlined, library
from xai_widgets.engine.operations import CALLS, VALUELESS

# The tensor goes through as it is; of a call, what its body gives.
SAME = {"Identity", "IdentityN", "Cast", "StopGradient", "PreventGradient", "CheckNumerics", "Snapshot"} | CALLS

# Each value of the output is one value of an input, or zero: the derivative says which.
MOVED = {
    *("Reshape", "Transpose", "Squeeze", "ExpandDims", "ConcatV2", "Concat", "Pack", "Unpack", "Split", "SplitV"),
    *("Slice", "StridedSlice", "Gather", "GatherV2", "GatherNd", "Pad", "PadV2", "MirrorPad", "ReverseV2", "Roll"),
    *("Tile", "BroadcastTo", "Select", "SelectV2", "SpaceToBatchND", "BatchToSpaceND", "SpaceToDepth", "DepthToSpace"),
    *("ResizeNearestNeighbor", "ReverseSequence", "MatrixDiagPartV3", "DynamicStitch", "ScatterNd"),
}
WINNER = {"MaxPool", "MaxPoolV2", "MaxPool3D", "Max", "Min"}
EXTREME = {"Maximum", "Minimum"}

# Sums without weights: each term has its share.
SUM = {
    *("AddV2", "Add", "AddN", "Sub", "BiasAdd", "Mean", "Sum", "AvgPool", "AvgPool3D", "Cumsum"),
    *("ResizeBilinear", "ResizeBicubic", "ScaleAndTranslate", "SegmentSum", "UnsortedSegmentSum"),
}
SHIFT = {"AddV2", "Add", "Sub", "BiasAdd"}

PRODUCT = {"Mul", "RealDiv", "Div", "DivNoNan", "MulNoNan"}
QUOTIENT = {"RealDiv", "Div", "DivNoNan"}

# One value of the output comes from the value of the input at the same place.
PASSED = {
    *("Relu", "Relu6", "LeakyRelu", "Elu", "Selu", "Softplus", "Softsign", "Tanh", "Sigmoid", "Softmax", "LogSoftmax"),
    *("Neg", "Abs", "Square", "Sqrt", "Rsqrt", "Exp", "Expm1", "Log", "Log1p", "Erf", "Erfc", "Reciprocal", "Inv"),
    *("Sin", "Cos", "Tan", "Sinh", "Cosh", "Asinh", "Acosh", "Atan", "Asin", "Acos", "Atanh", "Pow", "ClipByValue"),
    *("Round", "Floor", "Ceil", "Rint"),
}

# What opens and closes a way for something else, rather than being the thing that goes through; Tanh does so only
# where nothing else does.
GATE = {"Sigmoid", "Softmax", "Erf", "Erfc", "Rsqrt", "Reciprocal", "Inv", "Exp"}
SOFT_GATE = {"Tanh", "Softsign"}


class Linear(NamedTuple):
    """Where an operation has its input and its weights, and whether it is a convolution or dense."""

    x: int
    weights: int
    kind: str


CONVOLUTIONS = {
    "Conv2D": Linear(0, 1, "convolution"),
    "Conv3D": Linear(0, 1, "convolution"),
    "DepthwiseConv2dNative": Linear(0, 1, "convolution"),
    "Conv2DBackpropInput": Linear(2, 1, "convolution"),
    "Conv3DBackpropInputV2": Linear(2, 1, "convolution"),
}
LOOKUP = {"Gather", "GatherV2", "ResourceGather"}
MATRIX_PRODUCTS = {"MatMul", "BatchMatMul", "BatchMatMulV2", "BatchMatMulV3", "Einsum"}


def flows(tensor: tf.Tensor) -> bool:
    """Whether relevance can go through a tensor; the lists of loops (variants) hold such tensors."""
    return tensor.dtype.is_floating or tensor.dtype == tf.variant


class Graph:
    """The operations on the way from some tensors, the site, to scores.

    Attributes:
        before: All that the scores are computed from, in the order of computation.
        operations: Those whose value depends on the site and on which the scores depend, in the order of computation.
    """

    def __init__(self, site: Sequence[tf.Tensor], scores: tf.Tensor) -> None:
        self._end = scores
        self._bodies: dict[str, list[tf.Tensor]] = {}
        self.before = self._ancestors()
        self.dependent = self.reached(site)
        self._site = {tensor.name for tensor in site}
        self.operations = [
            one for one in self.before if self.places(one) and any(self.depends(output) for output in one.outputs)
        ]
        self._consumers: dict[str, list[Any]] = {}
        for operation in self.operations:
            for place in self.places(operation):
                self._consumers.setdefault(self.inputs(operation)[place].name, []).append(operation)

    @functools.cached_property
    def _functions(self) -> dict[str, Any]:
        return library(self._end.graph)

    def inputs(self, operation: Any) -> Sequence[tf.Tensor]:
        """What an operation takes; of a call, what the body of the function gives, which the call hands on."""
        if operation.type not in CALLS:
            return operation.inputs
        if operation.name not in self._bodies:
            self._bodies[operation.name] = inlined(operation, self._functions)
        return self._bodies[operation.name]

    def _ancestors(self) -> list[Any]:
        found: dict[str, Any] = {}
        waiting = [(self._end.op, False)]
        while waiting:
            operation, done = waiting.pop()
            if done:
                found.setdefault(operation.name, operation)
            elif operation.name not in found:
                waiting.append((operation, True))
                if operation.type not in VALUELESS:
                    waiting += [(one.op, False) for one in self.inputs(operation) if one.op.name not in found]
        return list(found.values())

    def reached(self, start: Sequence[tf.Tensor]) -> set[str]:
        """Names of the tensors before the scores that depend on some tensors in a way that relevance may go."""
        names = {tensor.name for tensor in start}
        for operation in self.before:
            entering = () if operation.type in VALUELESS else self.inputs(operation)
            if any(tensor.name in names and flows(tensor) for tensor in entering):
                names.update(tensor.name for tensor in operation.outputs if flows(tensor))
        return names

    def first_weighted(self, values: Sequence[tf.Tensor], is_layer: Callable[[Any], bool]) -> set[str]:
        """Names of the sums with weights that raw inputs reach without another one, or a lookup of tokens, between.

        Args:
            values: The raw inputs.
            is_layer: Whether an operation belongs to the model: preparing the inputs does not count.
        """
        fed = {tensor.name for tensor in values}
        behind: set[str] = set()
        first: set[str] = set()
        for operation in self.before:
            entering = [tensor for tensor in self.inputs(operation) if tensor.name in fed]
            if operation.type in VALUELESS or not entering:
                continue
            later = any(tensor.name in behind for tensor in entering)
            weighs = operation.type in CONVOLUTIONS.keys() | MATRIX_PRODUCTS and len(entering) == 1
            weighs &= is_layer(operation)
            if weighs and not later:
                first.add(operation.name)
            looks_up = any(tensor.dtype.is_integer for tensor in entering) and operation.type in LOOKUP
            loops = operation.type not in CALLS and any(one.type == "func" for one in operation.op_def.attr)
            fed.update(tensor.name for tensor in operation.outputs)
            if later or weighs or looks_up or loops:
                behind.update(tensor.name for tensor in operation.outputs)
        return first

    def places(self, operation: Any) -> list[int]:
        """Which inputs of an operation relevance may go to."""
        return [place for place, tensor in enumerate(self.inputs(operation)) if self.depends(tensor)]

    def depends(self, tensor: tf.Tensor) -> bool:
        """Whether a tensor depends on the site in a way that relevance may go."""
        return tensor.name in self.dependent and flows(tensor)

    def only_consumer(self, tensor: tf.Tensor) -> Any:
        """The operation that alone takes a tensor; None where there are others, or where the tensor is the site."""
        consumers = self._consumers.get(tensor.name, [])
        return consumers[0] if len(consumers) == 1 and tensor.name not in self._site else None

    def linear(self, operation: Any) -> Linear | None:
        """How an operation is a sum with weights; None where it is none, or where its weights depend on the site."""
        places = self.places(operation)
        if operation.type in CONVOLUTIONS:
            linear = CONVOLUTIONS[operation.type]
            return linear if places == [linear.x] else None
        if operation.type in MATRIX_PRODUCTS and len(operation.inputs) == 2 and len(places) == 1:
            return Linear(places[0], 1 - places[0], "dense")
        return None

    def gate(self, tensor: tf.Tensor) -> int:
        """How much a factor is a gate: 2 for sigmoid, softmax, 1 / sqrt, ..., 1 for tanh, 0 for anything else.

        Moves, constant factors and shifts between there and here do not count: 1 - sigmoid is a gate.
        """
        scaled = False
        while self.depends(tensor) and tensor.name not in self._site:
            operation = tensor.op
            if operation.type in GATE:
                return 2
            if operation.type in SOFT_GATE:
                return 1
            if operation.type in {"Relu6", "ClipByValue", *EXTREME} and (scaled or _is_raised(operation)):
                return 2  # a hard sigmoid
            places = self.places(operation)
            shifted = operation.type in {*SHIFT, *PRODUCT, "Neg"}
            if not places or not (operation.type in SAME | MOVED or (shifted and len(places) == 1)):
                return 0
            scaled |= shifted
            tensor = self.inputs(operation)[places[0]]
        return 0


def _is_raised(operation: Any) -> bool:
    """Whether a constant number was just added to what an operation takes."""
    source = operation.inputs[0].op
    return source.type in {"AddV2", "Add"} and any(tensor.shape.rank == 0 for tensor in source.inputs)


def pulled(
    function: Callable[..., Sequence[tf.Tensor]], inputs: Sequence[tf.Tensor], upstream: Sequence[tf.Tensor | None]
) -> list[tf.Tensor]:
    """The derivative of a function at `inputs`, transposed, of values like its outputs; None stands for zero.

    Nothing but the function takes the copies of the inputs, so that TensorFlow's search for a way ends at once.
    """
    copies = [tf.identity(tensor) for tensor in inputs]
    pairs = zip(function(*copies), upstream, strict=True)
    targets, values = zip(*((output, value) for output, value in pairs if value is not None), strict=True)
    slopes = tf.gradients(targets, copies, values, unconnected_gradients=tf.UnconnectedGradients.ZERO)
    return [tf.convert_to_tensor(slope) for slope in slopes]
