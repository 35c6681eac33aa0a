"""Rules for rectifiers: what guided backprop and the deconvnet do to the signal on its way back."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import tensorflow as tf

from xai_widgets.engine.operations import CALLS
from xai_widgets.engine.reach import unwrapped
from xai_widgets.engine.rules import Moves, Rule, inside

_RECTIFIERS = frozenset({"LeakyRelu", "Relu", "Relu6"})
_OTHER_ACTIVATIONS = frozenset({"Elu", "Erf", "Erfc", "Selu", "Sigmoid", "Softplus", "Softsign", "Tanh"})
# Of two pieces, where no rule knows which of them is the rectifier's.
_PIECEWISE = frozenset({"Abs", "ClipByValue", "Maximum", "Minimum"})
_BRANCHES = frozenset({"Case", "If", "StatelessCase", "StatelessIf"})


@dataclass(frozen=True)
class ReluRules:
    """Only what is positive passes a rectifier: ReLU, ReLU6, LeakyReLU, or written as a maximum or a choice.

    Attributes:
        where_active: Whether it passes with the rectifier's own derivative too, zero where that is.
    """

    name: str
    where_active: bool

    paired = False

    def rule(self, operation: Any, moves: Moves) -> Rule | None:
        if operation.type in _RECTIFIERS:
            return self._rectified
        if operation.type == "Maximum":
            places = [place for place, one in enumerate(operation.inputs) if _is_zero(one)]
            return partial(self._above_zero, zero=places[0]) if places else None
        if operation.type in ("Select", "SelectV2"):
            above, value, below = operation.inputs
            found = _is_zero(below) and _tells_where_above(above, value, moves) and _fills(value, operation)
            return partial(self._where, mask=0, place=1) if found else None
        if operation.type == "Mul":
            for place in (0, 1):
                value, factor = operation.inputs[place], operation.inputs[1 - place]
                mask = _mask(factor)
                if mask is not None and _tells_where_above(mask, value, moves) and _fills(value, operation):
                    return partial(self._where, mask=1 - place, place=place)
        return None

    def misses(self, operation: Any, moves: Moves) -> bool:
        if operation.type in ("Select", "SelectV2"):
            return moves(operation.inputs[0])
        if operation.type == "Mul":
            return all(map(moves, operation.inputs)) and any(_mask(one) is not None for one in operation.inputs)
        kinds = inside(operation)
        hidden = _RECTIFIERS | CALLS if operation.type in CALLS else frozenset()
        return not kinds.isdisjoint(_OTHER_ACTIVATIONS | _PIECEWISE | _BRANCHES | hidden)

    def _rectified(self, operation: Any, gradient: tf.Tensor) -> Any:
        positive, features = tf.nn.relu(gradient), operation.inputs[0]
        if not self.where_active:
            return positive
        if operation.type == "LeakyRelu":
            alpha = operation.get_attr("alpha")
            return tf.raw_ops.LeakyReluGrad(gradients=positive, features=features, alpha=alpha)
        derivative = tf.raw_ops.Relu6Grad if operation.type == "Relu6" else tf.raw_ops.ReluGrad
        return derivative(gradients=positive, features=features)

    def _above_zero(self, operation: Any, gradient: tf.Tensor, zero: int) -> list[Any]:
        positive, features = tf.nn.relu(gradient), operation.inputs[1 - zero]
        passed = tf.raw_ops.ReluGrad(gradients=positive, features=features) if self.where_active else positive
        return [None, passed] if zero == 0 else [passed, None]

    def _where(self, operation: Any, gradient: tf.Tensor, mask: int, place: int) -> list[Any]:
        positive = tf.nn.relu(gradient)
        passed = positive * tf.cast(operation.inputs[mask], positive.dtype) if self.where_active else positive
        return [passed if one == place else None for one in range(len(operation.inputs))]


def _is_zero(tensor: tf.Tensor) -> bool:
    operation = unwrapped(tensor).op
    if operation.type in ("BroadcastTo", "Cast", "Reshape"):
        return _is_zero(operation.inputs[0])
    if operation.type == "Fill":
        return _is_zero(operation.inputs[1])
    known = tf.get_static_value(tensor)
    return operation.type == "ZerosLike" or (known is not None and not known.any())


def _mask(factor: tf.Tensor) -> tf.Tensor | None:
    """The condition that a factor of ones and zeros is made of."""
    operation = unwrapped(factor).op
    return operation.inputs[0] if operation.type == "Cast" and operation.inputs[0].dtype == tf.bool else None


def _tells_where_above(condition: tf.Tensor, value: tf.Tensor, moves: Moves) -> bool:
    """Whether a condition is that a value lies above a threshold, which does not move."""
    operation = unwrapped(condition).op
    if operation.type in ("Greater", "GreaterEqual"):
        compared, threshold = operation.inputs
    elif operation.type in ("Less", "LessEqual"):
        threshold, compared = operation.inputs
    else:
        return False
    return unwrapped(compared) is unwrapped(value) and not moves(threshold)


def _fills(value: tf.Tensor, operation: Any) -> bool:
    """Whether a value is as large as what is made of it, and not spread out."""
    shape = value.shape
    return shape.rank is not None and bool(shape.as_list() == operation.outputs[0].shape.as_list())


# Springenberg et al., 2014.
GUIDED = ReluRules("guided", where_active=True)
# Zeiler and Fergus, 2014.
DECONVOLVED = ReluRules("deconvolved", where_active=False)
