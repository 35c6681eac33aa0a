"""Widgets all of whose names are hostile: markup, quotes, line breaks, mathematics, right-to-left marks, emoji."""

from collections.abc import Mapping

import anywidget
import keras
import numpy as np
from keras import layers

import xai_widgets as xai

SCRIPT = "</script><script>window.broken = 'script'</script><!--"
SHAPES = {"picture": (16, 16, 1), "table": (3,)}


def evil(kind: str) -> str:
    """A name that does harm wherever it is taken for anything but text."""
    image = f"""<img src=x onerror="window.broken='{kind}'">"""
    return f"{kind} {image}{SCRIPT} ' ` \\ {{0}} %s &lt; \n $\\frac{{$ \u202e{kind} \u2067\u05d0 \U0001f408\u200d\u2b1b"


def model(*inputs: str) -> keras.Model:
    """A tiny network of pictures, tables, or both. TensorFlow allows no evil in the names of layers."""
    keras.utils.set_random_seed(1)
    given = [keras.Input(SHAPES[name], name=evil(name).replace("/", "|")) for name in inputs]
    parts = [layers.Dense(4)(one) if one.ndim == 2 else convolved(one) for one in given]
    x = layers.Concatenate()(parts) if len(parts) > 1 else parts[0]
    return keras.Model(given, layers.Dense(3)(x), name="model_one")


def convolved(picture: keras.KerasTensor) -> keras.KerasTensor:
    x = layers.Conv2D(4, 3, activation="relu", name="layer_one")(picture)
    x = layers.Conv2D(4, 3, activation="relu", name="layer_two")(x)
    return layers.GlobalAveragePooling2D()(x)


def hostile(name: str, *inputs: str, others: int = 0) -> anywidget.AnyWidget:
    """The widget of this name, settled, with evil names in each place that its page reads; of other models, too."""
    rng = np.random.default_rng(0)
    arrays = [rng.random((2, *SHAPES[one]), np.float32) for one in inputs]
    names = [evil(f"class {place}") for place in range(3)]
    features = [evil(f"feature {place}") for place in range(3)] if "table" in inputs else None
    given = arrays if len(arrays) > 1 else arrays[0]
    models = {"models": {evil(f"other {place}"): model(*inputs) for place in range(others)}} if others else {}
    widget = getattr(xai, name)(model(*inputs), given, names=names, features=features, **models)
    widget.settle(120)
    # Names of models and layers that TensorFlow refuses may still come from elsewhere: the page must not trust them.
    for one in (widget, *getattr(widget, "views", {}).values()):
        for trait in one.keys:
            if trait.startswith("_") and trait not in ("_esm", "_css") and not trait.startswith(("_model_", "_view_")):
                one.set_trait(trait, poisoned(getattr(one, trait)))
    return widget


def poisoned(value: object) -> object:
    """The same with evil names of model and layers."""
    if isinstance(value, str):
        return value.replace("layer_one", evil("layer")).replace("model_one", evil("model"))
    if isinstance(value, Mapping):
        return {key: poisoned(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [poisoned(one) for one in value]
    return value
