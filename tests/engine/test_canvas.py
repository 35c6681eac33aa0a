"""The way from variables to raw values and back, against NumPy and by hand."""

import numpy as np
import pytest
import tensorflow as tf

from xai_widgets.engine.canvas import COLOURS, Canvas, ink_of, roughness, seen, within


@pytest.mark.parametrize("shape", [(8, 8), (7, 10, 1), (9, 6, 3), (6, 5, 3)])
def test_a_picture_and_its_spectrum_and_back(shape):
    canvas = Canvas.of(shape, "fourier")
    assert canvas.basis == "fourier"
    ink = np.random.default_rng(0).normal(size=(2, *shape)).astype("float32")
    variables = canvas.variables_of(ink)
    assert variables.shape == (2, *canvas.variables)
    np.testing.assert_allclose(canvas.ink(tf.constant(variables)), ink, atol=1e-5)


@pytest.mark.parametrize(("shape", "asked"), [((8, 8, 5), "fourier"), ((6,), "fourier"), ((8, 8, 3), "pixel")])
def test_what_is_no_picture_in_grey_or_colour_is_drawn_value_by_value(shape, asked):
    canvas = Canvas.of(shape, asked)
    ink = np.random.default_rng(0).normal(size=(2, *shape))
    assert canvas.basis == "pixel"
    assert canvas.variables == shape
    assert canvas.ink(canvas.variables_of(ink)) is ink


def test_a_slow_wave_is_as_much_stronger_than_a_fast_one_as_it_is_longer():
    canvas = Canvas.of((32, 32), "fourier")
    strength = []
    for wave in (2, 8):
        variables = np.zeros((1, *canvas.variables), "float32")
        variables[0, 0, 0, wave, 0] = 1
        strength.append(np.ptp(canvas.ink(tf.constant(variables))))
    assert strength[0] / strength[1] == pytest.approx(4, rel=1e-5)


def test_colours_of_the_noise_go_together_as_those_of_photographs():
    canvas = Canvas.of((64, 64, 3), "fourier")
    ink = canvas.ink(tf.constant(canvas.noise(0, 0, 1, "float32"))).numpy()
    covariance = np.cov(ink.reshape(-1, 3).T)
    expected = COLOURS @ COLOURS.T
    np.testing.assert_allclose(
        covariance / np.trace(covariance), expected / np.trace(expected), atol=0.1
    )  # few slow waves make most of it


def test_ink_stays_in_the_range_and_comes_back():
    low, high = np.float32(-3), np.float32(7)
    ink = np.linspace(-3, 3, 11, dtype="float32")
    values = within(tf.constant(ink), low, high).numpy()
    assert values.min() > -3
    assert values.max() < 7
    assert values[5] == pytest.approx(2)
    np.testing.assert_allclose(ink_of(values, low, high), ink, atol=1e-5)
    assert np.isfinite(ink_of(np.float32([-3, 7]), low, high)).all()


@pytest.mark.parametrize("shape", [(9, 9), (5, 6, 3), (7, 2), (4, 5, 6, 1)])
def test_roughness_is_the_gradient_of_the_total_variation(shape):
    ink = np.random.default_rng(0).normal(size=(2, *shape))
    axes = range(1, 1 + (2 if shape == (9, 9) else len(shape) - 1))
    with tf.GradientTape() as tape:
        x = tf.constant(ink)
        tape.watch(x)
        steps = [tf.experimental.numpy.diff(x, axis=axis) for axis in axes]
        total = tf.add_n([tf.reduce_sum(tf.sqrt(step**2 + 1e-4)) for step in steps])
    np.testing.assert_allclose(roughness(x), tape.gradient(total, x), atol=1e-9)


def test_a_table_has_no_neighbours():
    assert not roughness(tf.random.normal((2, 6))).numpy().any()


def test_looking_from_elsewhere():
    picture = np.arange(64, dtype="float32").reshape(1, 8, 8, 1)
    still, moved, turned = (
        seen(tf.constant(picture), tf.constant(look)).numpy()
        for look in ([0.0, 1, 0, 0], [0.0, 1, 0.25, 0.125], [np.pi / 2, 1, 0, 0])
    )
    np.testing.assert_allclose(still, picture, atol=1e-4)
    np.testing.assert_allclose(moved[0, 2:, 1:], picture[0, :-2, :-1], atol=1e-4)
    assert any(np.allclose(turned[0, ..., 0], np.rot90(picture[0, ..., 0], k), atol=1e-3) for k in (1, 3))
    near = seen(tf.constant(picture), tf.constant([0.0, 2, 0, 0])).numpy()
    np.testing.assert_allclose(near[0, :, 4, 0].mean(), picture.mean(), atol=1)
    assert np.ptp(near) < np.ptp(picture) / 1.8
    grey = seen(tf.constant(picture[..., 0]), tf.constant([0.0, 1, 0.25, 0.125])).numpy()
    np.testing.assert_array_equal(grey, moved[..., 0])
