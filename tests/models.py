"""Small models with known answers, and a guard that a model is left as it was."""

import contextlib
import functools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from keras import layers, ops

import xai_widgets as xai


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


@dataclass(frozen=True)
class Specimen:
    """A model of the zoo, what goes into it, and what generated tests must know of it; it unpacks into the first two.

    Attributes:
        model: The model, already called once.
        inputs: Three samples: an array, a list or a dict.
        keywords: What `explain` needs besides; without `wrt` for methods that look at layers of their own choice.
        site: Shapes, without batch axis, of what values belong to where `wrt` is given; () for the inputs themselves.
        maps: Shapes of the maps of the last layer with positions, one for each of its calls; () where there is none.
        pooled: Whether that layer is averaged over its positions and then enters a single Dense.
        foreign: Operations that shap's DeepExplainer has no rule for.
        tolerance: How far results may differ between batch sizes, relative to the largest.
    """

    model: Any
    inputs: Any
    keywords: dict[str, Any] = field(default_factory=dict)
    site: tuple[tuple[int, ...], ...] = ()
    maps: tuple[tuple[int, ...], ...] = ()
    pooled: bool = False
    foreign: tuple[str, ...] = ()
    tolerance: float = 3e-5

    def __getitem__(self, place: int) -> Any:
        return (self.model, self.inputs)[place]

    @property
    def arrays(self) -> list[np.ndarray]:
        """The inputs in the order in which TensorFlow flattens them."""
        return tf.nest.flatten(self.inputs)

    @property
    def sites(self) -> list[tuple[int, ...]]:
        """Shapes, without batch axis, of what values belong to."""
        return list(self.site) or [array.shape[1:] for array in self.arrays]

    def rows(self, rows: slice) -> Any:
        """Some of the samples."""
        return tf.nest.map_structure(lambda array: array[rows], self.inputs)


ZOO: dict[str, Callable[[], Specimen]] = {}


def in_zoo(build: Callable[[], Specimen]) -> Callable[[], Specimen]:
    """Enter a model into the zoo: built with the same weights every time, and called once."""

    @functools.wraps(build)
    def built() -> Specimen:
        keras.utils.set_random_seed(2)
        specimen = build()
        specimen.model(specimen.inputs)  # some Keras layers make attributes of their own in their first call
        return specimen

    ZOO[build.__name__] = built
    return built


class Zoo(dict[str, Specimen]):
    """The specimens by name, each built when it is first asked for."""

    def __missing__(self, name: str) -> Specimen:
        self[name] = ZOO[name]()
        return self[name]


# Enough to run every method on in the fast tests: operations inline.
REPRESENTATIVE = ("subclassed",)
# And those whose samples may meet: in state, in precision, in several branches, in masks, in attention.
MEETING = ("mixed_precision", "several_outputs", "siamese", "stateful", "tokens", "transformer", "volume")


@in_zoo
def functional() -> Specimen:
    """Convolution, pooling, softmax."""
    x = keras.Input((8, 8, 1))
    y = layers.Conv2D(4, 3, activation="relu", name="conv")(x)
    y = layers.Dense(5, activation="softmax")(layers.Flatten()(layers.MaxPooling2D()(y)))
    return Specimen(keras.Model(x, y), samples(8, 8, 1), maps=((3, 3),))


@in_zoo
def sequential() -> Specimen:
    """Logits without a final activation."""
    return Specimen(keras.Sequential([keras.Input((6,)), layers.Dense(8, "tanh"), layers.Dense(3)]), samples(6))


@in_zoo
def nested() -> Specimen:
    """A backbone in a backbone, with a dotted name."""
    x = keras.Input((8, 8, 3))
    stem = keras.Model(x, layers.Conv2D(4, 3, activation="relu", name="deep.conv")(x), name="stem")
    x = keras.Input((8, 8, 3))
    backbone = keras.Model(x, layers.BatchNormalization()(stem(x)), name="backbone")
    x = keras.Input((8, 8, 3))
    y = layers.Dense(4)(layers.GlobalAveragePooling2D()(backbone(x)))
    return Specimen(keras.Model(x, layers.Softmax()(y)), samples(8, 8, 3), maps=((6, 6),), pooled=True)


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


@in_zoo
def subclassed() -> Specimen:
    """Built by a first call on data."""
    return Specimen(Subclassed(), samples(8, 8, 2), maps=((4, 4),))


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


class Wrapped(keras.Model):
    """Computes in tf.functions: its call, another method that needs autograph where asked, and an attribute."""

    def __init__(self, loops: bool = False) -> None:
        super().__init__()
        self.conv = layers.Conv2D(4, 3, activation="relu", name="conv")
        self.head = layers.Dense(3)
        self.last = tf.function(lambda x: tf.nn.softmax(x))
        self.loops = loops

    @tf.function
    def pooled(self, x: Any) -> Any:
        if self.loops and tf.reduce_sum(x) > 1e9:
            x = x * 0.0
        return tf.reduce_mean(x, (1, 2))

    @tf.function
    def call(self, x: Any) -> Any:
        return self.last(self.head(self.pooled(self.conv(x))))


@in_zoo
def wrapped() -> Specimen:
    """Layers within a tf.function of the model's own."""
    return Specimen(Wrapped(), samples(8, 8, 2), maps=((6, 6),), pooled=True)


@in_zoo
def wrapped_with_autograph() -> Specimen:
    """The same, out of reach: plain Python cannot run it in a graph."""
    return Specimen(Wrapped(loops=True), samples(8, 8, 2), foreign=("PartitionedCall",))


@in_zoo
def shared_layer() -> Specimen:
    """One activation layer used twice."""
    relu = layers.ReLU(name="shared")
    x = keras.Input((6,))
    y = layers.Dense(3, "softmax")(relu(layers.Dense(6)(relu(layers.Dense(6)(x)))))
    return Specimen(keras.Model(x, y), samples(6))


@in_zoo
def siamese() -> Specimen:
    """One backbone on two inputs."""
    x = keras.Input((8, 8, 1))
    backbone = keras.Model(x, layers.Conv2D(4, 3, activation="relu", name="conv")(x), name="backbone")
    left, right = keras.Input((8, 8, 1)), keras.Input((8, 8, 1))
    apart = ops.abs(layers.Flatten()(backbone(left)) - layers.Flatten()(backbone(right)))
    model = keras.Model([left, right], layers.Dense(1, "sigmoid")(apart))
    inputs = [samples(8, 8, 1), np.roll(samples(8, 8, 1), 1, axis=0)]
    return Specimen(model, inputs, maps=((6, 6), (6, 6)), foreign=("Abs",))


@in_zoo
def dict_inputs() -> Specimen:
    """A picture and a table, by name."""
    picture, table = keras.Input((8, 8, 1), name="picture"), keras.Input((6,), name="table")
    seen = layers.Flatten()(layers.Conv2D(2, 3, activation="relu")(picture))
    y = layers.Dense(3, "softmax")(layers.Concatenate()([seen, layers.Dense(4, "relu")(table)]))
    model = keras.Model({"picture": picture, "table": table}, y)
    return Specimen(model, {"table": samples(6), "picture": samples(8, 8, 1)}, maps=((6, 6),))


@in_zoo
def several_outputs() -> Specimen:
    """Two heads, of which one is named."""
    x = keras.Input((8, 8, 1))
    y = layers.Flatten()(layers.Conv2D(2, 3, activation="relu")(x))
    model = keras.Model(x, {"kind": layers.Dense(3, "softmax")(y), "size": layers.Dense(1)(y)})
    return Specimen(model, samples(8, 8, 1), {"target": xai.Output("kind")}, maps=((6, 6),))


@in_zoo
def binary() -> Specimen:
    """Dense(1) with a sigmoid."""
    model = keras.Sequential([keras.Input((6,)), layers.Dense(4, "relu"), layers.Dense(1, "sigmoid")])
    return Specimen(model, samples(6))


@in_zoo
def regression() -> Specimen:
    """Dense(1) without an activation."""
    return Specimen(keras.Sequential([keras.Input((6,)), layers.Dense(4, "relu"), layers.Dense(1)]), samples(6))


@in_zoo
def mixed_precision() -> Specimen:
    """float16 inside, softmax in float32."""
    x = keras.Input((8, 8, 1))
    y = layers.Flatten()(layers.Conv2D(4, 3, activation="relu", dtype="mixed_float16")(x))
    y = layers.Dense(3, dtype="mixed_float16")(y)
    model = keras.Model(x, layers.Activation("softmax", dtype="float32")(y))
    # float16 layers round differently in other batch sizes
    return Specimen(model, samples(8, 8, 1), maps=((6, 6),), tolerance=2e-2)


@in_zoo
def double_precision() -> Specimen:
    """float64 throughout."""
    x = keras.Input((6,), dtype="float64")
    model = keras.Model(x, layers.Dense(3, "softmax", dtype="float64")(x))
    return Specimen(model, samples(6).astype("float64"))


@in_zoo
def grey_without_channels() -> Specimen:
    """A picture whose channel axis is made within the model."""
    x = keras.Input((9, 9))
    y = layers.Conv2D(3, 3, activation="relu")(layers.Reshape((9, 9, 1))(x))
    return Specimen(keras.Model(x, layers.Dense(3)(layers.Flatten()(y))), samples(9, 9), maps=((7, 7),))


@in_zoo
def five_channels() -> Specimen:
    """More channels than colours, an oblong picture, and a convolution with groups."""
    x = keras.Input((6, 9, 5))
    y = layers.DepthwiseConv2D(3, activation="relu")(x)
    y = layers.Dense(3, "softmax")(layers.GlobalMaxPooling2D()(y))
    return Specimen(keras.Model(x, y), samples(6, 9, 5), maps=((4, 7),), foreign=("DepthwiseConv2dNative",))


@in_zoo
def series() -> Specimen:
    """A convolution and an LSTM over time."""
    x = keras.Input((12, 2))
    y = layers.LSTM(4)(layers.Conv1D(4, 3, activation="relu")(x))
    model = keras.Model(x, layers.Dense(3, "softmax")(y))
    return Specimen(model, samples(12, 2), maps=((10,),), foreign=("While",))


@in_zoo
def volume() -> Specimen:
    """A convolution in three dimensions."""
    x = keras.Input((5, 6, 7, 1))
    y = layers.GlobalAveragePooling3D()(layers.Conv3D(3, 3, activation="relu")(x))
    model = keras.Model(x, layers.Dense(2, "softmax")(y))
    return Specimen(model, samples(5, 6, 7, 1), maps=((3, 4, 5),), pooled=True, foreign=("Conv3D",))


def _tokens(mask: bool) -> Specimen:
    x = keras.Input((7,), dtype="int32")
    y = layers.GRU(4)(layers.Embedding(20, 3, mask_zero=mask, name="words")(x))
    ids = np.array([[1, 2, 3, 4, 5, 6, 7], [9, 8, 7, 6, 0, 0, 0], [19, 1, 0, 0, 0, 0, 0]])
    model = keras.Model(x, layers.Dense(3, "softmax")(y))
    return Specimen(model, ids, {"wrt": "words"}, site=((7, 3),), maps=((7,),), foreign=("While",))


@in_zoo
def tokens() -> Specimen:
    """Token ids, an embedding that masks id 0, and a GRU."""
    return _tokens(mask=True)


@in_zoo
def tokens_without_mask() -> Specimen:
    """The same without a mask."""
    return _tokens(mask=False)


@in_zoo
def transformer() -> Specimen:
    """Attention between steps, with skip connections and layer normalisation."""
    x = keras.Input((6, 4))
    # The bias keeps the path from a baseline of zeros away from the pole of the normalisation at 0.
    y = layers.Dense(4, bias_initializer=keras.initializers.RandomNormal(stddev=2, seed=1))(x)
    y = layers.LayerNormalization()(layers.Add()([y, layers.MultiHeadAttention(2, 3)(y, y)]))
    y = layers.LayerNormalization()(layers.Add()([y, layers.Dense(4, "gelu")(y)]))
    model = keras.Model(x, layers.Dense(3, "softmax")(layers.GlobalAveragePooling1D()(y)))
    return Specimen(model, samples(6, 4), maps=((6,),), pooled=True, foreign=("Einsum", "Erfc"))


@in_zoo
def lambda_layer() -> Specimen:
    """A function of the user's as a layer."""
    x = keras.Input((8, 8, 1))
    y = layers.Lambda(lambda values: ops.tanh(values) * 2, output_shape=(8, 8, 1))(x)
    return Specimen(keras.Model(x, layers.Dense(3, "softmax")(layers.Flatten()(y))), samples(8, 8, 1), maps=((8, 8),))


@in_zoo
def saturated() -> Specimen:
    """A softmax that is 0 or 1 in float32, and whose gradient is therefore 0."""
    x = keras.Input((6,))
    y = layers.Dense(3, kernel_initializer=keras.initializers.RandomNormal(stddev=500, seed=1))(x)
    return Specimen(keras.Model(x, layers.Softmax()(y)), samples(6))


@in_zoo
def stateful() -> Specimen:
    """An LSTM that keeps its state from call to call, for batches of three."""
    x = keras.Input(batch_shape=(3, 5, 2))
    y = layers.LSTM(4, stateful=True)(x)
    return Specimen(keras.Model(x, layers.Dense(3, "softmax")(y)), samples(5, 2), foreign=("While",))


@in_zoo
def normalised() -> Specimen:
    """Batch norm with statistics of its own, and dropout."""
    x = keras.Input((8, 8, 1))
    norm = layers.BatchNormalization()
    y = layers.Dropout(0.5)(layers.ReLU()(norm(layers.Conv2D(4, 3)(x))))
    model = keras.Model(x, layers.Dense(3, "softmax")(layers.Flatten()(y)))
    norm.moving_mean.assign([0.5, -0.5, 0.2, 0])
    norm.moving_variance.assign([2, 0.5, 1, 3])
    return Specimen(model, samples(8, 8, 1), maps=((6, 6),))


@in_zoo
def log_softmax() -> Specimen:
    """A head of log-probabilities."""
    x = keras.Input((6,))
    return Specimen(keras.Model(x, layers.Activation("log_softmax")(layers.Dense(4)(x))), samples(6))
