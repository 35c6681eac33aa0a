"""Many widgets, opened and closed: nothing stays."""

import gc
import subprocess
import sys
import threading

import psutil
import pytest
from ipywidgets.widgets.widget import _instances

import xai_widgets as xai
from xai_widgets.worker import WORKER

pytestmark = pytest.mark.slow


def test_sixty_widgets_leave_nothing(digits):
    def open_and_close(count):
        for place in range(count):
            widget = xai.SaliencyWidget(digits.model, digits.inputs, index=place)
            widget.result(60)
            widget.close()
        WORKER.wait_idle(60)
        gc.collect()

    open_and_close(5)
    process = psutil.Process()
    threads, comms, memory = threading.active_count(), len(_instances), process.memory_info().rss
    open_and_close(60)
    assert threading.active_count() <= threads
    assert len(_instances) <= comms
    assert process.memory_info().rss - memory < 60e6


FLAT = """
import gc, keras, numpy as np, psutil, xai_widgets as xai
from keras import layers

x = keras.Input((128, 128, 3))
y = layers.Conv2D(16, 3, activation="relu")(x)
model = keras.Model(x, layers.Dense(2)(layers.GlobalAveragePooling2D()(y)))
inputs = np.random.default_rng(0).random((1, 128, 128, 3)).astype("float32")

def resident(count):
    for method in (xai.IntegratedGradients(steps=count), xai.SmoothGrad(samples=count)):
        xai.explain(model, inputs, method)
    gc.collect()
    return psutil.Process().memory_info().rss

before = resident(64)
print(resident(512) - before)
"""


def test_memory_is_flat_in_steps():
    """From 64 to 512 steps, in a process of its own: 512 gradients would be 100 MB, their activations 2 GB."""
    done = subprocess.run([sys.executable, "-c", FLAT], capture_output=True, text=True, check=True)
    assert int(done.stdout) < 50e6
