"""CompareWidget: methods beside one another, and what tells which of their maps to believe."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import traitlets

from xai_widgets.attribution import Attribution
from xai_widgets.baselines import Baseline, Constant
from xai_widgets.methods import METHODS, Saliency
from xai_widgets.task import Task
from xai_widgets.widgets import evidence
from xai_widgets.widgets.base import asset
from xai_widgets.widgets.grid import Cell
from xai_widgets.widgets.gridded import Gridded
from xai_widgets.widgets.shared import STATE
from xai_widgets.widgets.source import explain_source

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class CompareWidget(Gridded):
    """A grid of maps, methods by baselines (or by targets, or models), and how far each can be believed.

    Rows come one after the other, each coarse at first; then, in the background, curves. `method` is that of the chosen
    cell, and setting it sets its row and column.

    Args:
        model, inputs, target, index, preprocess, names, probability, features: As in `SaliencyWidget`.
        methods: Methods or their names, a row each; None for some of different families that fit the inputs.
        baselines: Columns for methods that have a baseline; None for a constant, a blur and noise, where they fit.
        targets: Columns instead of baselines.
        models: Columns instead of baselines: other models by their names, beside `model`, which comes first.

    Attributes:
        methods, baselines, targets: Rows and columns.
        row, column: The chosen cell.
        one_scale: Whether all maps share one scale of raw values; else each ends at its own 99th percentile.
        panel: What is shown below the grid: "agreement", "region", "curves" or "random weights".
        randomizing: Set it to see the chosen map as layers lose what they have learnt; it goes back by itself.
        frame: {job, version, progress} of the grid; maps are in `result()`.
    """

    _esm = asset("compare.js")
    _css = asset("compare.css")
    METHODS = (Saliency, *(cls for cls in METHODS if not cls.makes_input and cls is not Saliency))
    ASKED: ClassVar[frozenset[str]] = frozenset(
        {"methods", "baselines", "targets", "row", "column", "one_scale", "panel", "randomizing"}
    )

    one_scale = traitlets.Bool(False).tag(sync=True)
    panel = traitlets.Unicode("agreement").tag(sync=True)
    randomizing = traitlets.Bool(False).tag(sync=True)

    _curves = traitlets.Dict().tag(sync=True)
    _strip = traitlets.Dict().tag(sync=True)

    _measured = 0
    _strip_of: Cell | None = None

    def _forget(self, *, others: bool) -> None:
        self._curves = self._effect = {}
        if others:
            self._strip, self.randomizing = {}, False

    def _then(self, job: int, rows: list[list[Cell]]) -> None:
        self._aside("curves", lambda: self._measure(job, rows))
        if self.region:
            self._ask_effect()

    # Curves, the region, random weights

    @property
    def _replacement(self) -> Baseline:
        """What takes the place of parts that are removed, the same for all maps."""
        return next((one for one in self.baselines if one.count == 1), Constant(0.0))

    def _measure(self, job: int, rows: list[list[Cell]]) -> Iterator[None]:
        lines: list[dict[str, Any]] = []
        names, away = self._axes, self._replacement
        groups: set[int] = set()
        settled = [cell for row in rows for cell in row if cell.error is None]
        try:
            for cell in settled:
                assert cell.task
                assert cell.attribution
                group = 0 if self._across == "baselines" else cell.column
                given: list[tuple[str, Attribution, Cell | None]] = [(_title(names, cell), cell.attribution, cell)]
                if group not in groups:
                    given += [(name, one, None) for name, one in evidence.plain_orders(cell.attribution)]
                    groups.add(group)
                for name, attribution, own in given:
                    case = evidence.case_of(cell.task.subject, attribution, cell.target, away)
                    yield
                    found = None
                    for found in evidence.both_curves(case):  # noqa: B007
                        yield
                        if job != self._job:
                            return
                    line = {"name": name, "group": group, **_place(own)}
                    lines.append({**line, **(found or {})})
                    said = {"baseline": type(away).label, "score_name": attribution.score_name}
                    with STATE:
                        if self._owner is None or job != self._job:
                            return
                        self._curves = {**said, "lines": list(lines), "count": len(settled)}
        finally:
            with self._changed:
                self._measured = job
                self._changed.notify_all()

    def _ask_with_the_map(self, change: Any) -> None:
        """Once all maps are there; see `_then`."""

    @property
    def _columns(self) -> int:  # type: ignore[override]
        return len(self._axes["columns"])

    def _removals(self) -> Iterator[tuple[int, Task, Baseline]]:
        """The chosen column first, then the others."""
        rows, chosen = self._grid, self._cell()
        for column in sorted(range(self._columns if chosen else 0), key=lambda at: at != self._at_column):
            assert chosen
            cells = rows[chosen.row]
            task = cells[min(column, len(cells) - 1)].task
            if rows is not self._grid:
                return
            if task is not None:
                yield column, task, self.baselines[column] if self.baselines else self._replacement

    @traitlets.observe("randomizing")
    def _ask_strip(self, change: Any) -> None:
        cell = self._cell()
        if not change.new or not self._ready:
            self._strip_of = None
        elif cell is None or cell.attribution is None or not cell.done or cell.error is not None:
            self.randomizing = False
        else:
            self._strip_of = cell
            self._aside("strip", lambda: self._randomize(cell))

    def _randomize(self, cell: Cell) -> Iterator[None]:
        assert cell.task
        assert cell.attribution
        said = {"name": _title(self._axes, cell), "row": cell.row, "column": cell.column}
        try:
            case = evidence.case_of(cell.task.subject, cell.attribution, cell.target, None)
            yield
            count = 0
            for strip in evidence.stages(case):
                if self._strip_of is not cell:
                    return
                if len(strip["stages"]) > count:
                    count = len(strip["stages"])
                    self._strip = {**said, **strip}
                yield
        finally:
            if self._strip_of is cell and self._owner is not None:
                self.randomizing = False

    # For Python

    def plot(self) -> Figure:
        """A static matplotlib figure of the grid."""
        from xai_widgets.figures import grid_figure

        return grid_figure(self.result(), self._axes["rows"], self._axes["columns"])

    def code(self) -> str:
        """Python source that makes the same attributions, row by row; other models stand there as `models`."""
        rows = []
        for row in self._grid:
            calls = []
            for cell in row:
                asked = cell.method, cell.target, self.index, self._probability
                call = explain_source(self._subject, *asked, added_axis=self._taken.added_axis)
                name = [*self._models][cell.model]
                calls.append(call.replace("(model,", f"(models[{name!r}],", 1) if cell.model else call)
            rows.append("    [" + ", ".join(calls) + "],")
        return "\n".join(["[", *rows, "]"])

    def to_html(self, path: Any) -> None:
        """Write the grid with its curves as one HTML file that works offline."""
        self.result()
        with self._changed:
            self._changed.wait_for(lambda: self._measured == self._job or self._owner is None)
        super().to_html(path)


def _place(cell: Cell | None) -> dict[str, Any]:
    return {name: None if cell is None else getattr(cell, name) for name in ("row", "column", "span")}


def _title(axes: Mapping[str, Any], cell: Cell) -> str:
    row = str(axes["rows"][cell.row])
    return row if cell.span > 1 or len(axes["columns"]) == 1 else f"{row}, {axes['columns'][cell.column]}"
