"""DeepLIFT's rescale rule: which operation has which multipliers (Shrikumar et al., 2017)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import tensorflow as tf

from xai_widgets.engine import differences, multipliers
from xai_widgets.engine.operations import CALLS, LOOPS
from xai_widgets.engine.rules import Moves, Rule, has_own_gradient, inside

_ACTIVATIONS: dict[str, Callable[..., Any]] = {
    "Abs": differences.absolute,
    "Cos": differences.cos,
    "Elu": differences.elu,
    "Erf": differences.erf,
    "Erfc": differences.erfc,
    "Exp": differences.exp,
    "Expm1": differences.exp,
    "Inv": differences.reciprocal,
    "Log": differences.log,
    "Log1p": differences.log1p,
    "Reciprocal": differences.reciprocal,
    "Relu": differences.relu,
    "Relu6": partial(differences.clip, low=0, high=6),
    "Rsqrt": differences.rsqrt,
    "Selu": differences.selu,
    "Sigmoid": differences.sigmoid,
    "Sin": differences.sin,
    "Softplus": differences.softplus,
    "Softsign": differences.softsign,
    "Sqrt": differences.sqrt,
    "Square": differences.square,
    "Tanh": differences.tanh,
}
_PRODUCTS = ("BatchMatMul", "BatchMatMulV2", "BatchMatMulV3", "Einsum", "MatMul", "Mul")
_MULTIPLIERS: dict[str, Rule] = {
    **{kind: partial(multipliers.activation, divided) for kind, divided in _ACTIVATIONS.items()},
    **dict.fromkeys(_PRODUCTS, multipliers.product),
    "ClipByValue": multipliers.clipped,
    "Div": multipliers.quotient,
    "LogSoftmax": multipliers.log_softmax,
    "Max": multipliers.largest,
    "MaxPool": multipliers.max_pool,
    "MaxPool3D": multipliers.max_pool,
    "Maximum": multipliers.larger,
    "Min": multipliers.smallest,
    "Minimum": multipliers.smaller,
    "Pow": multipliers.power,
    "Prod": multipliers.product_along,
    "RealDiv": multipliers.quotient,
    "Select": multipliers.selected,
    "SelectV2": multipliers.selected,
    "Softmax": multipliers.softmax,
    "SquaredDifference": multipliers.squared_difference,
}
# Linear in what moves, where that is one of their inputs.
_WEIGHTED = frozenset(
    """Conv2D Conv2DBackpropInput Conv3D Conv3DBackpropInputV2 DepthwiseConv2dNative
    DepthwiseConv2dNativeBackpropInput FusedBatchNorm FusedBatchNormV2 FusedBatchNormV3""".split()
)
_LINEAR = frozenset(
    """Add AddN AddV2 AvgPool AvgPool3D BatchToSpaceND BiasAdd BroadcastTo Cast Concat ConcatV2 Cumsum DepthToSpace
    DynamicStitch EnsureShape ExpandDims Gather GatherNd GatherV2 Identity IdentityN MatrixBandPart MatrixDiagPartV3
    MatrixDiagV3 Mean MirrorPad Neg Pack Pad PadV2 Reshape ResizeBicubic ResizeBilinear ResizeNearestNeighbor
    ResourceGather ReverseV2 Roll Slice SpaceToBatchND SpaceToDepth Split SplitV Squeeze StridedSlice Sub Sum
    TensorListFromTensor TensorListGetItem TensorListSetItem TensorListStack Tile Transpose Unpack
    UnsortedSegmentSum""".split()
)
_WITHOUT_INPUT = frozenset({"Const", "NoOp", "Placeholder", "ReadVariableOp"})


class RescaleRules:
    """Multipliers in place of the derivative, for whatever is not linear in what moves."""

    name, paired = "rescale", True

    def rule(self, operation: Any, moves: Moves) -> Rule | None:
        if has_own_gradient(operation):
            return partial(multipliers.passed_on, moves=moves)
        if self._is_linear(operation, moves):
            return None
        if operation.type == "LeakyRelu":
            divided = partial(differences.leaky_relu, alpha=operation.get_attr("alpha"))
            return partial(multipliers.activation, divided, moves=moves)
        if operation.type == "Pow" and moves(operation.inputs[1]):
            return None
        if operation.type == "Prod" and not _counted(operation):
            return None
        found = _MULTIPLIERS.get(operation.type)
        return None if found is None else partial(found, moves=moves)

    def misses(self, operation: Any, moves: Moves) -> bool:
        return not self._is_linear(operation, moves)

    def _is_linear(self, operation: Any, moves: Moves) -> bool:
        kind, moving = operation.type, [moves(tensor) for tensor in operation.inputs]
        if kind == "Cast" and not operation.inputs[0].dtype.is_floating:
            return False  # of a mask, say, whose steps have no derivative
        if kind in _PRODUCTS or kind in _WEIGHTED:
            return sum(moving) == 1
        if kind in ("RealDiv", "Div"):
            return not moving[1]
        if kind in ("Select", "SelectV2"):
            return not moving[0]
        if kind in CALLS:
            return sum(moving) == 1 and inside(operation) <= _LINEAR | _WEIGHTED | _WITHOUT_INPUT
        return kind in _LINEAR or kind in LOOPS


def _counted(product: Any) -> bool:
    """Whether tracing tells how many factors a product along axes has."""
    value, axes = product.inputs
    along = tf.get_static_value(axes)
    return along is not None and all(value.shape[int(axis)] is not None for axis in along.reshape(-1))
