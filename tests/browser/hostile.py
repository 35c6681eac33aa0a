"""Widgets all of whose names are hostile: markup, quotes, line breaks, mathematics, right-to-left marks, emoji."""

from collections.abc import Mapping

import keras
import numpy as np
from keras import layers

import xai_widgets as xai
from xai_widgets.widgets.base import Explainer

SCRIPT = "</script><script>window.broken = 'script'</script><!--"


def evil(kind: str) -> str:
    """A name that does harm wherever it is taken for anything but text."""
    image = f"""<img src=x onerror="window.broken='{kind}'">"""
    return f"{kind} {image}{SCRIPT} ' ` \\ {{0}} %s &lt; \n $\\frac{{$ \u202e{kind} \u2067\u05d0 \U0001f408\u200d\u2b1b"


def model(table: bool) -> keras.Model:
    """A tiny network of a picture, and a table where wanted. TensorFlow allows no evil in the names of layers."""
    keras.utils.set_random_seed(1)
    picture = keras.Input((16, 16, 1), name=evil("picture").replace("/", "|"))
    x = layers.Conv2D(4, 3, activation="relu", name="layer_one")(picture)
    x = layers.Conv2D(4, 3, activation="relu", name="layer_two")(x)
    x = layers.GlobalAveragePooling2D()(x)
    inputs = [picture]
    if table:
        columns = keras.Input((3,), name=evil("table").replace("/", "|"))
        x = layers.Concatenate()([x, layers.Dense(4)(columns)])
        inputs = [columns, picture]
    return keras.Model(inputs, layers.Dense(3)(x), name="model_one")


def hostile(name: str) -> Explainer:
    """The widget of this name, settled, with evil names in each place that its page reads."""
    cls: type[Explainer] = getattr(xai, name)
    table = not any(field == "layer" for field in cls.METHODS[0].__dataclass_fields__)
    rng = np.random.default_rng(0)
    arrays = [rng.random((2, 16, 16, 1), np.float32)]
    if table:
        arrays.insert(0, rng.random((2, 3), np.float32))
    features = [evil(f"feature {place}") for place in range(3)] if table else None
    names = [evil(f"class {place}") for place in range(3)]
    widget = cls(model(table), arrays if table else arrays[0], names=names, features=features)
    widget.result(120)
    # Names of models and layers that TensorFlow refuses may still come from elsewhere: the page must not trust them.
    for trait in widget.keys:
        if trait.startswith("_") and trait not in ("_esm", "_css") and not trait.startswith(("_model_", "_view_")):
            widget.set_trait(trait, poisoned(getattr(widget, trait)))
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
