"""What the methods share that replace parts of an input and watch the score."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from xai_widgets.baselines import Baseline
from xai_widgets.methods.base import Inputs
from xai_widgets.methods.site import Site

if TYPE_CHECKING:
    from xai_widgets.engine.masks import Masked, Paint
    from xai_widgets.engine.model import ModelView
    from xai_widgets.engine.score import Score

ENDLESS = 8


class Masking:
    """The place that is masked, what stands for absence there, and scores of masks.

    A baseline of several references stands for all of them: a score is the mean over them (of a baseline that draws
    without end, over its first 8).

    Attributes:
        site: Arrays (n, ...) that are masked: the inputs, or outputs of the `wrt` layer.
        raw: Whether they have the shapes of the raw inputs.
        sizes: Of each array, the sizes of the axes along which it is masked.
        references: How many passes of the model a mask takes.
        dtype: The precision of the model.
        shown: The first reference, for showing; None for embeddings.
        facts: Plain sentences on what stands for absence.
    """

    def __init__(self, view: ModelView, score: Score, baseline: Baseline, inputs: Inputs) -> None:
        from xai_widgets.engine.masks import places

        self._view, self._score, self._inputs = view, score, inputs
        self._entered = view.enter(inputs.arrays, inputs.structure)
        where = Site(view, baseline, inputs, self._entered)
        starts = [where.start(draw) for draw in range(baseline.count or ENDLESS)]
        self.site, self.shown = where.end, where.shown
        self.sizes = [places(array.shape) for array in self.site]
        self.references = len(starts)
        self.dtype = view.dtype
        self._starts = starts
        self.raw = [array.shape for array in self.site] == [array.shape for array in inputs.arrays]
        self.facts = tuple(self._absence())

    def scores(self, paint: Paint, fixed: Sequence[np.ndarray] = ()) -> Masked:
        """The scores of masks that `paint` makes: see `engine.masks.Masked`."""
        from xai_widgets.engine.masks import Masked

        structure = self._inputs.structure
        return Masked(self._view, self._score, structure, self.site, self._starts, self._entered, paint, fixed)

    def calls(self, total: int, masks: int = 1) -> list[slice]:
        """How rounds of some masks are spread over calls of the model."""
        return self._view.calls(self.site, total, rows=masks * self.references, forward=True)

    def pictures(self, place: int) -> np.ndarray:
        """What a person sees of an array of the site: the raw input where it has the same shape."""
        return self._inputs.arrays[place] if self.raw else self.site[place]

    def _absence(self) -> list[str]:
        facts = []
        if self.references > 1:
            facts.append(f"What is absent is replaced by each of {self.references} references, and the score averaged.")
        for place in self._ids() if self._view.wrt is None else ():
            absent = np.unique(self._starts[0][place])
            which = f"the id {absent[0]:g}" if len(absent) == 1 else "the ids of the baseline"
            facts.append(f"The inputs are token ids: a token that is absent is replaced by {which}.")
        return facts

    def _ids(self) -> list[int]:
        """Which arrays look like token ids: rows of whole numbers, where the model has an embedding."""
        embeds = any(type(layer).__name__ == "Embedding" for layer in self._view.layers.values())
        return [
            place
            for place, array in enumerate(self.site)
            if embeds and array.ndim == 2 and np.array_equal(array, np.rint(array))
        ]
