"""Many widgets, opened and closed: nothing stays."""

import gc
import threading

import keras
import numpy as np
import psutil
import pytest
from ipywidgets.widgets.widget import _instances
from keras import layers

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


def test_memory_is_flat_in_steps():
    """From 64 to 512 steps on a picture whose chunk of activations is far larger than the map."""
    x = keras.Input((128, 128, 3))
    y = layers.Conv2D(16, 3, activation="relu")(x)
    model = keras.Model(x, layers.Dense(2)(layers.GlobalAveragePooling2D()(y)))
    inputs = np.random.default_rng(0).random((1, 128, 128, 3)).astype("float32")
    for method in (xai.IntegratedGradients(steps=64), xai.SmoothGrad(samples=64)):  # full chunks, twice
        xai.explain(model, inputs, method)
    gc.collect()
    before = psutil.Process().memory_info().rss
    for method in (xai.IntegratedGradients(steps=512), xai.SmoothGrad(samples=512)):
        xai.explain(model, inputs, method)
    gc.collect()
    # 512 gradients of this size would be 100 MB, and their activations 2 GB.
    assert psutil.Process().memory_info().rss - before < 50e6
