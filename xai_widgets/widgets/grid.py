"""The cells of a comparison: what each one explains, and how far it has come."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from xai_widgets.attribution import Attribution
from xai_widgets.baselines import Baseline, Blur, Constant, GaussianNoise
from xai_widgets.declare import Declared, fields
from xai_widgets.layout import positions
from xai_widgets.methods import DeepLift, Frame, GradCAM, GradientInput, IntegratedGradients, Method, Saliency
from xai_widgets.methods.base import of_tokens
from xai_widgets.metrics.ranks import centred_ranks, flat_maps
from xai_widgets.task import Subject, Task

STEPS = 32


@dataclass(eq=False)
class Cell:
    """One method at one column of the grid; `span` columns have it in common.

    Attributes:
        model: Which of the models.
        told: What the page was last told of it.
        look: A small picture of its baseline.
        ranks: (p,) the ranks of its settled map, as `centred_ranks` gives them.
    """

    row: int
    column: int
    span: int
    method: Method
    target: Any
    model: int = 0
    task: Task | None = None
    frame: Frame | None = None
    attribution: Attribution | None = None
    error: Exception | None = None
    seconds: float = 0.0
    told: dict[str, Any] = field(default_factory=dict)
    look: dict[str, Any] = field(default_factory=dict)
    ranks: np.ndarray | None = None
    _steps: Iterator[tuple[Frame, Attribution]] | None = None

    @property
    def done(self) -> bool:
        return self.error is not None or (self.frame is not None and self.frame.progress >= 1)

    @property
    def progress(self) -> float:
        return 1.0 if self.error else 0.0 if self.frame is None else self.frame.progress

    def explains_like(self, other: Cell) -> bool:
        same = self.target is other.target or (_is_plain(self.target) and self.target == other.target)
        return same and self.model == other.model and self.method == other.method

    def at(self, other: Cell) -> Cell:
        """The same work at the place of another cell."""
        self.row, self.column, self.span = other.row, other.column, other.span
        if self.told:
            self.told |= {"row": self.row, "column": self.column, "span": self.span}
        return self

    def advance(self, subject: Subject, probability: bool) -> None:
        """Do one step; an error is the cell's own, the others go on."""
        started = time.perf_counter()
        try:
            if self._steps is None:
                self.task = Task(subject, self.method, target=self.target, probability=probability)
                self._steps = self.task.frames()
            self.frame, self.attribution = next(self._steps)
            if self.done:
                self._steps = None
        except Exception as error:
            self.error, self._steps = error, None
        self.seconds += time.perf_counter() - started
        self.told = {}

    def rank(self) -> None:
        """Find the ranks of a settled map, once."""
        if self.ranks is None and self.attribution is not None and self.error is None:
            self.ranks = centred_ranks(flat_maps(self.attribution))[0].astype(np.float32)


def _is_plain(target: Any) -> bool:
    return target is None or isinstance(target, int | str)


def has_baseline(method: Method) -> bool:
    """Whether it belongs into more than one column of baselines."""
    return any(one.name == "baseline" for one in fields(type(method)))


def arranged(
    methods: Sequence[Method], baselines: Sequence[Baseline], targets: Sequence[Any], models: int
) -> list[list[Cell]]:
    """Rows of cells: one for each method, a cell for each column, or one where all columns have it in common.

    Columns are baselines; without them models, or else targets.
    """
    rows: list[list[Cell]] = []
    for row, method in enumerate(methods):
        if not baselines:
            columns = max(models, len(targets))
            rows.append(
                [
                    Cell(row, at, 1, method, targets[at if len(targets) > 1 else 0], at if models > 1 else 0)
                    for at in range(columns)
                ]
            )
        elif has_baseline(method):
            rows.append(
                [Cell(row, at, 1, method.replace(baseline=one), targets[0]) for at, one in enumerate(baselines)]
            )
        else:
            rows.append([Cell(row, 0, len(baselines), method, targets[0])])
    return rows


def with_what_is_there(wanted: list[list[Cell]], before: Sequence[Cell]) -> list[list[Cell]]:
    """The cells that are wanted; those that explain the same as one before are that one, with all that it has."""
    left = list(before)
    rows = []
    for cells in wanted:
        row = []
        for cell in cells:
            found = next((old for old in left if old.explains_like(cell)), None)
            if found is not None:
                left.remove(found)
            row.append(cell if found is None else found.at(cell))
        rows.append(row)
    return rows


def agreement_of(cells: Sequence[Cell]) -> list[list[float]]:
    """Rank correlations of the maps of settled cells."""
    ranks = [cell.ranks for cell in cells if cell.ranks is not None]
    if not ranks or len({len(one) for one in ranks}) > 1:
        return []
    stacked = np.stack(ranks)
    found: list[list[float]] = np.clip(stacked @ stacked.T, -1, 1).round(4).tolist()
    return found


def usual_methods(subject: Subject) -> list[Method]:
    """What is compared where nobody says what: methods of different families that fit the input."""
    array = subject.inputs.arrays[0]
    rows = subject.rows(slice(0, 1))
    pictured = len(positions(array.shape)) > 1
    seen = pictured and Task(rows, Saliency(), target=0).places.layers
    plain: list[Method] = [GradCAM()] if seen else [GradientInput()]
    return [Saliency(), *plain, IntegratedGradients(steps=STEPS), DeepLift()]


def usual_baselines(subject: Subject) -> list[Baseline]:
    """What is compared where nobody says what: of each kind one that fits the input."""
    arrays = subject.inputs.arrays
    if of_tokens(subject.view) or any(array.dtype.kind not in "f" for array in arrays):
        return [Constant(0.0)]
    sides = [positions(array.shape) for array in arrays]
    blur: list[Baseline] = [Blur(max(1.0, round(max(sides[0]) / 20)))] if all(sides) else []
    return [Constant(0.0), *blur, GaussianNoise()]


def names_of(values: Sequence[Declared]) -> list[str]:
    """A short name for each; where several are of one kind, with the fields in which they differ."""
    names = []
    for one in values:
        alike = [other for other in values if type(other) is type(one) and other is not one]
        apart = [
            f"{field.name.replace('_', ' ')} {_brief(getattr(one, field.name))}"
            for field in fields(type(one))
            if any(_brief(getattr(one, field.name)) != _brief(getattr(other, field.name)) for other in alike)
        ]
        names.append(" ".join([type(one).label, *apart]))
    return names


def _brief(value: Any) -> str:
    if isinstance(value, Declared):
        return type(value).label
    if isinstance(value, float):
        return f"{value:.4g}"
    if isinstance(value, Mapping):
        return f"{len(value)}"
    return str(value)[:24]
