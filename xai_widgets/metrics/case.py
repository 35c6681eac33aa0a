"""What every faithfulness metric looks at: an attribution, with the model and the samples that it explains."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import numpy as np

from xai_widgets.attribution import Attribution
from xai_widgets.baselines import Baseline, Constant, as_baseline
from xai_widgets.methods import Saliency
from xai_widgets.methods.base import of_tokens
from xai_widgets.metrics.parts import Parts, coarse, finest
from xai_widgets.task import Subject, Task

MOST_REFERENCES = 8
_APART = 0.05


class Case:
    """An attribution of some samples, with the score that it explains.

    `subject` and `score` are those of the samples `rows`, `attribution` is always the whole. Parts are removed where
    the method's baseline stands. Of token ids that is at the output of the embedding that they enter, of which
    `embedding` is the view, their mask kept; for methods that mask the ids (`Occlusion`, `LIME`) it is among the ids.
    `of_ids` tells whether the inputs are token ids at all.

    Args:
        model, inputs, preprocess: As in `explain`, the same as the attribution was made with.
        attribution: What is judged.
        target: What it explains, as in `explain`; None where that is one class for each sample, which it knows.
        baseline: What takes the place of removed parts, there; None for the baseline of the attribution's method, or 0
            where it has none.

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
        task = _task(self.subject, attribution, target)
        self.score = task.score
        tokens = task.view if of_tokens(task.view) else None
        self.of_ids = tokens is not None or bool(self.subject.view.vocabularies)
        self.embedding = tokens if attribution.wrt or attribution.method.through_embedding else None
        self.baseline = self._baseline(baseline)

    @cached_property
    def scores(self) -> np.ndarray:
        """(n,) scores of the inputs."""
        view, structure = self.subject.view, self.subject.inputs.structure
        return view.scores(self.score, self._entered, structure).astype(np.float64)

    @cached_property
    def site(self) -> list[np.ndarray]:
        """What parts are removed from: the inputs, or what the embedding returns."""
        from xai_widgets.engine.gradients import layer_output

        if self.embedding is None:
            return list(self.subject.inputs.arrays)
        return layer_output(self.embedding, self._entered, self.subject.inputs.structure)

    @cached_property
    def references(self) -> list[list[np.ndarray]]:
        """Baselines of the site, one or several where the baseline is random or made of samples."""
        count = min(self.baseline.count or MOST_REFERENCES, MOST_REFERENCES)
        return [[self.baseline.reference(array, draw) for array in self.site] for draw in range(count)]

    def groups(self) -> Iterator[tuple[slice, Case]]:
        """The same in groups of samples that together fit a call of the model."""
        size = self.subject.view.chunk(self.subject.inputs.arrays)
        for start in range(0, len(self.attribution), size):
            rows = slice(start, start + size)
            part = copy.copy(self)
            part.rows = rows
            part.subject, part.score = self.subject.rows(rows), self.score.rows(rows)
            for found in ("references", "scores", "site"):
                part.__dict__.pop(found, None)
            yield rows, part

    def parts(self, cells: int | None = None) -> Parts:
        """The parts that are removed together: the finest that the map tells apart, or cells of a coarse grid.

        Raises:
            ValueError: The attribution has no map at the size of the inputs.
        """
        tables = any(array.ndim == 2 for array in self.subject.inputs.arrays)
        if self.attribution.wrt is not None and tables and self.embedding is None:
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
        site = self.site
        for draws in self.subject.view.calls(self.subject.inputs.arrays, count):
            masks = parts.spread(gone(draws))
            if len(masks) == 1:  # of a single input, through an embedding that may be called several times
                masks = masks * len(site)
            chosen = [self.references[draw % len(self.references)] for draw in range(draws.start, draws.stop)]
            mixed = []
            for place, (array, mask) in enumerate(zip(site, masks, strict=True)):
                if mask.shape[2:] != array.shape[1 : mask.ndim - 1]:
                    raise ValueError(
                        f"layer {self.attribution.wrt!r} returns shape {array.shape}, the map of the inputs has the "
                        f"positions {mask.shape[2:]}: only parts that both have can be removed"
                    )
                away = np.stack([references[place] for references in chosen], axis=1)
                mask = mask.reshape(*mask.shape, *[1] * (away.ndim - mask.ndim))
                mixed.append(np.where(mask, away, array[:, None]).reshape(-1, *array.shape[1:]))
            size = draws.stop - draws.start
            yield draws, self._scores_at(mixed, size).reshape(-1, size)

    def baseline_scores(self) -> np.ndarray:
        """(n,) scores of the baseline, averaged over the references."""
        return np.mean([self._scores_at(reference) for reference in self.references], axis=0)

    @property
    def _entered(self) -> list[np.ndarray]:
        inputs = self.subject.inputs
        return self.subject.view.enter(inputs.arrays, inputs.structure)

    def _scores_at(self, site: list[np.ndarray], times: int = 1) -> np.ndarray:
        """Scores where the site is another, with so many rows of each sample."""
        from xai_widgets.engine.replaced import scores_at

        view, structure = self.subject.view, self.subject.inputs.structure
        score = self.score.repeated(times)
        if self.embedding is None:
            return view.scores(score, view.enter(site, structure), structure).astype(np.float64)
        entered = [np.repeat(array, times, axis=0) for array in self._entered]
        return scores_at(self.embedding, score, entered, site, structure).astype(np.float64)

    def _baseline(self, baseline: Any) -> Baseline:
        if baseline is None:
            return getattr(self.attribution.method, "baseline", Constant(0.0))
        from xai_widgets.engine.inputs import check_ids

        chosen = as_baseline("baseline", baseline)
        first = copy.copy(self)
        first.subject = self.subject.rows(slice(0, 1))
        references = [chosen.reference(array) for array in first.site]
        if self.embedding is None:
            check_ids("baseline", self.subject.view, references)
        return chosen


def _task(subject: Subject, attribution: Attribution, target: Any) -> Task:
    """What tells the score that the attribution explains, of the classes that it explained."""
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
    return task
