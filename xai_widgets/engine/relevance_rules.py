"""Rules of layer-wise relevance propagation: how a weighted sum hands its relevance on to its inputs.

Each is a small function of a `WeightedSum` and the relevance of its output. All that tell positive from negative
contributions rest on one identity: of a product c = x w the positive part is (c + |c|) / 2 and the negative part
(c - |c|) / 2, and |c| = |x| |w|. So sums over either sign cost one application of the layer to magnitudes, whatever
the signs of the input, and sharing out by any weighting of the signs costs two transposed ones.

Papers: epsilon and alpha-beta, Bach et al., 2015; gamma, Montavon et al., 2019; z+, w-square and z-box, Montavon et
al., 2017; flat, Lapuschkin et al., 2019.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import tensorflow as tf

from xai_widgets.composites import Rule

# Of every denominator but that of the epsilon rule, which has the method's own.
STABILISER = 1e-6
_ROUNDING = 16


class WeightedSum(NamedTuple):
    """A layer as a rule sees it: `output = apply(x, weights) + bias`, with a batch norm behind it folded in.

    Attributes:
        x: Its input.
        weights: Its weights.
        products: `apply(x, weights)`.
        bias: A tensor that broadcasts to the output, or zero.
        apply: From an input and weights to the sum of their products.
        pull: From weights and values like the output to values like the input: the transposed layer.
        bounds: The smallest and the largest value that each input may have, computed where they are asked for.
    """

    x: tf.Tensor
    weights: tf.Tensor
    products: tf.Tensor
    bias: tf.Tensor
    apply: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
    pull: Callable[[tf.Tensor, tf.Tensor], tf.Tensor]
    bounds: Callable[[], tuple[tf.Tensor, tf.Tensor]]

    @property
    def output(self) -> tf.Tensor:
        return self.products + self.bias

    def magnitudes(self) -> tf.Tensor:
        """The sum of the products' magnitudes."""
        return self.apply(tf.abs(self.x), tf.abs(self.weights))

    def shares(self, of_products: tf.Tensor, of_magnitudes: tf.Tensor) -> tf.Tensor:
        """What inputs get where each product gets `of_products` times itself and `of_magnitudes` times its size."""
        signed = self.x * self.pull(self.weights, of_products)
        return signed + tf.abs(self.x) * self.pull(tf.abs(self.weights), of_magnitudes)


def stabilised(tensor: tf.Tensor, epsilon: tf.Tensor | float = STABILISER) -> tf.Tensor:
    """The tensor moved away from zero by epsilon; zero counts as positive."""
    away = tf.cast(epsilon, tensor.dtype)
    return tensor + tf.where(tensor >= 0, away, -away)


def propagate(rule: Rule, layer: WeightedSum, relevance: tf.Tensor, epsilon: tf.Tensor, gamma: tf.Tensor) -> tf.Tensor:
    """The relevance of a layer's input.

    Args:
        rule: Which rule.
        layer: The layer.
        relevance: That of its output.
        epsilon, gamma: What the rules of these names take where they have no number of their own.
    """
    if rule.name == "epsilon":
        return epsilon_rule(layer, relevance, rule.numbers[0] if rule.numbers else epsilon)
    if rule.name == "gamma":
        return gamma_rule(layer, relevance, tf.constant(rule.numbers[0], relevance.dtype) if rule.numbers else gamma)
    if rule.name == "alpha_beta":
        assert rule.numbers is not None
        return alpha_beta_rule(layer, relevance, *rule.numbers)
    return _WITHOUT_NUMBERS[rule.name](layer, relevance)


def epsilon_rule(layer: WeightedSum, relevance: tf.Tensor, epsilon: tf.Tensor | float) -> tf.Tensor:
    """In proportion to the products; the bias and epsilon take their share."""
    return layer.x * layer.pull(layer.weights, relevance / stabilised(layer.output, epsilon))


def gamma_rule(layer: WeightedSum, relevance: tf.Tensor, gamma: tf.Tensor) -> tf.Tensor:
    """Products that have the sign of the output count 1 + gamma times (zennit's form, for inputs of either sign)."""
    one = tf.ones((), relevance.dtype)
    sign = tf.where(layer.output >= 0, one, -one)
    favoured = (layer.products + sign * layer.magnitudes()) / 2 + sign * tf.nn.relu(sign * layer.bias)
    share = relevance / stabilised(layer.output + gamma * favoured)
    return layer.shares(share * (1 + gamma / 2), share * sign * gamma / 2)


def alpha_beta_rule(layer: WeightedSum, relevance: tf.Tensor, alpha: float, beta: float) -> tf.Tensor:
    """Alpha times the relevance to the positive products, minus beta times to the negative ones."""
    magnitudes = layer.magnitudes()
    # Twice the sums of either sign, for half the shares: nothing this large is halved and doubled again.
    up = alpha * _over(relevance, magnitudes + layer.products + 2 * tf.nn.relu(layer.bias), magnitudes)
    if beta == 0:
        return layer.shares(up, up)
    down = beta * _over(relevance, magnitudes - layer.products + 2 * tf.nn.relu(-layer.bias), magnitudes)
    return layer.shares(up + down, up - down)


def z_plus_rule(layer: WeightedSum, relevance: tf.Tensor) -> tf.Tensor:
    """To the positive products alone."""
    return alpha_beta_rule(layer, relevance, 1.0, 0.0)


def flat_rule(layer: WeightedSum, relevance: tf.Tensor) -> tf.Tensor:
    """The same to every input that is connected."""
    ones = tf.ones_like(layer.weights)
    return layer.pull(ones, relevance / stabilised(layer.apply(tf.ones_like(layer.x), ones)))


def w_square_rule(layer: WeightedSum, relevance: tf.Tensor) -> tf.Tensor:
    """In proportion to the squared weights."""
    squares = tf.square(layer.weights)
    return layer.pull(squares, relevance / stabilised(layer.apply(tf.ones_like(layer.x), squares)))


def z_box_rule(layer: WeightedSum, relevance: tf.Tensor) -> tf.Tensor:
    """In proportion to the way from the end of the input's range that speaks least for the output."""
    low, high = layer.bounds()
    up, down = tf.nn.relu(layer.weights), -tf.nn.relu(-layer.weights)
    share = relevance / stabilised(layer.products - layer.apply(low, up) - layer.apply(high, down))
    return layer.x * layer.pull(layer.weights, share) - low * layer.pull(up, share) - high * layer.pull(down, share)


def pass_rule(layer: WeightedSum, relevance: tf.Tensor) -> tf.Tensor:
    """As it is, where input and output have the same shape."""
    if not layer.x.shape.is_compatible_with(relevance.shape):
        raise ValueError(
            f"the rule pass needs an output of the input's shape, {tuple(layer.x.shape)}, got {tuple(relevance.shape)}"
        )
    return relevance


_WITHOUT_NUMBERS: dict[str, Callable[[WeightedSum, tf.Tensor], tf.Tensor]] = {
    "z_plus": z_plus_rule,
    "flat": flat_rule,
    "w_square": w_square_rule,
    "z_box": z_box_rule,
    "pass": pass_rule,
}


def _over(relevance: tf.Tensor, doubled: tf.Tensor, magnitudes: tf.Tensor) -> tf.Tensor:
    """The relevance over twice a sum that is not negative; zero where that is but rounding of larger sums."""
    rounding = 2 * _ROUNDING * np.finfo(relevance.dtype.as_numpy_dtype).eps * magnitudes
    return relevance / tf.where(doubled > rounding, doubled + 2 * STABILISER, np.inf)
