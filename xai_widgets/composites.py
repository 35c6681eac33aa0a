"""Rules of relevance propagation as values: their names, and which layer gets which (zennit's composites).

What they compute is in `engine/relevance_rules.py`; here they are only named, so that naming them loads nothing.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

from xai_widgets.declare import nearest


class Rule(NamedTuple):
    """A rule for layers with weights; a number that is None is the method's own `epsilon` or `gamma`."""

    name: str
    numbers: tuple[float, ...] | None = None


EPSILON, GAMMA, Z_PLUS = Rule("epsilon"), Rule("gamma"), Rule("z_plus")
FLAT, W_SQUARE, Z_BOX, PASS = Rule("flat"), Rule("w_square"), Rule("z_box"), Rule("pass")
ALPHA2_BETA1 = Rule("alpha_beta", (2.0, 1.0))

_PLAIN = {rule.name.replace("_", ""): rule for rule in (EPSILON, GAMMA, Z_PLUS, FLAT, W_SQUARE, Z_BOX, PASS)}
_NUMBER = r"(\d+\.?\d*(?:e-?\d+)?)"
RULE_NAMES = (
    *("epsilon", "epsilon(0.1)", "gamma", "gamma(0.5)", "z_plus", "alpha2_beta1"),
    *("flat", "w_square", "z_box", "pass"),
)


class Composite(NamedTuple):
    """Which rule the convolutions get, the dense layers, and those of each kind that come first after the input."""

    convolution: Rule
    dense: Rule
    first_convolution: Rule | None = None
    first_dense: Rule | None = None

    def rule(self, kind: str, first: bool) -> Rule:
        """The rule of a layer of kind "convolution" or "dense"."""
        special = getattr(self, f"first_{kind}") if first else None
        return special or getattr(self, kind)

    @property
    def all(self) -> tuple[Rule, ...]:
        return tuple(rule for rule in self if rule is not None)


COMPOSITES: Mapping[str, Composite] = {
    "epsilon": Composite(EPSILON, EPSILON),
    "epsilon_plus": Composite(Z_PLUS, EPSILON),
    "epsilon_plus_flat": Composite(Z_PLUS, EPSILON, FLAT, FLAT),
    "epsilon_gamma_box": Composite(GAMMA, EPSILON, Z_BOX),
    "epsilon_alpha2_beta1": Composite(ALPHA2_BETA1, EPSILON),
    "epsilon_alpha2_beta1_flat": Composite(ALPHA2_BETA1, EPSILON, FLAT, FLAT),
    "deep_taylor": Composite(Z_PLUS, Z_PLUS, Z_BOX, Z_BOX),
}


def read_rule(text: str) -> Rule:
    """The rule that a text names: "gamma", "gamma(0.5)", "alpha2_beta1"; underscores do not matter.

    Raises:
        ValueError: It names none, or its numbers are out of bounds.
    """
    plain = re.sub(r"[\s_]", "", text.lower()).replace("z+", "zplus")
    if plain in _PLAIN:
        return _PLAIN[plain]
    if found := re.fullmatch(rf"(epsilon|gamma)\((-?){_NUMBER}\)", plain):
        number = float(found[2] + found[3])
        if number <= 0:
            raise ValueError(f"the number of rule {text!r} must be > 0")
        return Rule(found[1], (number,))
    if found := re.fullmatch(rf"alpha{_NUMBER}beta{_NUMBER}", plain):
        alpha, beta = float(found[1]), float(found[2])
        if abs(alpha - beta - 1) > 1e-9:
            raise ValueError(f"rule {text!r} does not conserve: alpha - beta must be 1")
        return Rule("alpha_beta", (alpha, beta))
    raise ValueError(f"unknown rule {text!r}{nearest(text, RULE_NAMES)}")


def write_rule(rule: Rule) -> str:
    """The text that `read_rule` reads as a rule."""
    if rule.numbers is None:
        return rule.name
    if rule.name == "alpha_beta":
        return "alpha{:g}_beta{:g}".format(*rule.numbers)
    return f"{rule.name}({rule.numbers[0]:g})"
