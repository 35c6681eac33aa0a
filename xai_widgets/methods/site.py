"""Where the paths of a method with a baseline begin and end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from xai_widgets.baselines import Baseline
from xai_widgets.methods.base import Inputs, of_tokens

if TYPE_CHECKING:
    from xai_widgets.engine.model import ModelView


class Site:
    """Where paths end and start: at the inputs, or at outputs of the `wrt` layer.

    An embedding starts from the baseline of its output: a token has nothing before it that could be black or blurred.

    Attributes:
        end: An array (n, ...) for each input or call of the layer.
        shown: The first reference of each sample, in the space of the raw inputs; None before a start was asked for,
            and for embeddings.
    """

    def __init__(self, view: ModelView, baseline: Baseline, inputs: Inputs, entered: Sequence[np.ndarray]) -> None:
        from xai_widgets.engine.gradients import layer_output

        self._view, self._baseline, self._inputs = view, baseline, inputs
        self.end = list(entered) if view.wrt is None else layer_output(view, entered, inputs.structure)
        self.shown: list[np.ndarray] | None = None

    def start(self, draw: int) -> list[np.ndarray]:
        """The start of a draw, an array (n, ...) for each array of the end."""
        from xai_widgets.engine.gradients import layer_output

        view, structure = self._view, self._inputs.structure
        if of_tokens(view):
            return [self._baseline.reference(array, draw) for array in self.end]
        references = [self._baseline.reference(array, draw) for array in self._inputs.arrays]
        if self.shown is None:
            self.shown = references
        entered = view.enter(references, structure)
        return entered if view.wrt is None else layer_output(view, entered, structure)
