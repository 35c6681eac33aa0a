"""Tests of the shipped examples: that they are what they say, load lazily and stay small."""

import os
import subprocess
import sys
from dataclasses import FrozenInstanceError
from pathlib import Path

import numpy as np
import pytest

from xai_widgets import examples

FOLDER = Path(examples.__file__).parent


@pytest.fixture(scope="module")
def digits():
    return examples.digits()


@pytest.fixture(scope="module")
def table():
    return examples.tabular()


def probabilities(example):
    return example.model.predict(example.inputs, verbose=0)


def accuracy(example):
    return np.mean(probabilities(example).argmax(axis=1) == example.labels)


def test_digits_data(digits):
    assert digits.inputs.shape == (500, 28, 28, 1)
    assert digits.inputs.dtype == np.float32
    assert digits.inputs.min() == 0
    assert digits.inputs.max() == 1
    assert digits.labels.dtype == np.int64
    np.testing.assert_array_equal(digits.labels, np.tile(np.arange(10), 50))
    assert digits.names == ("0", "1", "2", "3", "4", "5", "6", "7", "8", "9")
    assert digits.features == ()


def test_digits_are_distinct(digits):
    assert len(np.unique(digits.inputs.reshape(500, -1), axis=0)) == 500


def test_digits_network(digits):
    assert [layer.name for layer in digits.model.layers] == [
        "pixels", "conv", "pool", "flatten", "hidden", "probabilities",
    ]  # fmt: skip
    assert digits.model.count_params() == 693_962
    assert digits.model.input_shape == (None, 28, 28, 1)
    assert digits.model.output_shape == (None, 10)
    assert digits.model.layers[-1].activation.__name__ == "softmax"


def test_digits_accuracy(digits):
    assert accuracy(digits) > 0.97


def test_table_data(table):
    from sklearn.datasets import load_breast_cancer

    assert table.inputs.shape == (114, 30)
    assert table.inputs.dtype == np.float32
    assert table.labels.shape == (114,)
    assert table.labels.dtype == np.int64
    assert table.names == ("malignant", "benign")
    assert len(set(table.features)) == 30
    assert all(type(name) is str for name in table.features)

    whole = load_breast_cancer()
    with np.load(FOLDER / "tabular_weights.npz", allow_pickle=False) as stored:
        rows = stored["held_out"]
        mean = stored["mean"]
    assert len(np.unique(rows)) == 114
    np.testing.assert_array_equal(table.inputs, whole.data[rows].astype("float32"))  # raw values, not standardised
    np.testing.assert_array_equal(table.labels, whole.target[rows])
    # The standardisation has seen the training rows only.
    np.testing.assert_allclose(mean, np.delete(whole.data, rows, axis=0).mean(axis=0), rtol=1e-5)


def test_table_network(table):
    assert [layer.name for layer in table.model.layers] == [
        "measurements", "standardise", "hidden_1", "hidden_2", "probabilities",
    ]  # fmt: skip
    assert table.model.input_shape == (None, 30)
    assert table.model.output_shape == (None, 2)


def test_table_accuracy(table):
    assert accuracy(table) > 0.95


@pytest.mark.parametrize("name", ["digits", "table"])
def test_outputs_are_probabilities(name, request):
    outputs = probabilities(request.getfixturevalue(name))
    assert outputs.min() >= 0
    np.testing.assert_allclose(outputs.sum(axis=1), 1, atol=1e-5)


@pytest.mark.parametrize("name", ["digits", "table"])
def test_unpacks_into_four(name, request):
    example = request.getfixturevalue(name)
    model, inputs, labels, names = example
    assert model is example.model
    assert inputs is example.inputs
    assert labels is example.labels
    assert names is example.names


def test_example_is_frozen(digits):
    with pytest.raises(FrozenInstanceError):
        digits.inputs = None


@pytest.mark.parametrize("load", [examples.digits, examples.tabular])
def test_each_call_is_independent(load):
    changed, other = load(), load()
    expected = probabilities(other)
    changed.model.set_weights([np.zeros_like(weight) for weight in changed.model.get_weights()])
    changed.inputs[:] = 0
    changed.labels[:] = 0
    np.testing.assert_array_equal(probabilities(other), expected)
    np.testing.assert_array_equal(probabilities(load()), expected)
    assert other.labels.any()


@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")  # from inside Keras, on NumPy 2
def test_models_survive_saving(digits, table, tmp_path):
    import keras

    for example in (digits, table):
        path = tmp_path / f"{example.model.name}.keras"
        example.model.save(path)
        restored = keras.models.load_model(path).predict(example.inputs, verbose=0)
        np.testing.assert_allclose(restored, probabilities(example), atol=1e-6)


def test_import_is_lazy():
    code = (
        "import sys; import xai_widgets.examples; "
        "print(*sorted({'tensorflow', 'keras', 'sklearn', 'scipy', 'mlxtend'} & set(sys.modules)))"
    )
    env = {**os.environ, "PYTHONPATH": str(FOLDER.parents[1])}
    result = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
    assert result.stdout.strip() == ""


def test_data_are_small_and_plain():
    files = sorted(FOLDER.glob("*.npz"))
    assert [file.name for file in files] == ["digits.npz", "digits_weights.npz", "tabular_weights.npz"]
    assert sum(file.stat().st_size for file in files) < 1_800_000
    for file in files:
        with np.load(file, allow_pickle=False) as stored:
            assert all(np.isfinite(stored[key]).all() for key in stored)


def test_jitter_keeps_shape_and_range(digits):
    from xai_widgets.examples import train

    pictures = digits.inputs[:20, :, :, 0]
    moved = train.jitter(pictures, np.random.default_rng(0))
    assert moved.shape == pictures.shape
    assert moved.dtype == np.float32
    assert moved.min() >= 0
    assert moved.max() <= 1 + 1e-6
    assert not np.array_equal(moved, pictures)
    # A gentle change: about as much ink, at about the same place.
    np.testing.assert_allclose(moved.sum(axis=(1, 2)), pictures.sum(axis=(1, 2)), rtol=0.5)


def test_training_repeats_the_stored_split(monkeypatch):
    from xai_widgets.examples import train

    monkeypatch.setattr(train, "TABULAR_EPOCHS", 1)
    _, arrays = train.train_tabular()
    with np.load(FOLDER / "tabular_weights.npz", allow_pickle=False) as stored:
        assert set(stored) == set(arrays)
        np.testing.assert_array_equal(stored["held_out"], arrays["held_out"])


@pytest.mark.parametrize(("digits_accuracy", "tabular_accuracy"), [(0.969, 1.0), (1.0, 0.949)])
def test_training_refuses_to_write_bad_networks(digits_accuracy, tabular_accuracy, monkeypatch, tmp_path):
    from xai_widgets.examples import train

    monkeypatch.setattr(train.tf.config.experimental, "enable_op_determinism", lambda: None)  # it cannot be undone
    monkeypatch.setattr(train, "train_digits", lambda: (digits_accuracy, {}, {}))
    monkeypatch.setattr(train, "train_tabular", lambda: (tabular_accuracy, {}))
    monkeypatch.setattr(sys, "argv", ["train", "--folder", str(tmp_path)])
    with pytest.raises(SystemExit, match="nothing written"):
        train.main()
    assert not list(tmp_path.iterdir())
