"""Rules for rectifiers: what guided backprop and the deconvnet do to the signal on its way back."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial
from typing import Any

import tensorflow as tf

from xai_widgets.engine.rules import CALLS, Moves, Rule, inside

_RECTIFIERS = frozenset({"LeakyRelu", "Relu", "Relu6"})
_OTHER_ACTIVATIONS = frozenset({"Elu", "Erf", "Erfc", "Selu", "Sigmoid", "Softplus", "Softsign", "Tanh"})
_BRANCHES = frozenset({"Case", "If", "StatelessCase", "StatelessIf"})


@dataclass(frozen=True)
class ReluRules:
    """Only what is positive passes a rectifier: ReLU, ReLU6, LeakyReLU, and a maximum with zero.

    Attributes:
        where_active: Whether it passes with the rectifier's own derivative too, zero where that is.
    """

    name: str
    where_active: bool

    def rule(self, operation: Any, moves: Moves) -> Rule | None:
        if operation.type in _RECTIFIERS:
            return self._rectified
        if operation.type == "Maximum":
            places = [place for place, one in enumerate(operation.inputs) if _is_zero(one)]
            return partial(self._above_zero, zero=places[0]) if places else None
        return None

    def misses(self, operation: Any, moves: Moves) -> bool:
        kinds = inside(operation)
        hidden = _RECTIFIERS | CALLS if operation.type in CALLS else frozenset()
        return not kinds.isdisjoint(_OTHER_ACTIVATIONS | _BRANCHES | hidden)

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


def _is_zero(tensor: tf.Tensor) -> bool:
    return tensor.shape.rank == 0 and tf.get_static_value(tensor) == 0


# Springenberg et al., 2014.
GUIDED = ReluRules("guided", where_active=True)
# Zeiler and Fergus, 2014.
DECONVOLVED = ReluRules("deconvolved", where_active=False)
