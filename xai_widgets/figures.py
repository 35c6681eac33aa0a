"""Static matplotlib figures of attributions, by the object interface: no pyplot, so they are safe in a thread."""

from __future__ import annotations

import io
import textwrap
import warnings
from typing import TYPE_CHECKING

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from xai_widgets.attribution import Attribution
from xai_widgets.caption import inline, sentence
from xai_widgets.layout import positions
from xai_widgets.trees import leaves
from xai_widgets.wire import picture, value_range

if TYPE_CHECKING:
    from xai_widgets.concepts import TCAVResult
    from xai_widgets.metrics.comparison import Agreement
    from xai_widgets.metrics.curves import Curve
    from xai_widgets.metrics.sanity import Cascade

MOST_SAMPLES = 8
MOST_BARS = 16


class NotebookFigure(Figure):
    """A figure that a notebook shows as the value of a cell, whichever backend is active."""

    def _repr_png_(self) -> bytes:
        buffer = io.BytesIO()
        self.savefig(buffer, format="png")
        return buffer.getvalue()


def figure_png(attribution: Attribution) -> bytes:
    """The figure of an attribution as a PNG, small enough for the output of a cell."""
    buffer = io.BytesIO()
    with warnings.catch_warnings():
        # Nobody can do anything about it in the output of a cell; `plot()` says it.
        warnings.filterwarnings("ignore", r"Glyph .* missing from font")
        figure(attribution).savefig(buffer, format="png", dpi=72)
    return buffer.getvalue()


def figure(attribution: Attribution, sample: int | None = None) -> Figure:
    """The picture and its map for one sample, or for the first eight, on one common signed scale.

    Raises:
        ValueError: There is no such sample.
        TypeError: `sample` is no integer.
    """
    if sample is not None and (isinstance(sample, bool) or not isinstance(sample, int | np.integer)):
        raise TypeError(f"sample must be an integer, got {sample!r}")
    if sample is not None and not 0 <= sample < len(attribution):
        raise ValueError(f"sample must be 0 to {len(attribution) - 1}, got {sample}")
    samples = list(range(min(len(attribution), MOST_SAMPLES))) if sample is None else [int(sample)]
    if attribution.method.makes_input:
        return _made_figure(attribution, samples)
    heat = attribution.heatmap()
    heat = heat[0] if isinstance(heat, list) else heat
    inputs = leaves(attribution.inputs)[0]
    pictures = heat.ndim == 3
    largest = np.percentile(np.abs(heat[samples]), 99) or np.abs(heat[samples]).max() or 1.0

    drawing = NotebookFigure(
        figsize=(6.4 if pictures else 6, (3.2 if pictures else 4) * len(samples)), layout="constrained"
    )
    axes = drawing.subplots(len(samples), 2 if pictures else 1, squeeze=False)
    for row, place in zip(axes, samples, strict=True):
        if pictures:
            _draw_picture(drawing, row, inputs[place], heat[place], largest)
        else:
            _draw_bars(row[0], heat[place], attribution.features)
        row[0].set_title(_title(attribution, place))
    _caption(drawing, attribution, samples)
    return drawing


def _title(attribution: Attribution, place: int) -> str:
    return f"{_label(attribution.targets[place])}  {attribution.score_name} {attribution.score[place]:.2f}"


def _label(name: str, most: int = 40) -> str:
    """A name on one line that leaves room for the picture."""
    name = inline(name)
    return _unset(name if len(name) <= most else f"{name[: most - 1]}\u2026")


def _unset(text: str) -> str:
    """Text as matplotlib is to show it: no dollar starts mathematics."""
    return text.replace("$", r"\$")


def _caption(drawing: Figure, attribution: Attribution, samples: list[int]) -> None:
    if len(samples) == 1:
        fitting = int(12.5 * drawing.get_figwidth())  # letters in a line
        text = textwrap.wrap(sentence(attribution, attribution.features, samples[0]), fitting)
        drawing.supxlabel(_unset("\n".join(text)), fontsize=8)


def _made_figure(attribution: Attribution, samples: list[int]) -> Figure:
    """What a method made, each input of a sample beside the others: a picture as it is, else its values."""
    made = leaves(attribution.values)
    drawing = NotebookFigure(figsize=(4.4 * len(made), 4.4 * len(samples)), layout="constrained")
    axes = drawing.subplots(len(samples), len(made), squeeze=False)
    for row, place in zip(axes, samples, strict=True):
        for axis, array in zip(row, made, strict=True):
            _draw_made(axis, array[place], value_range(array[samples]))
        row[0].set_title(_title(attribution, place), fontsize=10)
    _caption(drawing, attribution, samples)
    return drawing


def _draw_made(axis: Axes, values: np.ndarray, limits: tuple[float, float]) -> None:
    depth = len(positions((1, *values.shape))) - 2
    if depth >= 0:
        _draw_pixels(axis, values.mean(axis=tuple(range(depth))), limits)
        axis.set_axis_off()
    elif values.ndim == 2:
        axis.plot(values)
        axis.set_xlabel("step")
        axis.set_ylabel("value")
    else:
        axis.barh([str(place) for place in range(len(values))], values)
        axis.set_xlabel("value")
        axis.set_ylabel("feature")


def _draw_pixels(axis: Axes, sample: np.ndarray, limits: tuple[float, float]) -> None:
    shown = picture(sample, limits)
    if shown is not None:
        pixels = np.frombuffer(shown["data"], np.uint8).reshape(shown["shape"])
        axis.imshow(pixels.squeeze(), cmap="gray" if pixels.shape[-1] == 1 else None, vmin=0, vmax=255)


def _draw_picture(drawing: Figure, row: np.ndarray, sample: np.ndarray, heat: np.ndarray, largest: float) -> None:
    _draw_pixels(row[0], sample, value_range(sample))
    image = row[1].imshow(heat, cmap="PuOr_r", vmin=-largest, vmax=largest)
    drawing.colorbar(image, ax=row[1], shrink=0.8)
    for axis in row:
        axis.set_axis_off()


def _draw_bars(axis: Axes, heat: np.ndarray, features: tuple[str, ...]) -> None:
    heat = heat.reshape(-1)
    order = np.argsort(-np.abs(heat), kind="stable")[:MOST_BARS][::-1]
    colors = np.where(heat[order] >= 0, "#b35806", "#542788")
    names = features if len(features) == len(heat) else tuple(map(str, range(len(heat))))
    axis.barh(range(len(order)), heat[order], color=colors)
    axis.set_yticks(range(len(order)), [_label(names[place]) for place in order])
    axis.axvline(0, color="0.5", linewidth=0.8)
    axis.set_xlabel("attribution")
    axis.set_ylabel("feature")


def curve_figure(curve: Curve) -> Figure:
    """A line for each sample and their mean."""
    drawing = NotebookFigure(figsize=(5, 3.2), layout="constrained")
    axis = drawing.subplots()
    _draw_lines(axis, curve.fractions, curve.scores)
    axis.set_title(f"{curve.kind}, mean area {curve.area.mean():.3g}")
    axis.set_xlabel("removed" if curve.kind == "deletion" else "inserted")
    axis.set_ylabel(curve.score_name)
    return drawing


def cascade_figure(cascade: Cascade) -> Figure:
    """How alike the map stays, layer by layer from the head down."""
    drawing = NotebookFigure(figsize=(5, 3.6), layout="constrained")
    axis = drawing.subplots()
    places = np.arange(len(cascade.layers) + 1)
    start = np.ones((len(cascade.samples), 1))
    _draw_lines(axis, places, np.concatenate([start, cascade.samples], axis=1))
    axis.set_xticks(places, ["trained", *map(_label, cascade.layers)], rotation=45, ha="right")
    axis.set_ylim(min(-0.1, cascade.samples.min()), 1.05)
    axis.axhline(0, color="0.5", linewidth=0.8)
    axis.set_title("random from the head down to")
    axis.set_ylabel("rank correlation with the map")
    return drawing


def _draw_lines(axis: Axes, places: np.ndarray, rows: np.ndarray) -> None:
    axis.plot(places, rows.T, color="0.7", linewidth=0.8)
    axis.plot(places, rows.mean(axis=0), color="#b35806", marker="o", markersize=3)


def agreement_figure(agreement: Agreement) -> Figure:
    """The matrix of rank correlations."""
    drawing = NotebookFigure(figsize=(6, 4), layout="constrained")
    axis = drawing.subplots()
    image = axis.imshow(agreement.matrix, cmap="PuOr_r", vmin=-1, vmax=1)
    names = [name.partition("(")[0] for name in agreement.methods]
    axis.set_xticks(range(len(names)), names, rotation=45, ha="right")
    axis.set_yticks(range(len(names)), names)
    for (row, column), value in np.ndenumerate(agreement.matrix):
        axis.text(column, row, f"{value:.2f}", ha="center", va="center", fontsize=8)
    drawing.colorbar(image, ax=axis, label="rank correlation")
    return drawing


def tcav_figure(result: TCAVResult) -> Figure:
    """A bar for each concept and class, its spread over runs, and what chance gives; what may be chance is pale."""
    drawing = NotebookFigure(figsize=(1.6 + 1.1 * result.scores.size, 3.6), layout="constrained")
    axis = drawing.subplots()
    names = []
    for place, (concept, k) in enumerate(np.ndindex(*result.scores.shape)):
        runs = result.trials[concept, :, k]
        shade = 1.0 if result.significant[concept, k] else 0.35
        axis.bar(place, runs.mean(), yerr=runs.std(), color="#b35806", alpha=shade, capsize=3)
        middle, spread = result.null[:, k].mean(), result.null[:, k].std()
        axis.fill_between([place - 0.4, place + 0.4], middle - spread, middle + spread, color="0.5", alpha=0.3)
        axis.plot([place - 0.4, place + 0.4], [middle, middle], color="0.3", linewidth=1)
        names.append(
            f"{_label(result.concepts[concept])}\n{_label(result.labels[k])}"
            + ("" if shade == 1 else "\n(may be chance)")
        )
    axis.set_xticks(range(len(names)), names, fontsize=8)
    axis.set_ylim(0, 1.05)
    axis.set_ylabel("share of inputs whose score rises")
    axis.set_title(f"TCAV at {_label(result.layer)}; grey: random directions", fontsize=9)
    return drawing


def grid_figure(cells: list[list[Attribution]], rows: list[str], columns: list[str]) -> Figure:
    """A map for each method and column, each on a scale of its own that ends at its 99th percentile."""
    across = max(len(columns), max(map(len, cells)))
    drawing = NotebookFigure(figsize=(2.2 * across + 0.6, 2.2 * len(cells) + 0.5), layout="constrained")
    axes = drawing.subplots(len(cells), across, squeeze=False)
    for row, (name, found) in enumerate(zip(rows, cells, strict=True)):
        for column, axis in enumerate(axes[row]):
            axis.set_xticks([])
            axis.set_yticks([])
            if column >= len(found):
                axis.set_axis_off()
                continue
            heat = found[column].heatmap()
            one = np.asarray((heat[0] if isinstance(heat, list) else heat)[0], np.float64)
            if one.ndim == 1:
                axis.bar(np.arange(len(one)), one, color="#b35806")
            else:
                one = one.sum(axis=tuple(range(one.ndim - 2)))
                end = float(np.percentile(np.abs(one), 99)) or 1.0
                axis.imshow(one, cmap="PuOr_r", vmin=-end, vmax=end)
            if row == 0 and len(found) == len(columns):
                axis.set_title(columns[column], fontsize=9)
        axes[row][0].set_ylabel(name, fontsize=9)
    return drawing
