"""The input that excites a class, a channel or a neuron most."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from xai_widgets.declare import param
from xai_widgets.layout import positions
from xai_widgets.methods.base import Frame, Inputs, Method
from xai_widgets.methods.limits import limits

if TYPE_CHECKING:
    from xai_widgets.engine.ascent import Ascent
    from xai_widgets.engine.model import ModelView
    from xai_widgets.engine.score import Score

_A_FRAME = 0.1  # seconds of steps between frames
# At strength 1 a step sees the picture turned, magnified and moved by up to this: radians, a fraction, of its size.
_TURN, _ZOOM, _MOVE = 0.1, 0.1, 0.05
_FACTS = ("The values are an input that was made for the score, not shares of it.",)


@dataclass(frozen=True, eq=False, repr=False)
class ActivationMaximization(Method):
    """An input made to raise the score, step by step from faint noise (Erhan et al., 2009; Olah et al., 2017).

    The values are that input, in the units of the inputs: one for each sample's target. The samples tell its shape and
    the range in which it stays; samples of one target and range get the same. `score` is the score of what was made,
    and `path` tells it step by step.

    A picture in grey or colour is drawn in its Fourier spectrum, with the colours of photographs, and each step sees it
    a little turned, moved and nearer: without either, ascent ends in fine patterns that mean nothing to an eye.
    """

    family: ClassVar[str] = "Features"
    makes_input: ClassVar[bool] = True

    steps: int = param(256, ge=1, soft_max=1024, doc="Steps of the ascent, one pass of the model each.")
    learning_rate: float = param(0.05, gt=0, soft_max=0.5, step=0.01, doc="How far a step moves (Adam).")
    parametrization: str = param(
        "fourier",
        choices=("fourier", "pixel"),
        doc="What the steps move: the spectrum of a picture, or its pixels; other inputs have only their values.",
    )
    transforms: float = param(
        1.0,
        ge=0,
        soft_max=2,
        step=0.1,
        doc="How much each step turns, moves and magnifies what it sees of a picture; 0 for not at all.",
    )
    l2: float = param(
        0.0,
        ge=0,
        soft_max=1,
        step=0.01,
        doc="Pull of each value to the middle of the range, relative to the root mean square slope of the score.",
    )
    total_variation: float = param(
        0.05, ge=0, soft_max=1, step=0.01, doc="Pull of each value towards its neighbours, relative to the same."
    )
    low: Any = param(
        None, kind="limit", doc="Smallest value of what is made; by default 0 for pictures, or the sample's own."
    )
    high: Any = param(None, kind="limit", doc="Largest value; by default 1 or 255 for pictures, or the sample's own.")
    start: str = param("noise", choices=("noise", "inputs"), doc="Where the ascent starts.")
    seed: int = param(0, ge=0, kind="seed", doc="Another seed, another start and other views.")

    @classmethod
    def fits(cls, shape: tuple[int, ...]) -> bool:
        return len(positions(shape)) == 2  # elsewhere there is no picture to show; Python takes any input

    def check(self, view: ModelView, inputs: Inputs) -> None:
        super().check(view, inputs)
        if view.wrt is not None:
            raise ValueError("ActivationMaximization makes an input of the model: it takes no wrt=")
        for array in inputs.arrays:
            self._range(array)

    def frames(self, view: ModelView, score: Score, inputs: Inputs) -> Iterator[Frame]:
        entered = view.enter(inputs.arrays, inputs.structure)
        given = view.scores(score, entered, inputs.structure)
        ascent = self._ascent(view, score, inputs.structure, entered)
        draws = np.random.Generator(np.random.SFC64([self.seed, len(entered)]))
        scores: list[np.ndarray] = []
        flat, shown = np.ones(len(inputs), bool), 0.0
        while ascent.steps < self.steps:
            found, slope = ascent.step(self.learning_rate, self.l2, self.total_variation, self._look(draws))
            scores.append(found)
            flat &= slope == 0
            ends = ascent.steps == self.steps
            if not ends and time.monotonic() - shown < _A_FRAME:
                continue
            made = ascent.made()
            # The scores of the steps are those of what they looked at, before they moved.
            now = view.scores(score, made, inputs.structure)
            yield Frame(
                made,
                progress=ascent.steps / self.steps,
                passes=ascent.steps,
                total=self.steps,
                score=now,
                path=(np.arange(ascent.steps + 1), np.stack([*scores, now], axis=1)),
                facts=_FACTS,
                notes=tuple(self._notes(entered, given, now, flat)) if ends else (),
            )
            shown = time.monotonic()

    def _ascent(self, view: ModelView, score: Score, structure: Any, entered: Sequence[np.ndarray]) -> Ascent:
        from xai_widgets.engine.ascent import Ascent, start_of
        from xai_widgets.engine.canvas import Canvas

        low, high = zip(*map(self._range, entered), strict=True)
        canvases = [Canvas.of(array.shape[1:], self.parametrization) for array in entered]
        variables = [
            start_of(canvas, low[place], high[place], self.seed, place, array if self.start == "inputs" else None)
            for place, (canvas, array) in enumerate(zip(canvases, entered, strict=True))
        ]
        return Ascent(view, score, structure, low, high, canvases, variables, moving=self.transforms > 0)

    def _look(self, draws: np.random.Generator) -> tuple[float, ...]:
        """Where a step looks from: an angle, a magnification, a shift down and one to the right."""
        turn, zoom, down, right = self.transforms * draws.uniform(-1, 1, 4)
        return _TURN * turn, float(np.exp(_ZOOM * zoom)), _MOVE * down, _MOVE * right

    def _range(self, array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return limits("ActivationMaximization", array, self.low, self.high)

    def _notes(
        self, entered: Sequence[np.ndarray], given: np.ndarray, made: np.ndarray, flat: np.ndarray
    ) -> Iterator[str]:
        if flat.any():
            yield (
                "The score has no slope where the ascent starts (a unit that is off, say), so nothing was made: try "
                "another seed, or start='inputs'."
            )
        which = int(np.argmax(made - given))
        of = f" of sample {which}" if len(made) > 1 else ""
        if made[which] > given[which] + abs(given[which]):
            yield (
                f"What was made scores {made[which]:.4g}, the input{of} {given[which]:.4g}: it shows what drives the "
                "score, which may be far from anything that the model will meet."
            )
        if (made < given).any():
            yield "What was made scores less than the input that was given: more steps would raise it."
        pictures = [array for array in entered if self.fits(array.shape)]
        if pictures and (self.parametrization == "pixel" or self.transforms == 0):
            lacking = "the Fourier spectrum" if self.parametrization == "pixel" else "transforms"
            yield f"Without {lacking} an ascent tends to fine patterns that mean nothing to an eye."
        if any(array.ndim == 2 for array in entered) and (self.low is None or self.high is None):
            yield (
                "All features of a table stay within one range, that of their row, though each may have a unit of its "
                "own: give low and high, such as inputs.min(axis=0) and inputs.max(axis=0)."
            )
