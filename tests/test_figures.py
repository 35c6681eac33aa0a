"""Figures, of attributions that are written down: no model is needed to draw."""

from itertools import pairwise

import numpy as np
import pytest
from matplotlib import colors, style
from matplotlib.text import Text

import xai_widgets as xai
from tests.models import samples
from xai_widgets.caption import sentence
from xai_widgets.panels import AGAINST, FOR, OTHERS
from xai_widgets.trees import leaves

LONG = "soft-coated wheaten terrier rather than American Staffordshire terrier, or American pit bull terrier " * 2


def attribution(values, inputs=None, **parts):
    count = len(leaves(values)[0])
    missing = np.full(count, np.nan, "float32")
    return xai.Attribution(
        **{
            "values": values,
            "inputs": values if inputs is None else inputs,
            "target": np.zeros(count, int),
            "score": np.full(count, 2.5, "float32"),
            "baseline_score": missing,
            "residual": missing,
            "method": xai.IntegratedGradients(baseline=xai.Constant(0.5)),
            "targets": ("tabby",) * count,
            **parts,
        }
    )


def texts(figure):
    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def written(figure):
    """What stands above and below the panels, in one text."""
    return "\n".join(texts(figure)).replace("\n", " ")


@pytest.mark.parametrize("dpi", [72, 100])
def test_all_text_is_whole_and_within_the_figure(dpi):
    notes = ("The model predicts lynx; this map explains another class. " * 2, "It may still change by some 92%.")
    a = attribution(samples(8, 9, 3, count=2), targets=(LONG, "W" * 90), notes=notes)
    figure = a.plot()
    figure.set_dpi(dpi)
    figure.draw_without_rendering()
    rows = [figure, *figure.subfigs]
    found = [text for row in rows for text in (row._suptitle, row._supxlabel)]
    boxes = sorted((text.get_window_extent() for text in found), key=lambda box: -box.y1)
    assert min(box.x0 for box in boxes) >= 0
    assert max(box.x1 for box in boxes) <= figure.bbox.x1
    assert all(upper.y0 >= lower.y1 for upper, lower in pairwise(boxes))
    for name in ("soft-coated wheaten terrier rather than American Staffordshire terrier, or", *notes):
        assert name.strip() in written(figure)
    assert "W" * 90 in written(figure).replace(" ", "")


def test_the_method_its_baseline_and_the_notes_are_told_of_one_sample_and_of_several():
    a = attribution(samples(4, count=20), notes=("The score is the logit.",))
    for figure in (a.plot(), a.plot(3)):
        assert "Integrated gradients \u00b7 baseline Constant(value=0.5)" in written(figure)
        assert "The score is the logit." in written(figure)
        assert sentence(a, sample=3).split("; ")[1] in written(figure)
    assert "8 of 20 samples" in written(a.plot())
    assert "sample 3 \u00b7 tabby \u00b7 logit 2.5" in texts(a.plot(3))
    rise = attribution(samples(4), method=xai.SmoothGrad(of=xai.Saliency()), wrt="hidden")
    assert "SmoothGrad of Saliency \u00b7 layer hidden" in texts(rise.plot())


def test_of_many_notes_the_last_ones_are_kept_and_the_others_counted():
    told = written(attribution(samples(4), notes=tuple(f"Note {place}." for place in range(9))).plot())
    assert "Note 2." not in told
    assert "Note 3." in told
    assert "Note 8. \u2013 and 3 more in .notes" in told
    assert "word \u2026" in written(attribution(samples(4), notes=("word " * 500,)).plot())


def test_a_table_is_sorted_and_the_rest_is_one_bar():
    values = np.where(np.arange(20) % 2, -1, 1) * np.arange(20, dtype="float32")[None]
    a = attribution(values, values + 0.5, features=tuple(f"column {place}" for place in range(20)))
    (axis,) = a.plot().axes
    assert [bar.get_width() for bar in axis.patches] == [*values[0, :3:-1], values[0, :4].sum()]
    names = [label.get_text() for label in axis.get_yticklabels()]
    assert names[:2] == ["column 19", "column 18"]
    assert names[-1] == "4 others"
    shades = [colors.to_hex(bar.get_facecolor()) for bar in axis.patches]
    assert [shades[0], shades[1], shades[-1]] == [AGAINST, FOR, colors.to_hex(OTHERS)]
    (axis,) = attribution(values[:, :17], values[:, :17] + 0.5).plot().axes
    assert "1 others" not in [label.get_text() for label in axis.get_yticklabels()]


def test_series_and_tokens_stay_in_order():
    series = samples(40, 3, count=2)
    signal, axis, _, other = attribution(series).plot().axes
    np.testing.assert_allclose([bar.get_height() for bar in axis.patches], series[0].sum(axis=-1), rtol=1e-6)
    np.testing.assert_array_equal([line.get_ydata() for line in signal.lines], series[0].T)
    assert signal.get_xlim() == axis.get_xlim()
    assert axis.get_xlabel() == "step"
    assert axis.get_ylim() == other.get_ylim()  # samples can be compared
    values = samples(30, count=1)
    (axis,) = attribution(values, np.arange(30, dtype="float32")[None]).plot().axes
    np.testing.assert_array_equal([bar.get_height() for bar in axis.patches], values[0])
    assert axis.get_xlabel() == "position"


def test_one_bar_a_group_and_a_run():
    labels = np.array([[0, 0, 0, 1, 1, 2]])
    a = attribution(np.array([[1.0, -3.0, 2.0]]), samples(6, count=1), segments=labels)
    (axis,) = a.plot().axes
    assert [bar.get_width() for bar in axis.patches] == [-3, 2, 1]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["features 3 to 4", "feature 5", "features 0 to 2"]
    assert "features 3 to 4 count most" in sentence(a)
    named = attribution(a.values, a.inputs, segments=labels, features=tuple("abcdef"))
    assert "d and 1 more" in texts(named.plot())
    _, axis = attribution(a.values, samples(6, 2, count=1), segments=labels).plot().axes
    assert [bar.get_height() for bar in axis.patches] == [1, -3, 2]
    assert [round(bar.get_width()) for bar in axis.patches] == [3, 2, 1]


def test_every_input_that_has_a_map_is_drawn():
    a = attribution({"table": samples(5), "picture": samples(8, 9, 1)})
    picture, heat, _, bars = a.plot(0).axes
    assert picture.images[0].get_array().shape == heat.images[0].get_array().shape == (8, 9)
    assert len(bars.patches) == 5
    assert {"picture", "table"} <= set(texts(a.plot(0)))


def test_a_volume_is_a_picture():
    values = samples(4, 8, 9, 1)
    _, heat, _ = attribution(values).plot(0).axes
    np.testing.assert_allclose(heat.images[0].get_array(), values[0].sum(axis=(0, -1)), rtol=1e-5)


def test_the_only_output_is_named_once():
    assert "output 2.5" in texts(attribution(samples(4)[:1], score_name="output", targets=("the output",)).plot())


@pytest.mark.parametrize("size", [1e-7, 0.002, 1234.5, 1e9])
def test_numbers_along_the_bars_stay_apart(size):
    names = tuple("n" * 40 + str(place) for place in range(5))
    figure = attribution(samples(5)[:1] * size, features=names).plot()
    figure.draw_without_rendering()
    (axis,) = figure.axes
    low, high = axis.get_xlim()
    shown = [label for at, label in zip(axis.get_xticks(), axis.get_xticklabels(), strict=True) if low <= at <= high]
    assert len(shown) > 1
    boxes = [label.get_window_extent() for label in shown]
    assert all(one.x1 < other.x0 for one, other in pairwise(boxes))


def test_it_is_legible_on_black():
    with style.context("dark_background"):
        figure = attribution(samples(4)[:1]).plot()
    figure.draw_without_rendering()
    assert colors.to_hex(figure.get_facecolor()) == "#000000"
    shades = {colors.to_hex(text.get_color()) for text in figure.findobj(Text) if text.get_text()}
    assert shades == {"#ffffff"}


def test_units_of_a_layer_are_not_stretched_over_the_steps_of_a_series():
    values = samples(7)
    a = attribution(values, samples(20, 2), wrt="hidden")
    np.testing.assert_array_equal(a.heatmap(), values)
    assert any(name.startswith("unit ") for name in texts(a.plot(0)))
