"""What a page is told of relevance on its way back, layer by layer, as plain values and bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from xai_widgets.layout import has_channels, positions
from xai_widgets.methods.base import Flow, Frame
from xai_widgets.wire import finite, pack

# Larger maps are added up in blocks of pixels: all layers of a network then travel in some hundred kilobytes.
LARGEST_MAP = 112
MOST_UNITS = 1 << 15
# A layer that is called more often is the cell of a recurrent one, whose steps are no places of a network.
MOST_CALLS = 4


class Stop(NamedTuple):
    """Where relevance is looked at: the inputs, a layer or one of the tensors that its calls return, the score.

    Attributes:
        name: For the page.
        path: Of the layer; empty for the inputs and the score.
        arrays: (1, ...) each, one for each input where they belong to inputs, else one.
    """

    name: str
    path: str
    arrays: Sequence[np.ndarray]


def told(frame: Frame, inputs: Sequence[np.ndarray]) -> dict[str, Any]:
    """The stops from the inputs to the score, `{score, stops, data}`; nothing of methods that have none.

    A stop is `{name, path, shape, sum, maps, block, units}`. Its maps are sums over channels, where the layer has
    positions as the inputs have, each value the sum of `block` x `block`; those of the inputs travel with the frame.
    `units` are sums over positions, one for each channel; none where they are very many.
    """
    if frame.flow is None or frame.score is None:
        return {}
    packed: list[np.ndarray] = []
    stops: list[dict[str, Any]] = []
    before: Stop | None = None
    for stop in _stops(frame, frame.flow, len(inputs)):
        same = before is not None and _same(before.arrays, stop.arrays)
        if same and before is not None and before.path.startswith(f"{stop.path}/"):
            continue  # a layer that holds others returns what the last of them does
        stops.append(_told(stop, inputs, packed, stops[-1] if same else None))
        before = stop if stop.path else None
    headers, data = pack(packed)
    for one in stops:
        one["maps"] = [{**headers[at], "input": place} for place, at in enumerate(one["maps"])]
        one["units"] = headers[one["units"]]
    return finite({"score": frame.score[0], "stops": stops, "data": data})


def layer_rules(flow: Flow | None) -> list[dict[str, str]]:
    """The layers that have a rule, from the inputs on, each with the one that it has by default."""
    if flow is None:
        return []
    order = {path: place for place, path in enumerate(flow.relevance)}
    paths = sorted(flow.rules, key=lambda path: order.get(path, len(order)))
    return [{"path": path, "rule": flow.rules[path]} for path in paths]


def _stops(frame: Frame, flow: Flow, inputs: int) -> list[Stop]:
    assert frame.score is not None
    found = [Stop("input", "", frame.values)]
    for path, arrays in flow.relevance.items():
        if len(arrays) == 1 or len(arrays) == inputs:
            found.append(Stop(path, path, arrays))
        elif len(arrays) <= MOST_CALLS * inputs:
            found += [Stop(f"{path}, {part} of {len(arrays)}", path, [one]) for part, one in enumerate(arrays, 1)]
    return [*found, Stop("score", "", [frame.score[:, None]])]


def _told(
    stop: Stop, inputs: Sequence[np.ndarray], packed: list[np.ndarray], same: dict[str, Any] | None
) -> dict[str, Any]:
    shapes = [" \u00d7 ".join(map(str, one.shape[1:])) or "1" for one in stop.arrays]
    more: dict[str, Any] = {"maps": [], "block": 1}
    if same is not None:
        more = {key: same[key] for key in ("maps", "block", "units")}
    else:
        if stop.path:
            maps = _maps(stop.arrays, inputs)
            more["block"] = max((-(-max(one.shape) // LARGEST_MAP) for one in maps if one.ndim == 2), default=1)
            for one in maps:
                more["maps"].append(len(packed))
                packed.append(_added(_added(one, more["block"], 0), more["block"], 1) if one.ndim == 2 else one)
        more["units"] = len(packed)
        packed.append(_units(stop.arrays))
    total = sum(float(one.sum(dtype=np.float64)) for one in stop.arrays)
    return {"name": stop.name, "path": stop.path, "shape": ", ".join(dict.fromkeys(shapes)), "sum": total, **more}


def _maps(arrays: Sequence[np.ndarray], inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
    """(H, W) or (T,) sums over channels, and over the depth of volumes; none where nobody can say over which input."""
    if len(arrays) != len(inputs):
        return []
    maps = []
    for one, of_input in zip(arrays, inputs, strict=True):
        where = positions(one.shape)
        tokens = np.issubdtype(of_input.dtype, np.integer) and of_input.shape[1:] == where
        if not where or (len(where) != len(positions(of_input.shape)) and not tokens):
            return []
        summed = one[0].sum(axis=-1) if has_channels(one.shape) else one[0]
        maps.append(summed.sum(axis=tuple(range(summed.ndim - 2))))
    return maps


def _units(arrays: Sequence[np.ndarray]) -> np.ndarray:
    """(units,) sums over positions."""
    widths = [one.shape[-1] if has_channels(one.shape) else one.size for one in arrays]
    units = np.concatenate([one.reshape(-1, w).sum(axis=0) for one, w in zip(arrays, widths, strict=True)])
    return units if len(units) <= MOST_UNITS else units[:0]


def _added(one: np.ndarray, block: int, axis: int) -> np.ndarray:
    """Blocks of neighbours along an axis, added up."""
    return one if block <= 1 else np.add.reduceat(one, np.arange(0, one.shape[axis], block), axis)


def _same(one: Sequence[np.ndarray], other: Sequence[np.ndarray]) -> bool:
    return len(one) == len(other) and all(map(np.array_equal, one, other))
