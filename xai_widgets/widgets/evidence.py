"""What speaks for a map or against it: curves beside plain orders, and random weights."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from xai_widgets.attribution import Attribution
from xai_widgets.baselines import Baseline
from xai_widgets.layout import has_channels, positions
from xai_widgets.methods import Occlusion, Saliency
from xai_widgets.metrics.case import Case
from xai_widgets.metrics.curves import Order, curves
from xai_widgets.metrics.ranks import flat_maps, rank_correlation
from xai_widgets.metrics.sanity import cascading
from xai_widgets.task import Subject
from xai_widgets.trees import leaves, packed
from xai_widgets.widgets import showing
from xai_widgets.wire import finite, pack

STEPS = 16
STAGE = 96


def case_of(subject: Subject, attribution: Attribution, target: Any, baseline: Baseline | None) -> Case:
    """What metrics look at, of one sample."""
    inputs = packed(list(subject.inputs.arrays), subject.inputs.structure)
    given = None if (attribution.target >= 0).all() else target
    return Case(subject.model, inputs, attribution, preprocess=subject.preprocess, target=given, baseline=baseline)


def both_curves(case: Case) -> Iterator[dict[str, Any] | None]:
    """The insertion and the deletion curve, at last; None before, after each call of the model."""
    order = Order.of(case.parts(), STEPS, 0)
    found = {}
    for kind in ("insertion", "deletion"):
        for curve in curves(kind, case, order):  # noqa: B007
            yield None
        found[kind] = {
            "fractions": curve.fractions.tolist(),
            "scores": curve.scores[0].tolist(),
            "area": float(curve.area[0]),
        }
    yield finite(found)


def plain_orders(attribution: Attribution) -> list[tuple[str, Attribution]]:
    """What a map has to beat: parts in random order, and pictures by their edges."""
    inputs = leaves(attribution.inputs)
    random = np.random.default_rng(0)
    orders = {"Random order": [random.random(_plane(one)) for one in inputs]}
    if all(len(positions(one.shape)) > 1 for one in inputs):
        orders["Edges"] = [_edges(one) for one in inputs]
    return [(name, _ordered(attribution, maps)) for name, maps in orders.items()]


def _plane(array: np.ndarray) -> tuple[int, ...]:
    return array.shape[:-1] if has_channels(array.shape) else array.shape


def _edges(array: np.ndarray) -> np.ndarray:
    """How fast the brightness changes from position to position."""
    plane = array.mean(axis=-1) if has_channels(array.shape) else array
    slopes = np.gradient(plane, axis=tuple(range(1, plane.ndim)))
    return np.sqrt(sum(slope**2 for slope in slopes))


def _ordered(attribution: Attribution, maps: Sequence[np.ndarray]) -> Attribution:
    """The same explanation with other values, one a position."""
    arrays = leaves(attribution.inputs)
    values = []
    for one, array in zip(maps, arrays, strict=True):
        whole = np.zeros(array.shape, np.float32)
        if has_channels(array.shape):
            whole[..., 0] = one
        else:
            whole[:] = one
        values.append(whole)
    filled = packed(values, attribution.inputs)
    # Of token ids, parts are to go where those of the attribution do.
    through = attribution.wrt is not None or attribution.method.through_embedding
    method = Saliency() if through else Occlusion()
    return replace(attribution, values=filled, method=method, segments=None, error=None, wrt=None)


def stages(case: Case) -> Iterator[dict[str, Any]]:
    """A map for each layer that lost what it had learnt, from the head down; steps between repeat what there is."""
    maps = [_small(case.attribution)]
    told: list[dict[str, Any]] = [{"layer": "", "similarity": 1.0}]
    before = flat_maps(case.attribution)
    for path, task in cascading(case, 0):
        yield _strip(told, maps)
        for _, found in task.frames():  # noqa: B007
            yield _strip(told, maps)
        told.append({"layer": path, "similarity": float(rank_correlation(before, flat_maps(found))[0])})
        maps.append(_small(found))
        yield _strip(told, maps)


def _strip(told: list[dict[str, Any]], maps: list[np.ndarray]) -> dict[str, Any]:
    headers, data = pack(maps)
    return {"stages": [dict(one) for one in told], "arrays": finite(headers), "data": data}


def _small(attribution: Attribution) -> np.ndarray:
    """The first map of an attribution with at most so many cells a side, each the mean of what it covers."""
    one = showing.flat_maps(attribution)[0]
    one = one[None] if one.ndim == 1 else one
    for axis in (0, 1):
        size = one.shape[axis]
        if size > STAGE:
            edges = np.arange(STAGE) * size // STAGE
            counts = np.diff(np.append(edges, size))
            one = np.add.reduceat(one, edges, axis) / counts.reshape((-1, 1) if axis == 0 else (1, -1))
    return one
