"""A grid of explanations: methods by baselines, targets or models, computed row by row in the background."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import traitlets

from xai_widgets.attribution import Attribution
from xai_widgets.baselines import BASELINES, Baseline, as_baseline
from xai_widgets.declare import from_json, parts, to_json
from xai_widgets.methods import Method, Saliency, as_method
from xai_widgets.task import Subject, Task
from xai_widgets.widgets import grid, showing
from xai_widgets.widgets.base import Explainer
from xai_widgets.widgets.grid import Cell
from xai_widgets.widgets.menu import limits
from xai_widgets.widgets.shared import STATE
from xai_widgets.widgets.taken import Taken
from xai_widgets.widgets.traits import Checked, whole
from xai_widgets.worker import WORKER

MOST = 8
# Seconds between two looks at a grid that is still computed.
_OFTEN = 0.25


class Gridded(Explainer):
    """A view of many maps: the loop between its rows and columns and the worker, and the cell that is chosen."""

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

    _axes = traitlets.Dict().tag(sync=True)
    _cells: traitlets.List[Any] = traitlets.List().tag(sync=True)
    _agreement: traitlets.List[Any] = traitlets.List().tag(sync=True)

    # Before that, rows and columns are empty.
    _opened = False
    _ready = _following = False
    _tellings = 0

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
        if sum(given is not None for given in (baselines, targets, models)) > 1:
            raise ValueError("CompareWidget has one kind of columns: give baselines=, targets= or models=, not several")
        # Before super(): the base looks at the model and the samples at once.
        self._grid: list[list[Cell]] = []
        self._models = _named_models(model, models)
        self._others: list[Taken] = []
        self._known: dict[int, Any] = {}
        self._shown_at = 0.0
        self._across = "models" if len(self._models) > 1 else "targets" if targets is not None else "baselines"
        first = targets[0] if isinstance(targets, list | tuple) and targets else target
        super().__init__(model, inputs, target=first, **options)
        self._opened = True
        try:
            self.methods = grid.usual_methods(self._subject) if methods is None else methods
            if self._across == "baselines":
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
        first, *others = self._models
        self._models = {first: given.subject.model, **{name: self._models[name] for name in others}}
        self._others = [
            Taken(self._models[name], given.inputs, features=self._features, **self._options) for name in others
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
        if not 1 <= len(values) <= MOST and self._opened:
            raise ValueError(f"methods must be 1 to {MOST}, got {len(values)}")
        methods = tuple(as_method(one) for one in values)
        for one in methods:
            for subject in self._subjects():
                self._check_method(one)
                one.check(subject.view, subject.inputs)
        return methods

    def _check_baselines(self, value: Any) -> tuple[Baseline, ...]:
        values = value if isinstance(value, list | tuple) else [value]
        if not 1 <= len(values) <= MOST and self._opened and self._across == "baselines":
            raise ValueError(f"baselines must be 1 to {MOST}, got {len(values)}")
        found = tuple(as_baseline("baselines", one) for one in values)
        for one in found:
            for array in self._subject.inputs.arrays:
                one.reference(array[:1])
        return found

    def _check_targets(self, value: Any) -> tuple[Any, ...]:
        if not isinstance(value, list | tuple) or len(value) > MOST:
            raise TypeError(f"targets must be a list of at most {MOST} targets, got {value!r}")
        return tuple(self._check_target(one) for one in value)

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
        with STATE:
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
        with STATE:
            if self._owner is None or not self._ready or self._following:
                return
            if change is not None and change.name == "method":
                return self._edit(change.new)
            if change is not None and change.name == "target":
                column = self._at_column if self._across == "targets" else 0
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
                self._agreement = []
                if not before:
                    shown = self._subject.rows(slice(index, index + 1))
                    self._pictures = self._draw(shown, [None] * len(shown.inputs.arrays))
                self._forget(others=not before)
                if self.phase == "settled":
                    self.phase, self.status = "computing", "Computing"
            rows = self._grid
            WORKER.submit(self._owner, lambda: self._fill(job, index, rows))

    def _named_axes(self) -> dict[str, Any]:
        if self._across == "models":
            columns = [*self._models]
        elif self._across == "targets":
            columns = [self._label_of(one) for one in self.targets]
        else:
            columns = grid.names_of(self.baselines)
        return {"kind": self._across, "rows": grid.names_of(self.methods), "columns": columns, "looks": []}

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
                            if time.perf_counter() - self._shown_at > _OFTEN:
                                self._show(job, rows)
                                yield
                    self._show(job, rows)
                    yield
            cells = [cell for row in rows for cell in row]
            for cell in cells:
                cell.rank()
                yield
            self._finish(job, rows, grid.agreement_of(cells))
        except Exception as error:  # shown in the view: JupyterLab shows nothing of an error in a thread
            self._fail(job, error)
            return
        yield  # what follows may have to be traced
        known = [cell.task for cell in cells if cell.task is not None and cell.error is None]
        if known:
            self._learn_layers(known[0])

    def _say_what_is_traced(self, cell: Cell) -> None:
        kind = cell.model, callable(cell.target), *(type(part) for part in parts(cell.method))
        if kind not in self._traced:
            self._traced.add(kind)
            self.status = f"Preparing {type(cell.method).label} for this model (first time only)"

    def _show(self, job: int, rows: list[list[Cell]], **more: Any) -> None:
        looks: dict[int, Any] = {}
        for cell in (cell for row in rows for cell in row):
            self._tell(cell)
            if cell.look:
                looks[cell.column] = cell.look
        cells = [cell for row in rows for cell in row]
        done = sum(cell.done for cell in cells)
        progress = sum(cell.progress for cell in cells) / len(cells)
        errors = [cell.error for cell in cells if cell.error is not None]
        traits = {
            "_cells": [[cell.told for cell in row] for row in rows],
            "_axes": {**self._axes, "looks": [looks.get(at, {}) for at in range(len(self._axes["columns"]))]},
            "frame": {"job": job, "version": self.frame.get("version", 0) + 1, "progress": progress},
            "status": f"Computing \u00b7 {done} of {len(cells)} maps",
            "phase": "computing",
            "error": str(errors[0]) if errors else "",
            **more,
        }
        with STATE:
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
        cell.look = (drawn["_baselines"] or [{}])[0]
        cell.told = {**drawn["frame"], **place, "version": self._tellings, "progress": cell.progress}

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
        self._show(job, rows, **told)
        wrong = [cell.error for cell in cells if cell.error is not None]
        chosen = self._cell()
        with STATE:
            if self._owner is None or job != self._job:
                return
            self._then(job, rows)
            self._settle(job, wrong[0] if wrong or chosen is None or chosen.attribution is None else chosen.attribution)

    def _forget(self, *, others: bool) -> None:
        """Drop what followed from the last grid; `others` is whether all its maps are others."""

    def _then(self, job: int, rows: list[list[Cell]]) -> None:
        """What is to be done once a grid is settled."""

    # For Python

    def result(self, timeout: float | None = None) -> list[list[Attribution]]:  # type: ignore[override]
        """Wait until the grid is computed.

        Returns:
            Rows of attributions, each with a batch axis of 1; a method without a baseline has one.

        Raises:
            As `SaliencyWidget.result` does; what went wrong in any cell.
        """
        super().result(timeout)
        with STATE:
            return [[cell.attribution for cell in row if cell.attribution is not None] for row in self._grid]

    def record(self, **positions: Sequence[Any]) -> None:
        """Nothing is recorded: a page shows the whole grid as it is.

        Raises:
            NotImplementedError: Always.
        """
        raise NotImplementedError("CompareWidget records nothing: a saved page shows the whole grid")


def _named_models(model: Any, models: Any) -> dict[str, Any]:
    if models is None:
        return {getattr(model, "name", "model"): model}
    others = models if isinstance(models, Mapping) else {getattr(one, "name", "model"): one for one in models}
    first = getattr(model, "name", "model")
    return {first if first not in others else "model": model, **{str(name): one for name, one in others.items()}}


def _alike(one: Any, other: Any) -> bool:
    pairs = zip(one.flat, other.flat, strict=True)
    return all(np.allclose(a.logits, b.logits, rtol=1e-5, atol=1e-5) for a, b in pairs)


def _afresh(cell: Cell) -> Cell:
    return Cell(cell.row, cell.column, cell.span, cell.method, cell.target, cell.model)
