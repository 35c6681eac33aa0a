"""What travels to the browser."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis.extra.numpy import arrays

from xai_widgets.wire import color_tables, finite, pack, picture, value_range


@given(arrays(np.float32, (3, 4), elements={"allow_nan": False, "allow_infinity": False}))
def test_maps_keep_three_digits_at_any_scale(array):
    (header,), data = pack([array])
    back = np.frombuffer(data, "<f2").reshape(header["shape"]).astype(float) * header["scale"]
    assert np.abs(back - array).max() <= 6e-4 * np.abs(array).max()


def test_several_maps_share_one_buffer():
    headers, data = pack([np.ones((2, 2)), np.full(3, -5.0)])
    assert [header["offset"] for header in headers] == [0, 8]
    assert len(data) == 14
    assert headers[1]["scale"] == 5


def test_nan_and_infinity_travel_as_none():
    told = finite({"a": np.float32("nan"), "b": [math.inf, 1.5], "c": np.int64(3)})
    assert told == {"a": None, "b": [None, 1.5], "c": 3}
    assert type(told["c"]) is int


@pytest.mark.parametrize(
    ("values", "limits"), [([0, 0.5], (0, 1)), ([0, 200], (0, 255)), ([-2, 3], (-2, 3)), ([7, 7], (0, 255))]
)
def test_value_range(values, limits):
    assert value_range(np.array(values, float)) == limits


def test_pictures_of_any_number_of_channels():
    ramp = np.linspace(0, 1, 12).reshape(2, 2, 3)
    drawn = picture(ramp, (0, 1))
    assert drawn["shape"] == [2, 2, 3]
    assert np.frombuffer(drawn["data"], np.uint8)[[0, -1]].tolist() == [0, 255]
    assert picture(np.zeros((4, 5, 7)), (0, 1))["shape"] == [4, 5, 1]
    assert picture(np.zeros((4, 5)), (0, 1))["shape"] == [4, 5, 1]
    assert picture(np.zeros(4), (0, 1)) is None


def test_colour_tables_are_matplotlibs():
    from matplotlib import colormaps

    table = np.frombuffer(color_tables(["PuOr_r"])["PuOr_r"]["data"], np.uint8).reshape(256, 3)
    np.testing.assert_array_equal(table, colormaps["PuOr_r"](np.arange(256) / 255, bytes=True)[:, :3])
    assert color_tables(["RdBu_r"])["RdBu_r"]["diverging"]
    assert not color_tables(["viridis"])["viridis"]["diverging"]
    with pytest.raises(ValueError, match="did you mean 'viridis'"):
        color_tables(["virridis"])
