"""CompareWidget: methods beside one another, and what tells which of their maps to believe."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import traitlets

from xai_widgets.attribution import Attribution
from xai_widgets.baselines import BASELINES, Baseline, Constant
from xai_widgets.declare import from_json, parts, to_json
from xai_widgets.methods import METHODS, Method, Saliency, as_method
from xai_widgets.task import Subject, Task
from xai_widgets.widgets import evidence, grid, showing
from xai_widgets.widgets.base import _STATE, Explainer, asset
from xai_widgets.widgets.grid import Cell
from xai_widgets.widgets.menu import limits
from xai_widgets.widgets.source import explain_source
from xai_widgets.widgets.taken import Taken
from xai_widgets.widgets.traits import Checked, whole
from xai_widgets.wire import finite
from xai_widgets.worker import WORKER

if TYPE_CHECKING:
    from matplotlib.figure import Figure

MOST = 8
# Seconds between two looks at a grid that is still computed.
_OFTEN = 0.25


class CompareWidget(Explainer):
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
        region: What is painted: {"input": place, "runs": [start, length, ...]} over the positions of the picture.
        randomizing: Set it to see the chosen map as layers lose what they have learnt; it goes back by itself.
        frame: {job, version, progress} of the grid; maps are in `result()`.
    """

    _esm = asset("compare.js")
    _css = asset("compare.css")
    METHODS = (Saliency, *(cls for cls in METHODS if not cls.makes_input and cls is not Saliency))
    ASKED: ClassVar[frozenset[str]] = frozenset(
        {"methods", "baselines", "targets", "row", "column", "one_scale", "panel", "region", "randomizing"}
    )

    methods = Checked((), lambda self, value: self._check_methods(value)).tag(
        sync=True,
        to_json=lambda value, self: [to_json(one, self._menu.arrays) for one in value],
        from_json=lambda value, self: [self._from_page(one, self.METHODS) for one in value],
    )
    baselines = Checked((), lambda self, value: self._check_baselines(value)).tag(
        sync=True,
        to_json=lambda value, self: [to_json(one, self._menu.arrays) for one in value],
        from_json=lambda value, self: [self._from_page(one, BASELINES) for one in value],
    )
    targets = Checked((), lambda self, value: self._check_targets(value)).tag(
        sync=True,
        to_json=lambda value, _: [one if one is None or isinstance(one, int) else {"label": str(one)} for one in value],
        from_json=lambda value, self: self._targets_from_page(value),
    )
    row = Checked(0, lambda _, value: whole("row", value, 0)).tag(sync=True)
    column = Checked(0, lambda _, value: whole("column", value, 0)).tag(sync=True)
    one_scale = traitlets.Bool(False).tag(sync=True)
    panel = traitlets.Unicode("agreement").tag(sync=True)
    region = Checked({}, lambda self, value: self._check_region(value)).tag(sync=True)
    randomizing = traitlets.Bool(False).tag(sync=True)

    _axes = traitlets.Dict().tag(sync=True)
    _cells: traitlets.List[Any] = traitlets.List().tag(sync=True)
    _agreement: traitlets.List[Any] = traitlets.List().tag(sync=True)
    _effect = traitlets.Dict().tag(sync=True)
    _curves = traitlets.Dict().tag(sync=True)
    _strip = traitlets.Dict().tag(sync=True)

    _ready = _following = False
    _measured = _tellings = 0

    def __init__(
        self,
        model: Any,
        inputs: Any,
        methods: Any = None,
        *,
        baselines: Any = None,
        targets: Any = None,
        models: Any = None,
        target: Any = None,
        **options: Any,
    ) -> None:
        # Before super(): the base looks at the model and the samples at once.
        self._grid: list[list[Cell]] = []
        self._models = _named_models(model, models)
        self._others: list[Taken] = []
        self._known: dict[int, Any] = {}
        self._shown_at = 0.0
        self._strip_of: Cell | None = None
        self._kind = "models" if len(self._models) > 1 else "targets" if targets is not None else "baselines"
        if sum(given is not None for given in (baselines, targets, models)) > 1:
            raise ValueError("CompareWidget has one kind of columns: give baselines=, targets= or models=, not several")
        first = targets[0] if isinstance(targets, list | tuple) and targets else target
        super().__init__(model, inputs, target=first, **options)
        try:
            self.methods = grid.usual_methods(self._subject) if methods is None else methods
            if self._kind == "baselines":
                self.baselines = grid.usual_baselines(self._subject) if baselines is None else baselines
            self.targets = [target] if targets is None else targets
        except Exception:
            self.close()
            raise
        self.observe(self._restart, ["methods", "baselines", "targets"])
        self.observe(self._choose, ["row", "column"])
        self._ready = True
        self._restart()

    @classmethod
    def first(cls) -> None:
        """Nothing: some methods of different families."""

    # What Python and the page may set

    def _take(self, given: Taken) -> None:
        super()._take(given)
        self._known.clear()
        self._grid = []
        self._models = {
            name: given.subject.model if not place else one for place, (name, one) in enumerate(self._models.items())
        }
        self._others = [
            Taken(one, given.inputs, features=self._features, **self._options) for one in [*self._models.values()][1:]
        ]

    def _subjects(self) -> list[Subject]:
        return [self._subject, *(one.subject for one in self._others)]

    def _from_page(self, value: Any, classes: Any) -> Any:
        return from_json(value, classes, BASELINES, self._menu.arrays, limits(self._schema))

    def _targets_from_page(self, value: Any) -> list[Any]:
        """What Python alone can name comes back as its label: it stays what it was."""
        return [
            self.targets[place] if isinstance(one, dict) and place < len(self.targets) else one
            for place, one in enumerate(value)
        ]

    def _check_methods(self, value: Any) -> tuple[Method, ...]:
        values = value if isinstance(value, list | tuple) else [value]
        if not 1 <= len(values) <= MOST and self._ready:
            raise ValueError(f"methods must be 1 to {MOST}, got {len(values)}")
        methods = tuple(as_method(one) for one in values)
        for one in methods:
            for subject in self._subjects():
                self._check_method(one)
                one.check(subject.view, subject.inputs)
        return methods

    def _check_baselines(self, value: Any) -> tuple[Baseline, ...]:
        values = value if isinstance(value, list | tuple) else [value]
        if not 1 <= len(values) <= MOST and self._ready and self._kind == "baselines":
            raise ValueError(f"baselines must be 1 to {MOST}, got {len(values)}")
        found = tuple(one if isinstance(one, Baseline) else Constant(one) for one in values)
        for one in found:
            for array in self._subject.inputs.arrays:
                one.reference(array[:1])
        return found

    def _check_targets(self, value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple) or len(value) > MOST:
            raise TypeError(f"targets must be a list of at most {MOST} targets, got {value!r}")
        return tuple(self._check_target(one) for one in value)

    def _check_region(self, value: Any) -> dict[str, Any]:
        if not isinstance(value, Mapping) or (value and not isinstance(value.get("runs"), list | tuple)):
            raise TypeError(f"region must be a dict of an input's place and runs, or empty, got {value!r}")
        if not value or not value["runs"]:
            return {}
        place = whole("region['input']", value.get("input", 0), 0)
        runs = [whole("region['runs']", one, 0) for one in value["runs"]]
        arrays = self._subject.inputs.arrays
        shape = grid.positions(arrays[place].shape) if place < len(arrays) else ()
        if len(shape) < 2:
            raise ValueError(f"region must lie on a picture; input {place} is none")
        evidence.mask_of(runs, shape)
        return {"input": place, "runs": runs}

    @property
    def _at_column(self) -> int:
        return min(self.column, max(len(self._axes.get("columns", ())), 1) - 1)

    def _cell(self) -> Cell | None:
        """The chosen one."""
        if not self._grid:
            return None
        cells = self._grid[min(self.row, len(self._grid) - 1)]
        return cells[min(self._at_column, len(cells) - 1)]

    def _choose(self, _: Any = None) -> None:
        with _STATE:
            cell = self._cell()
            if cell is not None and self.method != cell.method:
                self._following = True
                try:
                    self.method = cell.method
                finally:
                    self._following = False

    def _edit(self, method: Method) -> None:
        """Another method for the chosen cell: its row and its column follow."""
        row, column = min(self.row, len(self.methods) - 1), self._at_column
        with self.hold_trait_notifications():
            self.methods = [method if at == row else one for at, one in enumerate(self.methods)]
            if self.baselines and grid.has_baseline(method):
                baseline = method.baseline  # type: ignore[attr-defined]
                self.baselines = [baseline if at == column else one for at, one in enumerate(self.baselines)]

    # The loop

    def _restart(self, change: Any = None) -> None:
        with _STATE:
            if self._owner is None or not self._ready or self._following:
                return
            if change is not None and change.name == "method":
                return self._edit(change.new)
            if change is not None and change.name == "target":
                column = self._at_column if self._kind == "targets" else 0
                self.targets = [change.new if at == column else one for at, one in enumerate(self.targets)]
                return
            self._job += 1
            job, index = self._job, self.index
            before = (
                [cell for cells in self._grid for cell in cells] if change is None or change.name != "index" else []
            )
            wanted = grid.arranged(self.methods, self.baselines, self.targets, len(self._models))
            self._grid = grid.with_what_is_there(wanted, before)
            self._choose()
            with self.hold_sync():
                for method in {self.method, *self.methods}:
                    self._schema = self._menu.schemas(method, self._schema)
                for one in (*self.methods, *self.baselines):
                    to_json(one, self._menu.arrays)
                self._axes = self._named_axes()
                self._curves, self._agreement = {}, []
                if not before:
                    self._pictures = self._draw(
                        self._subject.rows(slice(index, index + 1)), [None] * len(self._pictures)
                    )
                    self._strip, self.randomizing = {}, False
                if self.phase == "settled":
                    self.phase, self.status = "computing", "Computing"
            WORKER.submit(self._owner, lambda: self._fill(job, index, self._grid))

    def _named_axes(self) -> dict[str, Any]:
        if self._kind == "models":
            columns = [*self._models]
        elif self._kind == "targets":
            columns = [self._label_of(one) for one in self.targets]
        else:
            columns = grid.names_of(self.baselines)
        return {"kind": self._kind, "rows": grid.names_of(self.methods), "columns": columns, "looks": []}

    def _label_of(self, target: Any) -> str:
        if callable(target):
            return "the target function"
        task = Task(self._task.subject, Saliency(), target=target, probability=self._probability)
        return "predicted class" if target is None else str(task.score.labels[0])

    def _fill(self, job: int, index: int, rows: list[list[Cell]]) -> Iterator[None]:
        """Every row coarse, then one after the other to the end; then what follows from all of them."""
        try:
            subjects = [one.rows(slice(index, index + 1)).refreshed() for one in self._subjects()]
            cells = [cell for row in rows for cell in row]
            for place, subject in enumerate(subjects):
                known = self._known.get(place)
                _ = subject.outputs
                if known is None or known[0] != index or not _alike(known[1], subject.outputs):
                    rows[:] = [[_afresh(cell) if cell.model == place else cell for cell in row] for row in rows]
                    self._known[place] = index, subject.outputs
                yield
            self._task = Task(subjects[0], rows[0][0].method, target=rows[0][0].target, probability=self._probability)
            for coarse in (True, False):
                for row in rows:
                    while todo := [cell for cell in row if not cell.done and not (coarse and cell.frame)]:
                        for cell in todo:
                            self._say_what_is_traced(cell)
                            cell.advance(subjects[cell.model], self._probability)
                            yield
                            self._show(job, rows)
                    self._show(job, rows, now=True)
            cells = [cell for row in rows for cell in row]
            for cell in cells:
                cell.rank()
                yield
            self._finish(job, rows, grid.agreement_of(cells))
        except Exception as error:  # shown in the view: JupyterLab shows nothing of an error in a thread
            self._fail(job, error)
            return
        for cell in cells:
            if cell.task is not None and cell.error is None:
                return self._learn_layers(cell.task)

    def _say_what_is_traced(self, cell: Cell) -> None:
        kind = cell.model, callable(cell.target), *(type(part) for part in parts(cell.method))
        if kind not in self._traced:
            self._traced.add(kind)
            self.status = f"Preparing {type(cell.method).label} for this model (first time only)"

    def _show(self, job: int, rows: list[list[Cell]], *, now: bool = False, **more: Any) -> None:
        if not now and time.perf_counter() - self._shown_at < _OFTEN:
            return
        looks: dict[int, Any] = {}
        for cell in (cell for row in rows for cell in row):
            self._tell(cell)
            if cell.told.get("look"):
                looks[cell.column] = cell.told["look"]
        cells = [cell for row in rows for cell in row]
        done = sum(cell.done for cell in cells)
        progress = sum(cell.progress for cell in cells) / len(cells)
        errors = [cell.error for cell in cells if cell.error is not None]
        traits = {
            "_cells": [
                [{key: value for key, value in cell.told.items() if key != "look"} for cell in row] for row in rows
            ],
            "_axes": {**self._axes, "looks": [looks.get(at, {}) for at in range(len(self._axes["columns"]))]},
            "frame": {"job": job, "version": self.frame.get("version", 0) + 1, "progress": progress},
            "status": f"Computing \u00b7 {done} of {len(cells)} maps",
            "phase": "computing",
            "error": str(errors[0]) if errors else "",
            **more,
        }
        with _STATE:
            if self._owner is None or job != self._job:
                return
            self._shown_at = time.perf_counter()
            chosen = self._cell()
            if chosen is not None and chosen.attribution is not None:
                self._latest = chosen.attribution
                self._changed.notify_all()
            with self.hold_sync():
                for name, value in traits.items():
                    setattr(self, name, value)

    def _tell(self, cell: Cell) -> None:
        if cell.told:
            return
        place = {"row": cell.row, "column": cell.column, "span": cell.span, "error": str(cell.error or "")}
        if cell.task is None or cell.frame is None or cell.attribution is None:
            cell.told = {**place, "progress": cell.progress}
            return
        drawn = self._shown(cell.task, cell.frame, cell.attribution, cell.seconds)
        self._tellings += 1
        look = (drawn["_baselines"] or [{}])[0]
        cell.told = {**drawn["frame"], **place, "version": self._tellings, "progress": cell.progress, "look": look}

    def _finish(self, job: int, rows: list[list[Cell]], matrix: list[list[float]]) -> None:
        cells = [cell for row in rows for cell in row]
        seconds = sum(cell.seconds for cell in cells)
        told = {
            "phase": "settled",
            "status": f"Settled \u00b7 {len(cells)} maps \u00b7 {seconds:.2f} s",
            "_agreement": matrix,
            "_code": self.code(),
            "_predictions": showing.predictions(self._task.subject.outputs),
        }
        self._show(job, rows, now=True, **told)
        wrong = [cell.error for cell in cells if cell.error is not None]
        chosen = self._cell()
        with _STATE:
            if self._owner is None or job != self._job:
                return
            self._settle(job, wrong[0] if wrong or chosen is None or chosen.attribution is None else chosen.attribution)
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
                assert cell.task is not None and cell.attribution is not None
                group = 0 if self._kind == "baselines" else cell.column
                given = [(_title(names, cell), cell.attribution, cell)]
                if group not in groups:
                    given += [(name, one, None) for name, one in evidence.plain_orders(cell.attribution)]
                    groups.add(group)
                for name, attribution, own in given:
                    case = evidence.case_of(cell.task.subject, attribution, cell.target, away)
                    yield
                    found = None
                    for found in evidence.both_curves(case):
                        yield
                        if job != self._job:
                            return
                    line = {"name": name, "group": group, **_place(own)}
                    lines.append({**line, **(found or {})})
                    said = {"baseline": type(away).label, "score_name": attribution.score_name}
                    with _STATE:
                        if self._owner is None or job != self._job:
                            return
                        self._curves = {**said, "lines": list(lines), "count": len(settled)}
        finally:
            with self._changed:
                self._measured = job
                self._changed.notify_all()

    @traitlets.observe("region")
    def _ask_effect(self, _: Any = None) -> None:
        if not self._ready:
            return
        if self.region:
            self._aside("region", self._take_away)
        elif self._effect:
            self._effect = {}

    def _take_away(self) -> Iterator[None]:
        """What the score is without the region: for the chosen column first, then for the others, one pass each."""
        region, rows = self.region, self._grid
        chosen = self._cell()
        if chosen is None or chosen.task is None or not region:
            return
        place = region["input"]
        mask = evidence.mask_of(region["runs"], grid.positions(chosen.task.subject.inputs.arrays[place].shape))
        seen: list[Any] = [None] * len(self._axes["columns"])
        for column in sorted(range(len(seen)), key=lambda at: at != self._at_column):
            away = self.baselines[column] if self.baselines else self._replacement
            cells = rows[chosen.row]
            task = cells[min(column, len(cells) - 1)].task
            if task is None:
                continue
            score, without = evidence.without_region(task, place, mask, away)
            seen[column] = finite({"baseline": type(away).label, "score": score, "without": without})
            with _STATE:
                if self._owner is None or region != self.region or rows is not self._grid:
                    return
                self._effect = {**region, "score_name": task.score.reader.name, "seen": list(seen)}
            yield

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
        assert cell.task is not None and cell.attribution is not None
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

    def result(self, timeout: float | None = None) -> list[list[Attribution]]:  # type: ignore[override]
        """Wait until the grid is computed.

        Returns:
            Rows of attributions, each with a batch axis of 1; a method without a baseline has one.

        Raises:
            As `SaliencyWidget.result` does; what went wrong in any cell.
        """
        super().result(timeout)
        with _STATE:
            return [[cell.attribution for cell in row if cell.attribution is not None] for row in self._grid]

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
                call = explain_source(
                    self._subject,
                    cell.method,
                    cell.target,
                    self.index,
                    self._probability,
                    added_axis=self._taken.added_axis,
                )
                name = [*self._models][cell.model]
                calls.append(call.replace("(model,", f"(models[{name!r}],", 1) if cell.model else call)
            rows.append("    [" + ", ".join(calls) + "],")
        return "\n".join(["[", *rows, "]"])

    def record(self, **positions: Sequence[Any]) -> None:
        """Nothing is recorded: a page shows the whole grid as it is.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError("CompareWidget records nothing: a saved page shows the whole grid")

    def to_html(self, path: Any) -> None:
        """Write the grid with its curves as one HTML file that works offline."""
        self.result()
        with self._changed:
            self._changed.wait_for(lambda: self._measured == self._job or self._owner is None)
        super().to_html(path)


def _named_models(model: Any, models: Any) -> dict[str, Any]:
    if models is None:
        return {getattr(model, "name", "model"): model}
    others = models if isinstance(models, Mapping) else {getattr(one, "name", "model"): one for one in models}
    first = getattr(model, "name", "model")
    return {first if first not in others else "model": model, **{str(name): one for name, one in others.items()}}


def _place(cell: Cell | None) -> dict[str, Any]:
    return {name: None if cell is None else getattr(cell, name) for name in ("row", "column", "span")}


def _alike(one: Any, other: Any) -> bool:
    pairs = zip(one.flat, other.flat, strict=True)
    return all(np.allclose(a.logits, b.logits, rtol=1e-5, atol=1e-5) for a, b in pairs)


def _afresh(cell: Cell) -> Cell:
    return Cell(cell.row, cell.column, cell.span, cell.method, cell.target, cell.model)


def _title(axes: Mapping[str, Any], cell: Cell) -> str:
    row = str(axes["rows"][cell.row])
    return row if cell.span > 1 or len(axes["columns"]) == 1 else f"{row}, {axes['columns'][cell.column]}"
