"""The menu of a widget: the methods and baselines that it offers, and the controls of their fields."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from xai_widgets.baselines import BASELINES, Baseline, Samples
from xai_widgets.declare import Surroundings, fields, parts, schema, to_json
from xai_widgets.methods import Inputs, Method

MOST_DATA = 32


class Menu:
    """What a page may choose from, for some inputs.

    Args:
        methods: The methods that the widget has; those that fit the inputs are offered.
        inputs: All samples.
        value_range: Smallest and largest value of the first input.

    Attributes:
        arrays: The arrays that a page may name, by their keys.
        layers: Paths of the layers that a method may name.
        background: Some of the samples as a baseline, evenly chosen; None of one, or with gaps.
        based: Whether methods that are new to a page start from the background, where there is one.
    """

    def __init__(self, methods: tuple[type[Method], ...], inputs: Inputs, value_range: tuple[float, float]) -> None:
        arrays = inputs.arrays
        self._methods, self._inputs, self._value_range = methods, arrays, value_range
        self.arrays: dict[str, np.ndarray] = {}
        self.layers: tuple[str, ...] = ()
        self.based = False
        # What the baselines that need data start from: some of the samples, evenly chosen.
        places = np.linspace(0, len(arrays[0]) - 1, min(len(arrays[0]), MOST_DATA)).astype(int)
        self._names = tuple(f"sample {place + 1}" for place in places)
        self._data_arrays: dict[str, np.ndarray] = {}
        chosen = arrays[0][places]
        self.background = Samples(chosen) if len(places) > 1 and np.isfinite(chosen).all() else None
        told = None if self.background is None else to_json(self.background, self._data_arrays)
        self._data = None if told is None else told["samples"]
        self._based = None if len(arrays) > 1 else told

    def schemas(self, method: Method, before: Mapping[str, Any]) -> dict[str, Any]:
        """The controls while a method is chosen; sliders that reached further `before` keep doing so."""
        inputs = self._inputs[0]
        baseline = next((part for part in parts(method) if isinstance(part, Baseline)), None)
        # Arrays that nothing can name any more are let go.
        self.arrays.clear()
        to_json(method, self.arrays)
        names = self._names
        if isinstance(baseline, Samples) and self.arrays.keys() != self._data_arrays.keys():
            names = tuple(f"sample {place + 1}" for place in range(len(baseline.samples)))
        self.arrays.update(self._data_arrays)
        around = Surroundings(
            *self._value_range,
            channels=3 if inputs.ndim == 4 and inputs.shape[-1] == 3 else 0,
            layers=self.layers,
            arrays=self._data,
            samples=names,
        )
        offered = [cls for cls in BASELINES if self._offers(cls) or cls is type(baseline)]
        methods = [cls for cls in self._methods if cls.fits(inputs.shape)]
        told = [{**schema(cls, around, method), "family": cls.family} for cls in methods]
        if inputs.ndim == 2:  # each feature is a segment of its own
            for one in told:
                one["fields"] = [field for field in one["fields"] if not field["name"].startswith("segment")]
        if self.based and self._based is not None:
            for field in (field for one in told for field in one["fields"] if field["kind"] == "baseline"):
                field["default"] = self._based
        return {
            "methods": _widened(told, before.get("methods", [])),
            "baselines": _widened([schema(cls, around, baseline) for cls in offered], before.get("baselines", [])),
        }

    def _offers(self, cls: type[Baseline]) -> bool:
        """Whether a kind of baseline is on the menu: it fits, and its parameters can be set by controls."""
        kinds = {field.metadata["kind"] for field in fields(cls)}
        has_data = len(self._inputs) == 1 and len(self._inputs[0]) > 1
        fits = all(cls.fits(array.shape) for array in self._inputs)
        return fits and "baseline" not in kinds and ("array" not in kinds or has_data)


def limits(schemas: Mapping[str, Any]) -> dict[tuple[str, str], float]:
    """Where the sliders of a page end: what comes from it may not go further."""
    offered = [*schemas.get("methods", ()), *schemas.get("baselines", ())]
    return {
        (one["name"], field["name"]): field["max"]
        for one in offered
        for field in one["fields"]
        if field["max"] is not None
    }


def _widened(schemas: list[dict[str, Any]], before: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Sliders that once had to reach further keep doing so: a page may come back to a value that Python set."""
    reached = {(one["name"], field["name"]): field["max"] for one in before for field in one["fields"]}
    for one in schemas:
        for field in one["fields"]:
            further = reached.get((one["name"], field["name"]))
            if further is not None and field["max"] is not None:
                field["max"] = max(field["max"], further)
    return schemas
