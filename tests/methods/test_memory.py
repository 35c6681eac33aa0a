"""Many steps of many large pictures, each in a process of its own: only sums are kept."""

import subprocess
import sys
from pathlib import Path

import pytest

DATA = Path(__file__).parents[3] / "shared" / "data"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not DATA.exists(), reason="needs ../shared/data: an ImageNet network and photographs"),
]

# ru_maxrss counts in kB on Linux. A frame kept is 5 MB with eight pictures, beside the attribution that it makes.
PEAK = """
import resource, sys, keras, numpy as np, xai_widgets as xai
from PIL import Image

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

photograph = np.asarray(Image.open(sys.argv[1] + "/cat_and_dog.png").convert("RGB"), "float32") / 255
inputs = np.stack([np.roll(photograph, 7 * place, axis=1) for place in range(16)])
model = keras.models.load_model(sys.argv[1] + "/darknet_tiny.keras")
model(inputs[:1])
idle = peak()
xai.explain(model, inputs, xai.IntegratedGradients(steps=8))
few = peak()
xai.explain(model, inputs, xai.IntegratedGradients(steps=56))
print(few - idle, peak() - few)
"""


def test_a_long_path_takes_no_more_memory_than_a_short_one():
    """Sixteen photographs through an ImageNet network: two groups of eight."""
    command = [sys.executable, "-c", PEAK, str(DATA)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    short, longer = map(int, done.stdout.split())
    assert short < 1.2e9
    assert longer < 0.15e9
