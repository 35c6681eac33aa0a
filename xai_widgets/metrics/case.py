"""What every faithfulness metric looks at: an attribution, with the model and the samples that it explains."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np

from xai_widgets.attribution import Attribution
from xai_widgets.baselines import Baseline, Constant, as_baseline
from xai_widgets.methods import Saliency
from xai_widgets.methods.base import of_tokens
from xai_widgets.metrics.parts import Parts, coarse, finest
from xai_widgets.task import Subject, Task

if TYPE_CHECKING:
    from xai_widgets.engine.score import Score

MOST_REFERENCES = 8
_APART = 0.05


class Case:
    """An attribution of some samples, with the score that it explains.

    `subject` and `score` are those of the samples `rows`, `attribution` is always the whole.

    Args:
        model, inputs, preprocess: As in `explain`, the same as the attribution was made with.
        attribution: What is judged.
        target: What it explains, as in `explain`; None where that is one class for each sample, which it knows.
        baseline: What takes the place of removed parts; None for the baseline of the attribution's method, or 0 where
            it has none.

    Raises:
        TypeError: An argument is of a wrong type.
        ValueError: The attribution does not belong to the model and the inputs, or does not tell its target.
    """

    def __init__(
        self,
        model: Any,
        inputs: Any,
        attribution: Attribution,
        *,
        preprocess: Callable[[Any], Any] | None = None,
        target: Any = None,
        baseline: Any = None,
    ) -> None:
        if not isinstance(attribution, Attribution):
            raise TypeError(f"attribution must be an Attribution, as explain() returns it, got {attribution!r}")
        if attribution.method.makes_input:
            made_by = type(attribution.method).__name__
            raise ValueError(f"attribution must be a map of the inputs; {made_by} makes an input of its own")
        self.subject = Subject(model, inputs, preprocess=preprocess, wrt=attribution.wrt)
        if len(self.subject.inputs) != len(attribution):
            raise ValueError(
                f"inputs must be the {len(attribution)} samples of the attribution, got {len(self.subject.inputs)}"
            )
        self.attribution = attribution
        self.rows = slice(None)
        self.score = _score(self.subject, attribution, target)
        self.baseline = _baseline(self.subject, attribution, baseline)

    @cached_property
    def scores(self) -> np.ndarray:
        """(n,) scores of the inputs."""
        return self._score_of(list(self.subject.inputs.arrays), self.score)

    @cached_property
    def references(self) -> list[list[np.ndarray]]:
        """Baselines of the inputs, one or several where the baseline is random or made of samples."""
        count = min(self.baseline.count or MOST_REFERENCES, MOST_REFERENCES)
        arrays = self.subject.inputs.arrays
        return [[self.baseline.reference(array, draw) for array in arrays] for draw in range(count)]

    def groups(self) -> Iterator[tuple[slice, Case]]:
        """The same in groups of samples that together fit a call of the model."""
        size = self.subject.view.chunk(self.subject.inputs.arrays)
        for start in range(0, len(self.attribution), size):
            rows = slice(start, start + size)
            part = copy.copy(self)
            part.rows = rows
            part.subject, part.score = self.subject.rows(rows), self.score.rows(rows)
            part.__dict__.pop("references", None)
            part.__dict__.pop("scores", None)
            yield rows, part

    def parts(self, cells: int | None = None) -> Parts:
        """The parts that are removed together: the finest that the map tells apart, or cells of a coarse grid.

        Raises:
            ValueError: The attribution has no map at the size of the inputs.
        """
        tables = any(array.ndim == 2 for array in self.subject.inputs.arrays)
        if self.attribution.wrt is not None and tables and not of_tokens(self.subject.view):
            raise ValueError(
                f"the attribution is to layer {self.attribution.wrt!r}, whose units are no features of the inputs: "
                "only parts of the inputs can be removed"
            )
        return finest(self.attribution) if cells is None else coarse(self.attribution, cells)

    def scores_without(
        self, parts: Parts, count: int, gone: Callable[[slice], np.ndarray]
    ) -> Iterator[tuple[slice, np.ndarray]]:
        """Scores with some parts replaced by the baseline, call by call of the model.

        Args:
            parts: What is replaced together.
            count: How many draws of gone parts there are.
            gone: The parts that are gone in some of the draws, (n, k, parts) bool. The references take their place in
                turn, one a draw.

        Yields:
            Which draws, and the scores there (n, k).
        """
        arrays = self.subject.inputs.arrays
        for draws in self.subject.view.calls(arrays, count):
            masks = parts.spread(gone(draws))
            chosen = [self.references[draw % len(self.references)] for draw in range(draws.start, draws.stop)]
            mixed = []
            for place, (array, mask) in enumerate(zip(arrays, masks, strict=True)):
                away = np.stack([references[place] for references in chosen], axis=1)
                mask = mask.reshape(*mask.shape, *[1] * (away.ndim - mask.ndim))
                mixed.append(np.where(mask, away, array[:, None]).reshape(-1, *array.shape[1:]))
            size = draws.stop - draws.start
            yield draws, self._score_of(mixed, self.score.repeated(size)).reshape(-1, size)

    def baseline_scores(self) -> np.ndarray:
        """(n,) scores of the baseline, averaged over the references."""
        return np.mean([self._score_of(reference, self.score) for reference in self.references], axis=0)

    def _score_of(self, arrays: list[np.ndarray], score: Score) -> np.ndarray:
        view, structure = self.subject.view, self.subject.inputs.structure
        return view.scores(score, view.enter(arrays, structure), structure).astype(np.float64)


def _score(subject: Subject, attribution: Attribution, target: Any) -> Score:
    """The score that the attribution explains, of the classes that it explained."""
    given = target
    if given is None:
        if (attribution.target < 0).any():
            raise ValueError(
                f"target must be given: the attribution explains {attribution.targets[0]!r}, which is no class"
            )
        given = [int(index) for index in attribution.target]
    probability = attribution.score_name == "probability"
    task = Task(subject, Saliency(), target=given, probability=probability)  # for its score: no metric needs more
    task.score = task.score.told(subject.outputs, subject.names)
    apart = np.abs(task.scores - attribution.score)
    if (apart > _APART * (1 + np.abs(attribution.score))).any():
        worst = int(apart.argmax())
        raise ValueError(
            f"the attribution explains a {attribution.score_name} of {attribution.score[worst]:.4g} "
            f"({attribution.targets[worst]}), here it is {task.scores[worst]:.4g}: give the inputs, preprocess= and "
            "target= that it was made with"
        )
    return task.score


def _baseline(subject: Subject, attribution: Attribution, baseline: Any) -> Baseline:
    if baseline is None:
        # The baseline of an embedding is one of its output; what stands for no token among the ids is 0.
        chosen = Constant(0.0) if of_tokens(subject.view) else getattr(attribution.method, "baseline", Constant(0.0))
    else:
        chosen = as_baseline("baseline", baseline)
    for array in subject.inputs.arrays:
        chosen.reference(array[:1])
    return chosen
