"""The model and the samples of a widget, checked."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from xai_widgets.task import Subject, feature_names
from xai_widgets.wire import value_range


class Taken:
    """A model and its samples, as a widget needs them.

    Attributes:
        inputs: The samples as they were given.
        subject: The model and the samples, checked.
        added_axis: Whether they were one sample without a batch axis, which a widget takes as well.
        value_ranges: Smallest and largest value of each input.
        features: Names of the columns of a table.
    """

    def __init__(self, model: Any, inputs: Any, *, features: Sequence[str] | None, **options: Any) -> None:
        self.inputs = inputs
        self.subject, self.added_axis = _subject(model, inputs, **options)
        arrays = self.subject.inputs.arrays
        self.features = feature_names(features, inputs, arrays)
        self.value_ranges = [value_range(array) for array in arrays]


def _subject(model: Any, inputs: Any, *, preprocess: Any, **options: Any) -> tuple[Subject, bool]:
    """The subject, and whether a batch axis had to be added: a widget takes one sample without it."""
    expected = getattr(model, "inputs", None)
    one = expected is not None and len(expected) == 1 and not isinstance(inputs, dict | list | tuple)
    missing = bool(one and expected and np.ndim(inputs) == len(expected[0].shape) - 1)
    try:
        if missing and preprocess is None:
            return Subject(model, np.asarray(inputs)[None], **options), True
        return Subject(model, inputs, preprocess=preprocess, **options), False
    except (TypeError, ValueError):
        if not missing or preprocess is None:
            raise
        return Subject(model, np.asarray(inputs)[None], preprocess=preprocess, **options), True
