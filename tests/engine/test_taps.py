"""A tap is seen by its own thread only and leaves nothing behind."""

import threading

import numpy as np
import pytest
from keras import layers

from xai_widgets.engine.taps import tapped


def test_replaces_the_output_in_this_thread_only_and_is_undone():
    layer, x = layers.Dense(2), np.ones((1, 3), "float32")
    plain = layer(x).numpy()
    elsewhere = []
    with tapped(layer, lambda output: output * 0):
        assert not layer(x).numpy().any()
        other = threading.Thread(target=lambda: elsewhere.append(layer(x).numpy()))
        other.start()
        other.join()
    np.testing.assert_array_equal(elsewhere[0], plain)
    np.testing.assert_array_equal(layer(x).numpy(), plain)
    assert "call" not in layer.__dict__


def test_is_undone_after_an_error_and_keeps_what_a_user_had_put_there():
    layer = layers.Dense(2)
    own = layer.call
    layer.__dict__["call"] = own
    with pytest.raises(KeyboardInterrupt), tapped(layer, lambda output: output):
        raise KeyboardInterrupt
    assert layer.__dict__["call"] is own
