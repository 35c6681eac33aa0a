"""What generated tests expect of each method: a new one has a line here where it differs from the rest."""

import xai_widgets as xai
from xai_widgets.declare import fields
from xai_widgets.methods import METHODS
from xai_widgets.methods.activation_map import ActivationMap

# Parameters for few passes.
FEW = {"integrated_gradients": {"steps": 6}, "expected_gradients": {"samples": 6}, "smooth_grad": {"samples": 6}}


def of_site(specimen):
    """One value for each value of the inputs, or of the layer's output."""
    return specimen.sites


def of_positions(specimen):
    """One value for each position of the last layer that has positions, a map for each of its calls."""
    return list(specimen.maps)


def of_pooled_positions(specimen):
    """The same, where the mean over positions is all that the head sees of them."""
    pooled = any(type(layer).__name__.startswith("GlobalAverage") for layer in specimen.model._flatten_layers())
    return list(specimen.maps) if pooled else []


CAMS = {cls.name: of_positions for cls in METHODS if issubclass(cls, ActivationMap)}
# Shapes of the values without their batch axis, [] where a method does not apply; `of_site` for those not listed.
SHAPES = {**CAMS, "cam": of_pooled_positions}
# What is said where a method does not apply.
REFUSED = dict.fromkeys(CAMS, "no layer with more than one position") | {
    "cam": "no layer with more than one position|GradCAM"
}


def few(cls):
    """The method with few passes."""
    return cls(**FEW.get(cls.name, {}))


def shapes(cls, specimen):
    return [(3, *shape) for shape in SHAPES.get(cls.name, of_site)(specimen)]


def keywords(cls, specimen):
    """What `explain` needs for a specimen: no `wrt` where the method itself has a layer."""
    own = any(field.metadata["kind"] == "layer" for field in fields(cls))
    return {name: value for name, value in specimen.keywords.items() if not (own and name == "wrt")}


def explained(cls, specimen, rows=slice(None), **more):
    return xai.explain(specimen.model, specimen.rows(rows), few(cls), **keywords(cls, specimen), **more)
