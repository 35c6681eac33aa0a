"""Rules for rectifiers: what guided backprop and the deconvnet do to the signal on its way back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import tensorflow as tf

from xai_widgets.engine.rules import Moves, Rule

_OPAQUE = frozenset({"PartitionedCall", "StatefulPartitionedCall", "If", "StatelessIf", "Case", "StatelessCase"})
_OTHER_ACTIVATIONS = frozenset({"Elu", "Selu", "Sigmoid", "Tanh", "Softplus", "Softsign", "Erf", "Erfc"})


def guided(operation: Any, gradient: tf.Tensor) -> Any:
    """Only what is positive passes, and only where the unit was active (Springenberg et al., 2015)."""
    return _slope(operation, tf.nn.relu(gradient))


def deconvolved(operation: Any, gradient: tf.Tensor) -> Any:
    """The signal is rectified as the activation was on the way up, whatever it was (Zeiler and Fergus, 2014)."""
    if operation.type == "LeakyRelu":
        return tf.nn.leaky_relu(gradient, operation.get_attr("alpha"))
    return tf.nn.relu(gradient)


def _slope(operation: Any, gradient: tf.Tensor) -> tf.Tensor:
    """TensorFlow's own derivative."""
    features = operation.inputs[0]
    if operation.type == "LeakyRelu":
        alpha = operation.get_attr("alpha")
        return tf.raw_ops.LeakyReluGrad(gradients=gradient, features=features, alpha=alpha)
    grad = tf.raw_ops.Relu6Grad if operation.type == "Relu6" else tf.raw_ops.ReluGrad
    return grad(gradients=gradient, features=features)


@dataclass(frozen=True)
class ReluRules:
    """One rule for all rectifiers: ReLU, ReLU6 and LeakyReLU."""

    name: str
    change: Rule

    def rule(self, operation: Any, moves: Moves) -> Rule | None:
        return self.change if operation.type in ("Relu", "Relu6", "LeakyRelu") else None

    def misses(self, operation: Any, moves: Moves) -> bool:
        return operation.type in _OPAQUE | _OTHER_ACTIVATIONS


GUIDED = ReluRules("guided", guided)
DECONVOLVED = ReluRules("deconvolved", deconvolved)
