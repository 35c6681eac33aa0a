"""What an eye can check: on a photograph of a dog and a cat, each map lies on the animal that it is about.

A method that looks at the class goes into `SIGHTED`; nothing else is needed.
"""

from pathlib import Path

import numpy as np
import pytest

import xai_widgets as xai

DATA = Path(__file__).parents[3] / "shared" / "data"
SIGHTED = (
    xai.GradCAM(),
    xai.GradCAMPlusPlus(),
    xai.LayerCAM(),
    xai.HiResCAM(),
    xai.XGradCAM(),
    xai.CAM(),
    xai.ScoreCAM(channels=64),
    xai.AblationCAM(),
    xai.GradCAM(layer="leaky_re_lu_14"),
    xai.AblationCAM(layer="leaky_re_lu_15"),
    xai.IntegratedGradients(steps=16),
    xai.GuidedGradCAM(),
    xai.DeepLift(),
    xai.LRP(),
    xai.LRP(composite="epsilon"),
    xai.LRP(composite="epsilon_plus_flat"),
    xai.LRP(composite="epsilon_gamma_box"),
    xai.LRP(composite="epsilon_alpha2_beta1"),
    xai.LRP(composite="epsilon_alpha2_beta1_flat"),
    xai.LRP(composite="deep_taylor"),
)
# The methods that mask: some seconds each, so they are tried where there is time for it.
MASKED = (
    xai.Occlusion(window=32, stride=16),
    xai.RISE(samples=256),
    xai.LIME(samples=200, baseline=xai.Blur(12)),
    xai.KernelSHAP(samples=200, baseline=xai.Blur(12)),
    xai.PartitionSHAP(samples=200, baseline=xai.Blur(12)),
)
# Rows and columns of the 224 x 224 picture: a bulldog that sits above, a tabby that lies below.
BOXES = {"bull mastiff": np.s_[10:122, 70:178], "tiger cat": np.s_[122:224, 45:203]}


@pytest.fixture(scope="module")
def scene():
    """An ImageNet network, the photograph, and the names of the classes."""
    if not (DATA / "darknet_tiny.keras").exists():
        pytest.skip(f"{DATA} is not there")
    import keras
    from PIL import Image

    picture = np.asarray(Image.open(DATA / "cat_and_dog.png").convert("RGB"), "float32")[None] / 255
    names = (DATA / "imagenet_names.txt").read_text().splitlines()[:1000]
    return keras.models.load_model(DATA / "darknet_tiny.keras"), picture, names


def shares(scene, method, target):
    """Which part of what speaks for the target lies on each animal."""
    model, picture, names = scene
    heat = np.maximum(xai.explain(model, picture, method, target=target, names=names).heatmap()[0], 0)
    return {animal: heat[box].sum() / heat.sum() for animal, box in BOXES.items()}


@pytest.mark.parametrize(
    "method", [SIGHTED[0], *(pytest.param(one, marks=pytest.mark.slow) for one in (*SIGHTED[1:], *MASKED))], ids=repr
)
def test_each_map_lies_more_on_its_own_animal(scene, method):
    dog, cat = (shares(scene, method, animal) for animal in BOXES)
    assert dog["bull mastiff"] > cat["bull mastiff"] + 0.1
    assert cat["tiger cat"] > dog["tiger cat"] + 0.1
