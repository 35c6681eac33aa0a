"""The two example networks, shared by the code that trains them and the code that loads them.

Keras is imported inside the functions, so that importing this module costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import keras


def digits_network() -> keras.Model:
    """Build the digit classifier with fresh random weights (693,962 parameters).

    Returns:
        A functional model from float32 pictures of shape (n, 28, 28, 1), in [0, 1], to float32 class
        probabilities of shape (n, 10).
    """
    import keras

    pixels = keras.Input((28, 28, 1), name="pixels")
    x = keras.layers.Conv2D(32, 3, activation="relu", name="conv")(pixels)
    x = keras.layers.MaxPooling2D(name="pool")(x)
    x = keras.layers.Flatten(name="flatten")(x)
    x = keras.layers.Dense(128, activation="relu", name="hidden")(x)
    probabilities = keras.layers.Dense(10, activation="softmax", name="probabilities")(x)
    return keras.Model(pixels, probabilities, name="digits")


def tabular_network(mean: np.ndarray, variance: np.ndarray) -> keras.Model:
    """Build the table classifier with fresh random weights.

    Standardisation is the first layer, so that the model takes features in their own units. Its two
    vectors are constants of that layer, not weights.

    Args:
        mean: Mean of each feature over the training rows, shape (features,).
        variance: Variance of each feature over the training rows, shape (features,).

    Returns:
        A functional model from float32 rows of shape (n, features), raw values, to float32 class
        probabilities of shape (n, 2).
    """
    import keras

    measurements = keras.Input((len(mean),), name="measurements")
    x = keras.layers.Normalization(mean=mean, variance=variance, name="standardise")(measurements)
    x = keras.layers.Dense(32, activation="relu", name="hidden_1")(x)
    x = keras.layers.Dense(16, activation="relu", name="hidden_2")(x)
    probabilities = keras.layers.Dense(2, activation="softmax", name="probabilities")(x)
    return keras.Model(measurements, probabilities, name="tabular")


def read_weights(model: keras.Model, dtype: str) -> dict[str, np.ndarray]:
    """Copy the weights of `model` out, cast to `dtype`, under keys such as "conv/kernel"."""
    return {
        f"{layer.name}/{weight.name}": np.asarray(weight).astype(dtype)
        for layer in model.layers
        for weight in layer.weights
    }


def write_weights(model: keras.Model, stored: Mapping[str, np.ndarray]) -> None:
    """Set every weight of `model` from the arrays of `read_weights`; a missing key or wrong shape raises."""
    for layer in model.layers:
        layer.set_weights([stored[f"{layer.name}/{weight.name}"] for weight in layer.weights])
