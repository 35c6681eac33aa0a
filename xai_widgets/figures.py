"""Static matplotlib figures of attributions, by the object interface: no pyplot, so they are safe in a thread."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine

from xai_widgets.attribution import Attribution
from xai_widgets.baselines import Baseline
from xai_widgets.caption import inline, map_names, number, sentence
from xai_widgets.declare import parts
from xai_widgets.lettering import height, label, plain, shortened, wrapped
from xai_widgets.methods import Method
from xai_widgets.panels import Panel, made_panel, map_panel
from xai_widgets.trees import leaves

if TYPE_CHECKING:
    from xai_widgets.concepts import TCAVResult
    from xai_widgets.metrics.comparison import Agreement
    from xai_widgets.metrics.curves import Curve
    from xai_widgets.metrics.sanity import Cascade

MOST_SAMPLES = 8
MOST_LINES = 6  # of notes
WIDTH = 6.6
MARGIN = 0.06
TITLE, SMALL = 11.0, 9.0  # points


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
    """What was explained of one sample, or of the first eight: every input and its map, on one scale for all samples.

    Above them stands the method, below them what the map says and the notes.

    Raises:
        ValueError: There is no such sample.
        TypeError: `sample` is no integer.
    """
    if sample is not None and (isinstance(sample, bool) or not isinstance(sample, int | np.integer)):
        raise TypeError(f"sample must be an integer, got {sample!r}")
    if sample is not None and not 0 <= sample < len(attribution):
        raise ValueError(f"sample must be 0 to {len(attribution) - 1}, got {sample}")
    samples = list(range(min(len(attribution), MOST_SAMPLES))) if sample is None else [int(sample)]
    room = WIDTH - 2 * MARGIN
    head = wrapped(_heading(attribution, samples), room, SMALL)
    titles = [wrapped(_title(attribution, place), room, TITLE) for place in samples]
    captions = [wrapped(sentence(attribution, attribution.features, place), room, SMALL) for place in samples]
    for caption in captions[:-1]:
        caption.append("")  # keeps the next title away
    notes = _notes(attribution.notes, room)
    panels = _panels(attribution, samples)

    heights = [
        height(len(title), TITLE) + height(len(text), SMALL) + sum(panel.height for panel in panels) + 5 * MARGIN
        for title, text in zip(titles, captions, strict=True)
    ]
    total = sum(heights) + height(len(head), SMALL) + height(len(notes), SMALL) + (4 if notes else 2) * MARGIN
    drawing = NotebookFigure(
        figsize=(WIDTH, total), layout=ConstrainedLayoutEngine(w_pad=MARGIN, h_pad=MARGIN, hspace=0, wspace=0.02)
    )
    _write(drawing.suptitle, head, SMALL)
    rows = drawing.subfigures(len(samples), 1, squeeze=False, height_ratios=heights)[:, 0]
    for row, place, title, text in zip(rows, samples, titles, captions, strict=True):
        _write(row.suptitle, title, TITLE)
        _write(row.supxlabel, text, SMALL)
        grid = row.add_gridspec(len(panels), 1, height_ratios=[panel.height for panel in panels])
        for panel, cell in zip(panels, grid, strict=True):
            panel.draw(row, cell, place)
    if notes:
        _write(drawing.supxlabel, notes, SMALL)
    return drawing


def _write(write: Callable[..., Any], lines: list[str], points: float) -> None:
    write(plain("\n".join(lines)), fontsize=points, x=MARGIN / WIDTH, ha="left", multialignment="left")


def _panels(attribution: Attribution, samples: list[int]) -> list[Panel]:
    maps = leaves(attribution.values if attribution.method.makes_input else attribution.heatmap())
    names = map_names(attribution, len(maps)) if len(maps) > 1 else [""]
    make = made_panel if attribution.method.makes_input else map_panel
    return [
        make(attribution, array, place, samples, name)
        for place, (array, name) in enumerate(zip(maps, names, strict=True))
    ]


def _heading(attribution: Attribution, samples: list[int]) -> str:
    """The method, its baseline and layer, and which samples there are besides."""
    nested = list(parts(attribution.method))
    said = [" of ".join(one.label for one in nested if isinstance(one, Method))]
    said += [f"baseline {shortened(repr(one))}" for one in nested if isinstance(one, Baseline)][:1]
    layer = attribution.wrt or getattr(attribution.method, "layer", None)
    if layer is not None:
        said.append(f"layer {inline(layer)}")
    if 1 < len(samples) < len(attribution):
        said.append(f"{len(samples)} of {len(attribution)} samples")
    return " \u00b7 ".join(said)


def _title(attribution: Attribution, place: int) -> str:
    target, score = inline(attribution.targets[place]), attribution.score[place]
    said = [f"sample {place}"] if len(attribution) > 1 else []
    if target != f"the {attribution.score_name}":
        said.append(shortened(target, 200))
    if np.isfinite(score):
        said.append(f"{attribution.score_name} {number(score)}")
    return " \u00b7 ".join(said)


def _notes(notes: Sequence[str], room: float) -> list[str]:
    """Some lines of notes: conventions come first and reasons for doubt last, which are kept where room is short."""
    lines: list[str] = []
    for kept, note in enumerate(reversed(notes)):
        found = wrapped(f"\u2013 {inline(note)}", room, SMALL)
        if len(lines) + len(found) > MOST_LINES:
            more = len(notes) - kept
            if not lines:
                more, lines = more - 1, [*found[: MOST_LINES - 1], f"{found[MOST_LINES - 1]} \u2026"]
            return [*lines, f"\u2013 and {more} more in .notes"] if more else lines
        lines = found + lines
    return lines


def curve_figure(curve: Curve) -> Figure:
    """A line for each sample and their mean."""
    drawing = NotebookFigure(figsize=(5, 3.2), layout="constrained")
    axis = drawing.subplots()
    _draw_mean(axis, curve.fractions, curve.scores)
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
    _draw_mean(axis, places, np.concatenate([start, cascade.samples], axis=1))
    axis.set_xticks(places, ["trained", *map(label, cascade.layers)], rotation=45, ha="right")
    axis.set_ylim(min(-0.1, cascade.samples.min()), 1.05)
    axis.axhline(0, color="0.5", linewidth=0.8)
    axis.set_title("random from the head down to")
    axis.set_ylabel("rank correlation with the map")
    return drawing


def _draw_mean(axis: Axes, places: np.ndarray, rows: np.ndarray) -> None:
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
            f"{label(result.concepts[concept])}\n{label(result.labels[k])}"
            + ("" if shade == 1 else "\n(may be chance)")
        )
    axis.set_xticks(range(len(names)), names, fontsize=8)
    axis.set_ylim(0, 1.05)
    axis.set_ylabel("share of inputs whose score rises")
    axis.set_title(f"TCAV at {label(result.layer)}; grey: random directions", fontsize=9)
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
