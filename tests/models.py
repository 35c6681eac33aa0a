"""Small models with known answers, and a guard that a model is left as it was."""

import contextlib
from collections.abc import Iterator
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

RNG = np.random.default_rng(0)


def samples(*shape: int, count: int = 3) -> np.ndarray:
    """Standard normal samples, always the same for a shape."""
    return np.random.default_rng(sum(shape)).normal(size=(count, *shape)).astype("float32")


@contextlib.contextmanager
def unchanged(model: Any) -> Iterator[None]:
    """Weights bit for bit, attributes, trainability and dtype policies of a model and its layers stay as they are."""
    before = _state(model)
    yield
    after = _state(model)
    assert before.keys() == after.keys()
    for key, value in before.items():
        np.testing.assert_array_equal(value, after[key], err_msg=key)


def _state(model: Any) -> dict[str, Any]:
    state: dict[str, Any] = {}
    for layer in (model, *model._flatten_layers(include_self=False)):
        state[f"{id(layer)} {layer.name} attributes"] = sorted(layer.__dict__)
        state[f"{id(layer)} {layer.name} flags"] = [layer.trainable, layer.dtype_policy.name]
    state["losses"] = [float(loss) for loss in model.losses]
    for variable in model.variables:
        state[f"{id(variable)} {variable.path}"] = variable.numpy()
    return state


class Function(keras.Model):
    """A model that computes `function`, for closed forms; it has one weight, which does nothing."""

    def __init__(self, function: Any) -> None:
        super().__init__()
        self.function = function
        self.unused = self.add_weight(shape=(), initializer="zeros")

    def build(self, input_shape: Any) -> None:
        self.built = True

    def call(self, x: Any) -> Any:
        return self.function(x)


def function_model(function: Any, features: int | tuple[int, ...]) -> Any:
    """A built `Function` of (N, features), or of (N, ...)."""
    model = Function(function)
    model(np.zeros((1, *np.atleast_1d(features)), "float32"))
    return model


def functional() -> tuple[Any, np.ndarray]:
    """Convolution, pooling, softmax."""
    x = keras.Input((8, 8, 1))
    y = layers.Conv2D(4, 3, activation="relu", name="conv")(x)
    y = layers.Dense(5, activation="softmax")(layers.Flatten()(layers.MaxPooling2D()(y)))
    return keras.Model(x, y), samples(8, 8, 1)


def sequential() -> tuple[Any, np.ndarray]:
    """Logits without a final activation."""
    return keras.Sequential([keras.Input((6,)), layers.Dense(8, "tanh"), layers.Dense(3)]), samples(6)


def nested() -> tuple[Any, np.ndarray]:
    """A backbone in a backbone, with a dotted name."""
    x = keras.Input((8, 8, 3))
    stem = keras.Model(x, layers.Conv2D(4, 3, activation="relu", name="deep.conv")(x), name="stem")
    x = keras.Input((8, 8, 3))
    backbone = keras.Model(x, layers.BatchNormalization()(stem(x)), name="backbone")
    x = keras.Input((8, 8, 3))
    y = layers.Dense(4)(layers.GlobalAveragePooling2D()(backbone(x)))
    return keras.Model(x, layers.Softmax()(y)), samples(8, 8, 3)


class Subclassed(keras.Model):
    """Layers in a list, an inline relu and an inline softmax."""

    def __init__(self) -> None:
        super().__init__()
        self.steps = [layers.Conv2D(4, 3), layers.Conv2D(4, 3)]
        self.head = layers.Dense(4)

    def call(self, x: Any, training: bool = False) -> Any:
        for step in self.steps:
            x = ops.relu(step(x))
        return tf.nn.softmax(self.head(ops.mean(x, axis=(1, 2))))


def subclassed() -> tuple[Any, np.ndarray]:
    """Built by a first call on data."""
    model, inputs = Subclassed(), samples(8, 8, 2)
    model(inputs)
    return model, inputs


class Branching(keras.Model):
    """Branches on a tensor in plain Python, which cannot be traced."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = layers.Dense(3)

    def call(self, x: Any) -> Any:
        y = self.dense(x)
        if tf.reduce_sum(x) > 1e9:
            y = y * 0.0
        return y


def shared_layer() -> tuple[Any, np.ndarray]:
    """One activation layer used twice."""
    relu = layers.ReLU(name="shared")
    x = keras.Input((6,))
    return keras.Model(x, layers.Dense(3, "softmax")(relu(layers.Dense(6)(relu(layers.Dense(6)(x)))))), samples(6)


def binary() -> tuple[Any, np.ndarray]:
    """Dense(1) with a sigmoid."""
    return keras.Sequential([keras.Input((6,)), layers.Dense(4, "relu"), layers.Dense(1, "sigmoid")]), samples(6)


def regression() -> tuple[Any, np.ndarray]:
    """Dense(1) without an activation."""
    return keras.Sequential([keras.Input((6,)), layers.Dense(4, "relu"), layers.Dense(1)]), samples(6)


def mixed_precision() -> tuple[Any, np.ndarray]:
    """float16 inside, softmax in float32."""
    x = keras.Input((8, 8, 1))
    y = layers.Flatten()(layers.Conv2D(4, 3, activation="relu", dtype="mixed_float16")(x))
    y = layers.Dense(3, dtype="mixed_float16")(y)
    return keras.Model(x, layers.Activation("softmax", dtype="float32")(y)), samples(8, 8, 1)


def double_precision() -> tuple[Any, np.ndarray]:
    """float64 throughout."""
    x = keras.Input((6,), dtype="float64")
    return keras.Model(x, layers.Dense(3, "softmax", dtype="float64")(x)), samples(6).astype("float64")


def series() -> tuple[Any, np.ndarray]:
    """A convolution and an LSTM over time."""
    x = keras.Input((12, 2))
    y = layers.LSTM(4)(layers.Conv1D(4, 3, activation="relu")(x))
    return keras.Model(x, layers.Dense(3, "softmax")(y)), samples(12, 2)


def volume() -> tuple[Any, np.ndarray]:
    """A convolution in three dimensions."""
    x = keras.Input((5, 6, 7, 1))
    y = layers.GlobalAveragePooling3D()(layers.Conv3D(3, 3, activation="relu")(x))
    return keras.Model(x, layers.Dense(2, "softmax")(y)), samples(5, 6, 7, 1)


def log_softmax() -> tuple[Any, np.ndarray]:
    """A head of log-probabilities."""
    x = keras.Input((6,))
    return keras.Model(x, layers.Activation("log_softmax")(layers.Dense(4)(x))), samples(6)


ZOO = {
    build.__name__: build
    for build in (
        functional,
        sequential,
        nested,
        subclassed,
        shared_layer,
        binary,
        regression,
        mixed_precision,
        double_precision,
        series,
        volume,
        log_softmax,
    )
}
