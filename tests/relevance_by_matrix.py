"""Relevance rules written out slowly, product by product, for one weighted sum as a matrix; zennit's definitions.

Of z_ij = x_i w_ij, with biases b_j: every rule says how the relevance R_j of an output goes to the inputs.
"""

import numpy as np

STABILISER = 1e-6


def stabilised(z, epsilon=STABILISER):
    return z + epsilon if z >= 0 else z - epsilon


def propagate(rule, x, w, b, relevance, low=None, high=None):
    """(inputs,) from (outputs,); `w` is (inputs, outputs)."""
    out = np.zeros(len(x))
    for j, r in enumerate(relevance):
        out += r * RULES[rule](x, w[:, j], b[j], low, high)
    return out


def epsilon(x, w, b, *_, size=STABILISER):
    z = x * w
    return z / stabilised(z.sum() + b, size)


def gamma(x, w, b, *_, size=0.25):
    positive = (x * w).sum() + b >= 0
    count = [1 + size if (one > 0) == positive else 1 for one in x * w]
    bias = b * (1 + size if (b > 0) == positive else 1)
    z = x * w * count
    return z / stabilised(z.sum() + bias)


def alpha_beta(x, w, b, *_, alpha=2, beta=1):
    z = x * w
    up, down = np.where(z > 0, z, 0), np.where(z < 0, z, 0)
    return alpha * up / stabilised(up.sum() + max(b, 0)) - beta * down / stabilised(down.sum() + min(b, 0))


def z_plus(x, w, b, *_):
    return alpha_beta(x, w, b, alpha=1, beta=0)


def flat(x, w, *_, connected=True):
    return np.full(len(x), 1 / stabilised(len(x)))


def w_square(x, w, *_):
    return w**2 / stabilised((w**2).sum())


def z_box(x, w, b, low, high):
    z = [one * v - (lo if v > 0 else hi) * v for one, v, lo, hi in zip(x, w, low, high, strict=True)]
    return np.array(z) / stabilised(sum(z))


RULES = {
    "epsilon": epsilon,
    "epsilon(0.3)": lambda *values: epsilon(*values, size=0.3),
    "gamma": gamma,
    "gamma(0.7)": lambda *values: gamma(*values, size=0.7),
    "alpha2_beta1": alpha_beta,
    "alpha1_beta0": lambda *values: alpha_beta(*values, alpha=1, beta=0),
    "z_plus": z_plus,
    "flat": flat,
    "w_square": w_square,
    "z_box": z_box,
}
