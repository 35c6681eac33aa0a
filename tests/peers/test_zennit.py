"""Equal to zennit on the same weights, in float64; the `peers` extra brings it.

zennit starts from whatever relevance of the output it is given: here the score, as this package does.
"""

import sys
import types
from typing import Any, NamedTuple

import keras
import numpy as np
import pytest
from keras import layers

import xai_widgets as xai
from xai_widgets.composites import COMPOSITES

torch = pytest.importorskip("torch")
if "torchvision" not in sys.modules:
    try:
        import torchvision  # noqa: F401
    except ImportError:
        # zennit asks it for two classes of ResNet, to know them by type where it meets them; nothing else.
        resnet = types.ModuleType("torchvision.models.resnet")
        resnet.Bottleneck, resnet.BasicBlock = type("Bottleneck", (), {}), type("BasicBlock", (), {})
        sys.modules |= {
            "torchvision": types.ModuleType("torchvision"),
            "torchvision.models": types.ModuleType("torchvision.models"),
            "torchvision.models.resnet": resnet,
        }
attribution = pytest.importorskip("zennit.attribution")
from zennit import canonizers, composites, layer, rules  # noqa: E402

nn = torch.nn
pytestmark = pytest.mark.filterwarnings("ignore:CUDA initialization")

THEIRS = {
    "epsilon": lambda canon: composites.LayerMapComposite(
        [*composites.layer_map_base(), (composites.Linear, rules.Epsilon())], canonizers=canon
    ),
    "epsilon_plus": lambda canon: composites.EpsilonPlus(canonizers=canon),
    "epsilon_plus_flat": lambda canon: composites.EpsilonPlusFlat(canonizers=canon),
    "epsilon_gamma_box": lambda canon: composites.EpsilonGammaBox(low=-3.0, high=4.0, canonizers=canon),
    "epsilon_alpha2_beta1": lambda canon: composites.EpsilonAlpha2Beta1(canonizers=canon),
    "epsilon_alpha2_beta1_flat": lambda canon: composites.EpsilonAlpha2Beta1Flat(canonizers=canon),
    "deep_taylor": lambda canon: composites.SpecialFirstLayerMapComposite(
        [*composites.layer_map_base(), (composites.Linear, rules.ZPlus())],
        [(composites.Linear, rules.ZBox(low=-3.0, high=4.0))],
        canonizers=canon,
    ),
}


class Pair(NamedTuple):
    """A Keras model in float64, its twin with the same weights, channels first, and samples."""

    model: Any
    twin: Any
    inputs: np.ndarray


class Plain(nn.Module):
    """Convolutions with batch norm and without, both poolings, dense layers; (n, 3, 10, 10) -> (n, 4)."""

    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            *(nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6, eps=1e-9), nn.ReLU(), nn.MaxPool2d(2)),
            *(nn.Conv2d(6, 8, 2, bias=False), nn.BatchNorm2d(8, eps=1e-9), nn.LeakyReLU(0.3)),
            *(nn.ConvTranspose2d(8, 5, 2, stride=2), nn.ELU(), nn.AvgPool2d(2)),
        )
        self.hidden = nn.Sequential(nn.Linear(80, 12), nn.BatchNorm1d(12, eps=1e-9), nn.ReLU())
        self.head = nn.Linear(12, 4)

    def forward(self, x):
        return self.head(self.hidden(self.features(x).permute(0, 2, 3, 1).flatten(1)))


def plain():
    x = keras.Input((10, 10, 3), dtype="float64")
    y = layers.BatchNormalization(epsilon=1e-9)(layers.Conv2D(6, 3, padding="same")(x))
    y = layers.MaxPooling2D()(layers.ReLU()(y))
    y = layers.BatchNormalization(epsilon=1e-9)(layers.Conv2D(8, 2, use_bias=False)(y))
    y = layers.Conv2DTranspose(5, 2, strides=2, activation="elu")(layers.LeakyReLU(negative_slope=0.3)(y))
    y = layers.Dense(12)(layers.Flatten()(layers.AveragePooling2D(2)(y)))
    return x, layers.Dense(4)(layers.ReLU()(layers.BatchNormalization(epsilon=1e-9)(y)))


class Residual(nn.Module):
    """A skip connection, a batch norm that follows nothing linear, global pooling; (n, 3, 8, 8) -> (n, 4)."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 6, 3), nn.ReLU())
        self.before = nn.BatchNorm2d(6, eps=1e-9)
        self.branch = nn.Conv2d(6, 6, 3, padding=1)
        self.add, self.relu = layer.Sum(), nn.ReLU()
        self.pool, self.head = nn.AdaptiveAvgPool2d(1), nn.Linear(6, 4)

    def forward(self, x):
        y = self.stem(x)
        y = self.relu(self.add(torch.stack([self.branch(self.before(y)), y], dim=-1)))
        return self.head(self.pool(y).flatten(1))


def residual():
    x = keras.Input((8, 8, 3), dtype="float64")
    y = layers.Conv2D(6, 3, activation="relu")(x)
    branch = layers.Conv2D(6, 3, padding="same")(layers.BatchNormalization(epsilon=1e-9)(y))
    y = layers.ReLU()(layers.Add()([branch, y]))
    return x, layers.Dense(4)(layers.GlobalAveragePooling2D()(y))


def pair(build, twin):
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("float64")
    try:
        model = keras.Model(*build())
    finally:
        keras.config.set_dtype_policy(before)
    random = np.random.default_rng(3)
    twin = twin.double().eval()
    theirs = [part for part in twin.modules() if not list(part.children()) and list(part.parameters())]
    ours = sorted(
        (part for part in model.layers if part.weights), key=lambda part: isinstance(part, layers.BatchNormalization)
    )
    theirs.sort(key=lambda part: isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d))
    for mine, other in zip(ours, theirs, strict=True):
        drawn = [random.normal(size=tuple(weight.shape)) / np.sqrt(len(weight.shape) + 8) for weight in mine.weights]
        if isinstance(mine, layers.BatchNormalization):
            drawn[3] = np.abs(drawn[3]) + 0.5
        mine.set_weights(drawn)
        port(other, drawn)
    return Pair(model, twin, random.normal(size=(3, *model.input_shape[1:])))


def port(part, weights):
    """Weights of Keras into a layer of PyTorch."""
    order = {"Linear": (1, 0), "Conv2d": (3, 2, 0, 1), "ConvTranspose2d": (3, 2, 0, 1)}.get(type(part).__name__)
    targets = [part.weight] if order else [part.weight, part.bias, part.running_mean, part.running_var]
    if order and part.bias is not None:
        targets.append(part.bias)
    with torch.no_grad():
        for place, (target, value) in enumerate(zip(targets, weights, strict=True)):
            target.copy_(torch.tensor(np.transpose(value, order) if order and place == 0 else value))


@pytest.fixture(scope="module")
def pairs():
    torch.manual_seed(0)
    return {"plain": pair(plain, Plain()), "residual": pair(residual, Residual())}


def merged(name):
    """The batch norms that are to be folded; zennit finds those of a `Sequential` by itself."""
    found = [canonizers.SequentialMergeBatchNorm()]
    return found if name == "plain" else []


@pytest.mark.parametrize("composite", COMPOSITES)
@pytest.mark.parametrize("name", ["plain", "residual"])
def test_composites(pairs, name, composite):
    model, twin, inputs = pairs[name]
    tensor = torch.tensor(np.moveaxis(inputs, -1, 1), requires_grad=True)
    with attribution.Gradient(twin, THEIRS[composite](merged(name))) as attributor:
        output, relevance = attributor(tensor, lambda out: out * nn.functional.one_hot(out.argmax(1), 4))
    a = xai.explain(model, inputs, xai.LRP(composite=composite, low=-3, high=4))
    np.testing.assert_allclose(a.score, output.detach().numpy().max(1), rtol=1e-6)
    theirs = np.moveaxis(relevance.detach().numpy(), 1, -1)
    np.testing.assert_allclose(a.values, theirs, atol=1e-4 * np.abs(theirs).max())


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("gamma(0.7)", lambda: rules.Gamma(0.7)),
        ("epsilon(0.3)", lambda: rules.Epsilon(0.3)),
        ("alpha3_beta2", lambda: rules.AlphaBeta(3, 2)),
        ("alpha1_beta0", lambda: rules.AlphaBeta(1, 0)),
        ("w_square", lambda: rules.WSquare(zero_params="bias")),  # a bias is no input: it gets no share
        ("flat", rules.Flat),
        ("z_plus", rules.ZPlus),
    ],
)
def test_rules_by_name(pairs, ours, theirs):
    model, twin, inputs = pairs["residual"]
    names = {part.name: ours for part in model.layers if isinstance(part, layers.Conv2D)}
    tensor = torch.tensor(np.moveaxis(inputs, -1, 1), requires_grad=True)
    composite = composites.LayerMapComposite(
        [*composites.layer_map_base(), (composites.Convolution, theirs()), (nn.Linear, rules.Epsilon())]
    )
    with attribution.Gradient(twin, composite) as attributor:
        _, relevance = attributor(tensor, lambda out: out * nn.functional.one_hot(out.argmax(1), 4))
    a = xai.explain(model, inputs, xai.LRP(rules=names))
    theirs = np.moveaxis(relevance.detach().numpy(), 1, -1)
    np.testing.assert_allclose(a.values, theirs, atol=1e-4 * np.abs(theirs).max())
