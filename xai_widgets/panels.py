"""Parts of matplotlib figures: an input and its map, or an input that was made."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Literal, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import SubFigure
from matplotlib.gridspec import SubplotSpec
from matplotlib.ticker import MaxNLocator

from xai_widgets.attribution import Attribution
from xai_widgets.bars import IN_ORDER, Bar, bars, kind
from xai_widgets.layout import positions
from xai_widgets.lettering import label
from xai_widgets.trees import leaves
from xai_widgets.wire import picture, value_range

# As in the colour map, but each stands out from white and from black.
FOR, AGAINST, OTHERS = "#b35806", "#8073ac", "0.55"
MOST_BARS = 16
_LETTERS = 8.5
_SIDE = 2.75  # inches of a picture
_NOWHERE = -1


class Panel(NamedTuple):
    """Inches of height, and what draws it for a sample."""

    height: float
    draw: Callable[[SubFigure, SubplotSpec, int], None]


def map_panel(attribution: Attribution, heat: np.ndarray, place: int, samples: Sequence[int], name: str) -> Panel:
    """An input and its map: side by side where it has an area, else bars, of a series below its lines."""
    inputs = leaves(attribution.inputs)
    behind = inputs[min(place, len(inputs) - 1)]
    above = 0.25 if name else 0.0
    if heat.ndim > 2:
        heat = heat.sum(axis=tuple(range(1, heat.ndim - 2)))
        largest = _largest(heat[list(samples)])
        tall = float(np.clip(heat.shape[1] / heat.shape[2], 0.3, 1.5))
        return Panel(_SIDE * tall + above, partial(_draw_picture, behind, heat, largest, name))
    rows = {sample: bars(attribution, heat[sample], place, sample, attribution.features) for sample in samples}
    what = kind(attribution, place, attribution.features)
    if what not in IN_ORDER:
        rows = {sample: _ranked(found) for sample, found in rows.items()}
        tall = 0.21 * max(map(len, rows.values())) + 0.7
        return Panel(tall + above, partial(_draw_bars, rows, _limits(rows), name))
    if what == "step":
        return Panel(2.9 + above, partial(_draw_series, behind, rows, _limits(rows), name))
    return Panel(2.0 + above, partial(_draw_steps, rows, _limits(rows), name, what))


def made_panel(attribution: Attribution, values: np.ndarray, place: int, samples: Sequence[int], name: str) -> Panel:
    """What a method made: a picture as it is, else its values."""
    limits = value_range(values[list(samples)])
    area = len(positions(values.shape)) > 1
    tall = 4.0 if area else max(2.5, 0.21 * values.shape[-1] + 0.7) if values.ndim == 2 else 2.5
    return Panel(tall + (0.25 if name else 0.0), partial(_draw_made, values, limits, name, attribution.features))


def _ranked(found: list[Bar]) -> list[Bar]:
    """The largest first, and what is left in one."""
    ranked = sorted(found, key=lambda bar: -abs(bar.value))
    if len(ranked) <= MOST_BARS + 1:
        return ranked
    rest = ranked[MOST_BARS:]
    return [*ranked[:MOST_BARS], Bar(f"{len(rest)} others", sum(bar.value for bar in rest), _NOWHERE, len(rest))]


def _limits(rows: dict[int, list[Bar]]) -> tuple[float, float]:
    """The ends of one scale for the bars of all samples."""
    values = np.array([bar.value for found in rows.values() for bar in found])
    values = values[np.isfinite(values)]
    low, high = min(0.0, values.min(initial=0.0)), max(0.0, values.max(initial=0.0))
    beyond = 0.05 * (high - low) or 1.0
    return low - beyond * (low < 0 or high == 0), high + beyond * (high > 0 or low == 0)


def _largest(heat: np.ndarray) -> float:
    sizes = np.abs(heat[np.isfinite(heat)])
    return float(np.percentile(sizes, 99) or sizes.max()) if sizes.any() else 1.0


def _draw_picture(
    inputs: np.ndarray, heat: np.ndarray, largest: float, name: str, row: SubFigure, cell: SubplotSpec, sample: int
) -> None:
    grid = cell.subgridspec(1, 2)
    left, right = row.add_subplot(grid[0]), row.add_subplot(grid[1])
    draw_pixels(left, inputs[sample], value_range(inputs[sample]))
    image = right.imshow(heat[sample], cmap="PuOr_r", vmin=-largest, vmax=largest)
    scale = row.colorbar(image, ax=right, shrink=0.8)
    scale.ax.tick_params(labelsize=_LETTERS)
    left.set_anchor("W")
    for axis in (left, right):
        axis.set_axis_off()
    _name(left, name)


def draw_pixels(axis: Axes, sample: np.ndarray, limits: tuple[float, float]) -> None:
    """A sample as a picture, of a volume the mean over its depth; nothing where it is neither."""
    depth = len(positions((1, *sample.shape))) - 2
    shown = picture(sample.mean(axis=tuple(range(depth))), limits) if depth >= 0 else None
    if shown is not None:
        pixels = np.frombuffer(shown["data"], np.uint8).reshape(shown["shape"])
        axis.imshow(pixels.squeeze(), cmap="gray" if pixels.shape[-1] == 1 else None, vmin=0, vmax=255)


def _draw_bars(
    rows: dict[int, list[Bar]],
    limits: tuple[float, float],
    name: str,
    row: SubFigure,
    cell: SubplotSpec,
    sample: int,
) -> None:
    axis, found = row.add_subplot(cell), rows[sample]
    axis.barh(range(len(found)), [bar.value for bar in found], color=[_color(bar) for bar in found])
    axis.axvline(0, color="0.5", linewidth=0.8)
    axis.set_yticks(range(len(found)), [label(bar.name) for bar in found])
    axis.set_ylim(len(found) - 0.4, -0.6)
    axis.set_xlim(limits)
    axis.set_xlabel("attribution", fontsize=_LETTERS)
    _finish(axis, "x", name)


def _color(bar: Bar) -> str:
    return OTHERS if bar.start == _NOWHERE else FOR if bar.value >= 0 else AGAINST


def _draw_series(
    inputs: np.ndarray,
    rows: dict[int, list[Bar]],
    limits: tuple[float, float],
    name: str,
    row: SubFigure,
    cell: SubplotSpec,
    sample: int,
) -> None:
    grid = cell.subgridspec(2, 1, height_ratios=[1, 1.4])
    signal = row.add_subplot(grid[0])
    _draw_lines(signal, inputs[sample], name)
    signal.tick_params(labelbottom=False)
    signal.set_xlim(_ends(rows[sample]))
    _draw_steps(rows, limits, "", "step", row, grid[1], sample)
    row.align_ylabels()


def _draw_lines(axis: Axes, values: np.ndarray, name: str) -> None:
    axis.plot(values, linewidth=1)
    axis.set_ylabel("value", fontsize=_LETTERS)
    _finish(axis, "y", name)


def _draw_steps(
    rows: dict[int, list[Bar]],
    limits: tuple[float, float],
    name: str,
    what: str,
    row: SubFigure,
    cell: SubplotSpec,
    sample: int,
) -> None:
    axis, found = row.add_subplot(cell), rows[sample]
    axis.bar(
        [bar.start - 0.42 for bar in found],
        [bar.value for bar in found],
        [bar.width - 0.16 for bar in found],
        align="edge",
        color=[_color(bar) for bar in found],
    )
    axis.axhline(0, color="0.5", linewidth=0.8)
    axis.set_xlim(_ends(found))
    axis.set_ylim(limits)
    axis.set_xlabel(what, fontsize=_LETTERS)
    axis.set_ylabel("attribution", fontsize=_LETTERS)
    axis.xaxis.set_major_locator(MaxNLocator(10, integer=True))
    _finish(axis, "y", name)


def _ends(found: list[Bar]) -> tuple[float, float]:
    return -0.75, found[-1].start + found[-1].width - 0.25


def _draw_made(
    values: np.ndarray,
    limits: tuple[float, float],
    name: str,
    features: Sequence[str],
    row: SubFigure,
    cell: SubplotSpec,
    sample: int,
) -> None:
    axis, made = row.add_subplot(cell), values[sample]
    if len(positions(values.shape)) > 1:
        draw_pixels(axis, made, limits)
        axis.set_anchor("W")
        axis.set_axis_off()
        _name(axis, name)
    elif made.ndim == 2:
        axis.set_xlabel("step", fontsize=_LETTERS)
        _draw_lines(axis, made, name)
    else:
        names = features if len(features) == len(made) else [f"feature {place}" for place in range(len(made))]
        axis.barh(range(len(made)), made, color=OTHERS)
        axis.set_yticks(range(len(made)), [label(one) for one in names])
        axis.set_ylim(len(made) - 0.4, -0.6)
        axis.set_xlabel("value", fontsize=_LETTERS)
        _finish(axis, "x", name)


def _finish(axis: Axes, along: Literal["x", "y"], name: str) -> None:
    """Few enough numbers along the values that they stay apart, and none with many zeros."""
    axis.tick_params(labelsize=_LETTERS)
    axis.ticklabel_format(axis=along, style="sci", scilimits=(-4, 5))
    getattr(axis, f"{along}axis").offsetText.set_fontsize(_LETTERS)
    axis.locator_params(axis=along, nbins=6)
    for side in ("top", "right"):
        axis.spines[side].set_visible(False)
    _name(axis, name)


def _name(axis: Axes, name: str) -> None:
    if name:
        axis.set_title(label(name), loc="left", fontsize=_LETTERS)
