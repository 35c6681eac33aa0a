"""With respect to the output of any layer: at any depth, called once or twice, by every gradient method."""

import keras
import numpy as np
import pytest
from keras import layers
from models import samples, unchanged

import xai_widgets as xai
from xai_widgets.engine.model import ModelView

METHODS = {
    "saliency": xai.Saliency(),
    "gradient_input": xai.GradientInput(),
    "integrated_gradients": xai.IntegratedGradients(steps=4),
    "expected_gradients": xai.ExpectedGradients(samples=4),
    "smooth_grad": xai.SmoothGrad(samples=4),
    "smooth_grad of integrated_gradients": xai.SmoothGrad(samples=4, of=xai.IntegratedGradients(steps=3)),
    "guided_ig": xai.GuidedIG(steps=4),
}
each = pytest.mark.parametrize("method", METHODS.values(), ids=METHODS)
SITES = {
    "functional": ("conv", (6, 6, 4)),
    "nested": ("backbone/stem/deep.conv", (6, 6, 4)),
    "subclassed": ("conv2d", (6, 6, 4)),
    "series": ("lstm", (4,)),
    "volume": ("conv3d", (3, 4, 5, 3)),
    "mixed_precision": ("conv2d", (6, 6, 4)),
}


def named(model, start):
    """The path of the first layer whose name starts so: Keras numbers its names."""
    return next(path for path in ModelView(model).layers if path == start or path.split("/")[-1].startswith(start))


@each
@pytest.mark.parametrize("name", SITES)
@pytest.mark.slow
def test_of_the_layers_shape_on_awkward_models(zoo, name, method):
    model, inputs = zoo[name]
    start, shape = SITES[name]
    with unchanged(model):
        a = xai.explain(model, inputs, method, wrt=named(model, start))
    assert a.values.shape == (3, *shape)
    assert a.values.dtype == np.float32
    assert np.abs(a.values).max() > 0


@each
def test_of_a_layer_called_twice_there_are_values_for_each_call(zoo, method):
    model, inputs = zoo["shared_layer"]
    a = xai.explain(model, inputs, method, wrt="shared")
    assert [array.shape for array in a.values] == [(3, 6), (3, 6)]
    assert a.error is None or [array.shape for array in a.error] == [(3, 6), (3, 6)]


@each
@pytest.mark.slow
def test_of_an_identity_it_is_that_of_the_input(method):
    """The baseline of the layer is what the layer makes of the baseline of the input: here the same."""
    x = keras.Input((6, 6, 2))
    y = layers.Activation("linear", name="same")(x)
    y = layers.Dense(3)(layers.Flatten()(layers.Conv2D(3, 3, activation="tanh")(y)))
    model, inputs = keras.Model(x, y), samples(6, 6, 2)
    at_layer, at_input = (xai.explain(model, inputs, method, wrt=wrt) for wrt in ("same", None))
    np.testing.assert_allclose(at_layer.values, at_input.values, atol=1e-5)


@each
def test_a_neuron_is_explained_by_every_method_and_at_a_layer_before_it(zoo, method):
    model, inputs = zoo["functional"]
    target = xai.Neuron("conv", (1, 2, 3))
    a = xai.explain(model, inputs, method, target=target)
    assert a.values.shape == inputs.shape
    outside = np.ones((8, 8), bool)
    outside[1:4, 2:5] = False
    assert np.abs(a.values[:, outside]).max() == 0  # nothing but the 3 x 3 that the unit sees
    x = keras.Input((6,))
    deep = keras.Model(
        x, layers.Dense(2)(layers.Dense(4, "tanh", name="late")(layers.Dense(5, "tanh", name="early")(x)))
    )
    at_layer = xai.explain(deep, samples(6), method, target=xai.Neuron("late", 1), wrt="early")
    assert at_layer.values.shape == (3, 5)
    assert np.abs(at_layer.values).max() > 0
    assert at_layer.score_name == "activation"


@pytest.mark.parametrize("steps", [3, 200])
def test_layer_integrated_gradients_sum_to_the_difference(zoo, steps):
    """From what the layer makes of the baseline to what it makes of the input, by a straight line."""
    model, inputs = zoo["functional"]
    a = xai.explain(model, inputs, xai.IntegratedGradients(steps=steps), wrt="conv")
    assert np.abs(a.residual).max() < (0.5 if steps == 3 else 0.01) * np.abs(a.score - a.baseline_score).max() + 1e-3


@pytest.fixture(scope="module")
def tokens():
    """Token ids, masked, through an embedding."""
    x = keras.Input((7,), dtype="int32")
    y = layers.Embedding(11, 5, mask_zero=True, name="words")(x)
    y = layers.Dense(3)(layers.LSTM(4)(y))
    ids = np.array([[1, 2, 3, 4, 0, 0, 0], [5, 6, 7, 8, 9, 10, 1]])
    return keras.Model(x, y), ids


def test_smooth_grad_of_token_ids_puts_its_noise_on_the_embedding(tokens):
    model, ids = tokens
    calm = xai.explain(model, ids, xai.SmoothGrad(samples=2, noise=1e-6), wrt="words")
    np.testing.assert_allclose(calm.values, xai.explain(model, ids, "saliency", wrt="words").values, atol=1e-4)
    assert np.abs(calm.values[0, 4:]).max() == 0  # the mask of the ids is kept
    noisy = xai.explain(model, ids, xai.SmoothGrad(samples=20, noise=0.5), wrt="words")
    assert noisy.values.shape == (2, 7, 5)
    assert 0 < noisy.change.max() < 2
    with pytest.raises(ValueError, match="token ids have no neighbours"):
        xai.explain(model, ids, xai.SmoothGrad(of="gradient_input"), wrt="words")
