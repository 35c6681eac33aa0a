"""What generated tests expect of each method: a new one has a line in `SHAPES` where it differs from the rest.

A rule takes a specimen and gives the shapes of the values without their batch axis, None for a size that only the
method knows; [] where the method does not apply, and says so.
"""

import xai_widgets as xai
from xai_widgets.declare import fields
from xai_widgets.layout import positions
from xai_widgets.trees import leaves

# Parameters, of whichever method has them, for few passes.
FEW = {"steps": 6, "samples": 16}


def of_site(specimen):
    """One value for each value of the inputs, or of the layer's output."""
    return specimen.sites


def of_maps(specimen):
    """One value for each position of the last layer that has positions, a map for each of its calls."""
    return list(specimen.maps)


def of_pooled_maps(specimen):
    """The same where the layer is averaged and then enters a single Dense."""
    return list(specimen.maps) if specimen.pooled else []


def of_maps_in_the_input(specimen):
    """The same where maps can be laid over the inputs."""
    return [] if specimen.site else list(specimen.maps)


def of_inputs_with_maps(specimen):
    """One value for each value of the inputs, token ids included, where some layer has positions."""
    return [array.shape[1:] for array in specimen.arrays] if specimen.maps else []


def of_channels(specimen):
    """One value for each channel and position of the last layer that has positions."""
    return [(*shape, None) for shape in specimen.maps]


def of_positions(specimen):
    """One value for each position, the channels together; one for each feature of a table."""
    return [(*spots(shape), 1) if spots(shape) else shape for shape in specimen.sites]


def of_segments(specimen):
    """One value for each segment of a picture or volume; for each step of a series, each feature of a table."""
    return [(None,) if len(spots(shape)) > 1 else spots(shape) or shape for shape in specimen.sites]


def of_regions(specimen):
    """One value for each position of pictures and series."""
    fits = all(len(spots(shape)) in (1, 2) for shape in specimen.sites) and not specimen.site
    return of_positions(specimen) if fits else []


def of_inputs(specimen):
    """One value for each value of the inputs, where they are no token ids."""
    return [] if specimen.site else specimen.sites


def of_blurred(specimen):
    """One value for each value of inputs that have positions."""
    return specimen.sites if all(map(spots, specimen.sites)) and not specimen.site else []


def of_ruled(specimen):
    """One value for each value where shap's DeepExplainer has a rule for all that the model computes."""
    return [] if specimen.foreign else specimen.sites


def spots(shape):
    return positions((None, *shape))


SHAPES = {
    "ablation_cam": of_maps,
    "activation_maximization": of_inputs,
    "blur_ig": of_blurred,
    "cam": of_pooled_maps,
    "conductance": of_channels,
    "deep_shap": of_ruled,
    "eigen_cam": of_maps,
    "grad_cam": of_maps,
    "grad_cam_plus_plus": of_maps,
    "guided_grad_cam": of_inputs_with_maps,
    "hi_res_cam": of_maps,
    "kernel_shap": of_segments,
    "layer_cam": of_maps,
    "lime": of_segments,
    "occlusion": of_positions,
    "rise": of_positions,
    "score_cam": of_maps_in_the_input,
    "x_grad_cam": of_maps,
    "xrai": of_regions,
}

# Relative to the largest value, how far a method's values may depend on how samples are batched: a regression on few
# draws magnifies the rounding of the scores.
TOLERANCE = {"kernel_shap": 1e-3}

# How far sums of many draws may be from the difference of the scores; shap's places are not spread evenly.
SUMS = {"gradient_shap": 0.06}


def of_size(cls, most):
    """The method with its sizes set, as far as it has them."""
    return cls(**{name: most[name] for name in (field.name for field in fields(cls)) if name in most})


def few(cls):
    """The method with few passes."""
    return of_size(cls, FEW)


def shapes(cls, specimen):
    """Of the values, [] where the method does not apply."""
    return [(3, *shape) for shape in SHAPES.get(cls.name, of_site)(specimen)]


def fit(values, expected):
    """Whether arrays have the shapes that a rule tells."""
    arrays = leaves(values)
    return len(arrays) == len(expected) and all(
        array.ndim == len(shape) and all(want in (None, size) for size, want in zip(array.shape, shape, strict=True))
        for array, shape in zip(arrays, expected, strict=True)
    )


def keywords(cls, specimen):
    """What `explain` needs for a specimen: no `wrt` where the method itself has a layer."""
    own = any(field.metadata["kind"] == "layer" for field in fields(cls))
    return {name: value for name, value in specimen.keywords.items() if not (own and name == "wrt")}


def explained(cls, specimen, rows=slice(None), **more):
    """An attribution of a specimen with few passes."""
    return xai.explain(specimen.model, specimen.rows(rows), few(cls), **keywords(cls, specimen), **more)
