"""Equal to Captum on the same weights, where both mean the same; the `peers` extra brings it.

The twins in PyTorch take inputs as Keras does, channels last, and give logits, which is what is explained here.
"""

import itertools
from typing import Any, NamedTuple

import keras
import numpy as np
import pytest
from keras import layers

import xai_widgets as xai

torch = pytest.importorskip("torch")
attr = pytest.importorskip("captum.attr")
nn = torch.nn
# A torch that was built for GPUs says that there is none.
pytestmark = [
    pytest.mark.filterwarnings("ignore:CUDA initialization"),
    pytest.mark.filterwarnings("ignore:Setting (forward, )?backward hooks"),
]

RULES = {
    "left": "riemann_left",
    "midpoint": "riemann_middle",
    "right": "riemann_right",
    "trapezoid": "riemann_trapezoid",
    "gauss_legendre": "gausslegendre",
}
STEPS = 12


class Pair(NamedTuple):
    """A Keras model, its twin with the same weights, and samples with their targets."""

    model: Any
    twin: Any
    inputs: np.ndarray
    targets: list[int]

    def tensors(self, rows=slice(None)):
        """What an attribution in Captum takes: inputs that require gradients, and targets."""
        return torch.tensor(self.inputs[rows], requires_grad=True), torch.tensor(self.targets[rows])

    def explain(self, method, rows=slice(None), **keywords):
        return xai.explain(self.model, self.inputs[rows], method, target=self.targets[rows], **keywords)


class Picture(nn.Module):
    """Two convolutions, both kinds of pooling and a dense head; (n, 12, 12, 3) -> (n, 4)."""

    def __init__(self):
        super().__init__()
        self.first = nn.Sequential(nn.Conv2d(3, 6, 3), nn.ReLU())
        self.last = nn.Sequential(nn.Conv2d(6, 8, 2), nn.ReLU())
        self.hidden = nn.Sequential(nn.Linear(32, 16), nn.ReLU())
        self.head = nn.Linear(16, 4)

    def forward(self, x):
        x = nn.functional.max_pool2d(self.first(x.permute(0, 3, 1, 2)), 2)
        x = nn.functional.avg_pool2d(self.last(x), 2)
        return self.head(self.hidden(x.permute(0, 2, 3, 1).flatten(1)))


class Table(nn.Module):
    """Two hidden layers; (n, 5) -> (n, 3)."""

    def __init__(self):
        super().__init__()
        self.linear, self.hidden = nn.Linear(5, 16), nn.Sequential(nn.Linear(16, 12), nn.ReLU())
        self.head = nn.Linear(12, 3)

    def forward(self, x):
        return self.head(self.hidden(torch.tanh(self.linear(x))))


def pair(outputs, twin, shape):
    """The pair of a functional model and its twin; biases are drawn too, which Keras starts at zero."""
    model = keras.Model(outputs[0], outputs[1])
    random = np.random.default_rng(5)
    weighted = [layer for layer in model.layers if layer.weights]
    parts = [part for part in twin.modules() if isinstance(part, nn.Conv2d | nn.Linear)]
    with torch.no_grad():
        for layer, part in zip(weighted, parts, strict=True):
            kernel = layer.kernel.numpy()
            bias = random.normal(0, 0.2, kernel.shape[-1]).astype("float32")
            layer.set_weights([kernel, bias])
            part.weight.copy_(torch.tensor(np.moveaxis(kernel, (-1, -2), (0, 1))))
            part.bias.copy_(torch.tensor(bias))
    inputs = random.normal(size=(3, *shape)).astype("float32")
    logits = twin(torch.tensor(inputs)).detach().numpy()
    np.testing.assert_allclose(keras.ops.softmax(logits), model(inputs), atol=1e-6)
    return Pair(model, twin, inputs, [0, 2, 1])


@pytest.fixture(scope="module")
def picture():
    keras.utils.set_random_seed(4)
    x = keras.Input((12, 12, 3))
    y = layers.MaxPooling2D()(layers.Conv2D(6, 3, activation="relu", name="first")(x))
    y = layers.AveragePooling2D(2)(layers.Conv2D(8, 2, activation="relu", name="last")(y))
    y = layers.Dense(16, "relu", name="hidden")(layers.Flatten()(y))
    return pair((x, layers.Dense(4, "softmax")(y)), Picture(), (12, 12, 3))


@pytest.fixture(scope="module")
def table():
    keras.utils.set_random_seed(4)
    x = keras.Input((5,))
    y = layers.Activation("tanh")(layers.Dense(16, name="linear")(x))
    y = layers.Dense(12, "relu", name="hidden")(y)
    return pair((x, layers.Dense(3, "softmax")(y)), Table(), (5,))


@pytest.fixture(params=["picture", "table"])
def either(request):
    return request.getfixturevalue(request.param)


def assert_equal(ours, theirs, tolerance=1e-4):
    """Equal within a fraction of the largest value, which must not be zero."""
    theirs = theirs.detach().numpy()
    assert ours.shape == theirs.shape
    largest = np.abs(theirs).max()
    assert largest > 0
    np.testing.assert_allclose(ours, theirs, rtol=0, atol=tolerance * largest)


def test_saliency(either):
    x, target = either.tensors()
    theirs = attr.Saliency(either.twin).attribute(x, target, abs=False)
    assert_equal(either.explain(xai.Saliency()).values, theirs)


def test_gradient_input(either):
    x, target = either.tensors()
    theirs = attr.InputXGradient(either.twin).attribute(x, target)
    assert_equal(either.explain(xai.GradientInput()).values, theirs)


def split(twin):
    """The twin with a module for each activation and each pooling, which Captum hangs its rules on."""
    return {"Picture": SplitPicture, "Table": SplitTable}[type(twin).__name__](twin)


class SplitPicture(nn.Module):
    """`Picture`, with the weights of one."""

    def __init__(self, twin):
        super().__init__()
        self.first, self.last, self.hidden, self.head = twin.first, twin.last, twin.hidden, twin.head
        self.largest, self.mean = nn.MaxPool2d(2), nn.AvgPool2d(2)

    def forward(self, x):
        x = self.mean(self.last(self.largest(self.first(x.permute(0, 3, 1, 2)))))
        return self.head(self.hidden(x.permute(0, 2, 3, 1).flatten(1)))


class SplitTable(nn.Module):
    """`Table`, with the weights of one."""

    def __init__(self, twin):
        super().__init__()
        self.linear, self.hidden, self.head, self.tanh = twin.linear, twin.hidden, twin.head, nn.Tanh()

    def forward(self, x):
        return self.head(self.hidden(self.tanh(self.linear(x))))


@pytest.mark.parametrize("baseline", [0.0, 0.3])
def test_deep_lift(table, baseline):
    x, target = table.tensors()
    theirs = attr.DeepLift(split(table.twin)).attribute(x, torch.full_like(x, baseline), target)
    assert_equal(table.explain(xai.DeepLift(xai.Constant(baseline))).values, theirs)


def test_deep_lift_over_several_baselines(table):
    x, target = table.tensors()
    theirs = attr.DeepLiftShap(split(table.twin)).attribute(x, torch.tensor(0.5 * table.inputs), target)
    assert_equal(table.explain(xai.DeepLift(xai.Samples(0.5 * table.inputs))).values, theirs)


def test_deep_lift_of_a_layer(picture):
    """Behind the maximum pooling: what Captum (0.9) gives for a ReLU and a pooling after it does not add up."""
    twin = split(picture.twin)
    x, target = picture.tensors()
    theirs = attr.LayerDeepLift(twin, twin.last).attribute(x, torch.full_like(x, 0.3), target)
    ours = picture.explain(xai.DeepLift(xai.Constant(0.3)), wrt="last")
    assert_equal(ours.values, theirs.permute(0, 2, 3, 1))


def test_guided_backprop(either):
    x, target = either.tensors()
    theirs = attr.GuidedBackprop(split(either.twin)).attribute(x, target)
    assert_equal(either.explain(xai.GuidedBackprop()).values, theirs)


def test_deconvnet(either):
    x, target = either.tensors()
    theirs = attr.Deconvolution(split(either.twin)).attribute(x, target)
    assert_equal(either.explain(xai.Deconvnet()).values, theirs)


def captums_mean(rule):
    """By how much Captum's weights of a rule sum to less than 1: its trapezoid leaves out one of its steps."""
    return (STEPS - 1) / STEPS if rule == "trapezoid" else 1


@pytest.mark.parametrize("rule", RULES)
def test_integrated_gradients(either, rule):
    x, target = either.tensors()
    ours = either.explain(xai.IntegratedGradients(steps=STEPS, rule=rule, baseline=xai.Constant(0.3)))
    integrated = attr.IntegratedGradients(either.twin)
    theirs = integrated.attribute(x, 0.3, target, n_steps=STEPS, method=RULES[rule])
    assert_equal(ours.values * captums_mean(rule), theirs)


@pytest.mark.parametrize("rule", RULES)
def test_integrated_gradients_of_a_layer(either, rule):
    x, target = either.tensors()
    ours = either.explain(xai.IntegratedGradients(steps=STEPS, rule=rule), wrt="hidden")
    integrated = attr.LayerIntegratedGradients(either.twin, either.twin.hidden)
    theirs = integrated.attribute(x, torch.zeros_like(x), target, n_steps=STEPS, method=RULES[rule])
    assert_equal(ours.values * captums_mean(rule), theirs)


@pytest.mark.parametrize(
    ("reduce", "kind"), [("mean", "smoothgrad"), ("square", "smoothgrad_sq"), ("variance", "vargrad")]
)
def test_smooth_grad_with_the_same_noise(either, reduce, kind, monkeypatch):
    from xai_widgets.engine import noise

    drawn = []

    def overheard(view, score, inputs, scales, noises, weights, *rest, **keywords):
        drawn.append(scales[0][:, None] * noises[0][weights > 0])
        return plain(view, score, inputs, scales, noises, weights, *rest, **keywords)

    plain = noise.noisy_sums
    monkeypatch.setattr(noise, "noisy_sums", overheard)
    ours = either.explain(xai.SmoothGrad(samples=STEPS, noise=0.1, reduce=reduce)).values
    draws = np.concatenate(drawn, axis=1)
    both = torch.tensor(np.concatenate([draws, -draws], axis=1).reshape(-1, *either.inputs.shape[1:]))
    x, target = either.tensors()
    # Captum asks for noise of a standard deviation of 1, and gets the noise that was used here.
    monkeypatch.setattr(torch, "normal", lambda mean, deviation: mean + deviation * both)
    tunnel = attr.NoiseTunnel(attr.Saliency(either.twin))
    theirs = tunnel.attribute(x, kind, nt_samples=STEPS, stdevs=1.0, target=target, abs=False)
    assert_equal(ours, theirs)


@pytest.mark.parametrize("layer", ["first", "last"])
@pytest.mark.parametrize("relu", [True, False])
def test_grad_cam(picture, layer, relu):
    x, target = picture.tensors()
    theirs = attr.LayerGradCam(picture.twin, getattr(picture.twin, layer)).attribute(x, target, relu_attributions=relu)
    assert_equal(picture.explain(xai.GradCAM(layer, relu=relu)).values, theirs[:, 0])


def test_gradient_input_of_a_layer(picture):
    x, target = picture.tensors()
    theirs = attr.LayerGradientXActivation(picture.twin, picture.twin.last).attribute(x, target)
    assert_equal(picture.explain(xai.GradientInput(), wrt="last").values, theirs.permute(0, 2, 3, 1))


@pytest.mark.parametrize(("window", "stride"), [(4, 2), (3, 3), (2, 1)])
def test_occlusion_of_a_picture(picture, window, stride):
    x, target = picture.tensors()
    sides, steps = (window, window, 3), (stride, stride, 3)
    theirs = attr.Occlusion(picture.twin).attribute(x, sides, steps, 0.5, target, perturbations_per_eval=32)
    assert_equal(picture.explain(xai.Occlusion(window, stride, 0.5)).values, theirs[..., :1])


def test_occlusion_of_a_table(table):
    x, target = table.tensors()
    theirs = attr.Occlusion(table.twin).attribute(x, (1,), target=target)
    assert_equal(table.explain(xai.Occlusion()).values, theirs)


def test_conductance(table):
    """Captum takes the gradients at the left of its steps, and differences of the layer for its derivative.

    Of a layer that is linear in the inputs the differences are exact, and so it is the left rule.
    """
    x, target = table.tensors()
    conductance = attr.LayerConductance(table.twin, table.twin.linear)
    theirs = conductance.attribute(x, target=target, n_steps=STEPS, method="riemann_trapezoid")
    assert_equal(table.explain(xai.Conductance("linear", STEPS, rule="left")).values, theirs)


def test_conductance_in_the_limit(either):
    x, target = either.tensors()
    conductance = attr.LayerConductance(either.twin, either.twin.hidden)
    theirs = conductance.attribute(x, target=target, n_steps=2000, method="riemann_trapezoid")
    assert_equal(either.explain(xai.Conductance("hidden", 2000)).values, theirs, tolerance=2e-3)


QUARTERS = np.kron(np.arange(4).reshape(2, 2), np.ones((6, 6), int))


def test_exact_shapley_values_of_a_table(table):
    x, target = table.tensors()
    theirs = attr.ShapleyValues(table.twin).attribute(x, -0.4, target, perturbations_per_eval=120)
    assert_equal(table.explain(xai.KernelSHAP(2**5 - 2, baseline=xai.Constant(-0.4))).values, theirs)


def test_exact_shapley_values_of_a_picture(picture):
    x, target = picture.tensors()
    players = torch.tensor(QUARTERS[None, :, :, None])
    theirs = attr.ShapleyValues(picture.twin).attribute(x, 0, target, feature_mask=players, perturbations_per_eval=24)
    ours = picture.explain(xai.KernelSHAP(2**4 - 2, segments=QUARTERS))
    assert_equal(ours.heatmap()[..., None], theirs[..., :1])


@pytest.mark.parametrize(("width", "alpha"), [(0.25, 1.0), (1.0, 0.1)])
def test_lime_over_all_masks(table, width, alpha):
    """Captum's own regression, on the masks and with the weights that LIME's paper has."""
    from captum._utils.models.linear_model import SkLearnRidge

    def masks(_, **__):
        for present in itertools.product([0.0, 1.0], repeat=5):
            yield torch.tensor([present])

    def near(_, __, present, **___):
        return torch.exp(-(((1 - present.mean().sqrt()) / width) ** 2))

    ours = table.explain(xai.LIME(samples=2**5, kernel_width=width, alpha=alpha), slice(0, 1))
    x, target = table.tensors(slice(0, 1))
    lime = attr.LimeBase(
        table.twin, SkLearnRidge(alpha=alpha), near, masks, True, lambda present, x, **_: present * x, None
    )
    assert_equal(ours.values, lime.attribute(x, target, n_samples=2**5, perturbations_per_eval=32).reshape(1, 5))
