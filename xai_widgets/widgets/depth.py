"""What the page of a CAMWidget is told of the layers of a model, as plain values and bytes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from xai_widgets.caption import number
from xai_widgets.layout import positions
from xai_widgets.methods import EigenCAM, GradCAM, GradCAMPlusPlus, HiResCAM, LayerCAM, XGradCAM
from xai_widgets.task import Task
from xai_widgets.wire import finite, pack, picture

if TYPE_CHECKING:
    from xai_widgets.engine.cam import Places
    from xai_widgets.engine.gradients import Gradient
    from xai_widgets.engine.model import ModelView, Recall
    from xai_widgets.engine.score import Score

# They follow from one pass at the layer.
VARIANTS = (GradCAM, GradCAMPlusPlus, LayerCAM, HiResCAM, XGradCAM, EigenCAM)
MOST_CHANNELS = 12
VARIANT = 56
CHANNEL = 32
THUMBNAIL = 24


# What the last pass found, and for what: kept once for all widgets, since it may take 100 MB.
_last: tuple[Any, Any] = (None, None)


def recalled(key: Any) -> Recall:
    """What keeps the last pass for as long as the key is the same."""
    from xai_widgets.engine.model import Recall

    global _last
    before, recall = _last
    if recall is None or before != key:
        if recall is not None:
            recall.found = None  # whoever still holds on to it
        _last = key, Recall()
    return _last[1]


def check(task: Task) -> None:
    """Refuse a model without layers that a map can be made of."""
    if not task.places.layers:
        raise ValueError(
            f"the model {task.subject.view.name!r} has no layer with more than one position that the score depends on, "
            "so there is no class activation map of it: SaliencyWidget explains it by other methods"
        )


def a_channel(value: Any, layer: str, beside: Mapping[str, Any]) -> int | None:
    """A channel of a layer, or None; as far as it is known how many it has."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"channel must be an integer or None, got {value!r}")
    count = beside.get("count", np.inf) if beside.get("layer") == layer else np.inf
    if not 0 <= value < count:
        raise ValueError(f"channel must be from 0 to {count - 1} in layer {layer!r}, got {value}")
    return int(value)


def together(task: Task, key: Any) -> tuple[tuple[str, ...], ...]:
    """Have the layers of a task looked at together, and recall the last pass for the same key, score and model.

    It is recalled where the last map was made of it: a widget then asks the model, before it shows the next one,
    whether it still gives the same.

    Returns:
        The groups of layers that one function looks at.
    """
    view, score, groups = task.subject.view, task.score, task.places.groups()
    recall = recalled((key, score.key, score.classes.tobytes(), view.build))
    if recall.found is not None and recall.found.outputs is not task.subject.asked:
        recall.found = None
    task.subject.view = view.alongside(groups, recall)
    return groups


class Asked(NamedTuple):
    """What the engine takes to look into the model of a task."""

    view: ModelView
    score: Score
    inputs: Sequence[np.ndarray]
    structure: Any

    @classmethod
    def by(cls, task: Task) -> Asked:
        view, inputs = task.subject.view, task.subject.inputs
        return cls(view, task.score, view.enter(inputs.arrays, inputs.structure), inputs.structure)

    def at(self, layer: str) -> Asked:
        return self._replace(view=self.view.at(layer))


def tree(layers: Mapping[str, Any], places: Places) -> list[dict[str, Any]]:
    """All layers of a model, those that hold others before what they hold; `place` is where the slider finds them."""
    found = {path: (place, shape) for place, (path, shape) in enumerate(zip(places.layers, places.shapes, strict=True))}
    rows = []
    for path, layer in layers.items():
        place, shape = found.get(path, (None, ()))
        rows.append(
            {
                "path": path,
                "level": 1 + path.count("/"),
                "kind": type(layer).__name__,
                "place": place,
                "shape": " \u00d7 ".join("?" if side is None else str(side) for side in shape),
            }
        )
    return rows


def flat(one: np.ndarray) -> np.ndarray:
    """A map of a layer as rows and columns: a series has one row, of a volume it is the sum over its depth."""
    return one[None] if one.ndim == 1 else one.sum(axis=tuple(range(one.ndim - 2)))


def means(one: np.ndarray, side: int) -> np.ndarray:
    """A map (h, w) of at most `side` cells a side, each the mean of what it covers."""
    for axis in (0, 1):
        size = one.shape[axis]
        if size > side:
            edges = np.arange(side) * size // side
            counts = np.diff(np.append(edges, size))
            one = np.add.reduceat(one, edges, axis) / counts.reshape((-1, 1) if axis == 0 else (1, -1))
    return one


def grey(one: np.ndarray, side: int) -> dict[str, Any] | None:
    """A small grey picture of a map of a layer, from its least value to its largest."""
    small = means(flat(one), side)
    low, high = float(small.min()), float(small.max())
    return picture(small, (low, high if high > low else low + 1))


def activations(task: Task) -> Iterator[dict[str, Any] | None]:
    """A small picture of how active each layer is, in call order."""
    from xai_widgets.engine.cam import magnitude
    from xai_widgets.engine.gradients import gradients_of_group

    for group in task.places.groups():
        found = gradients_of_group(*Asked.by(task).at(group[0]))
        for path in group:
            yield grey(magnitude(found.site(path)[0])[0], THUMBNAIL)


def variants(task: Task, layer: str) -> Iterator[np.ndarray]:
    """Small maps, one for each of `VARIANTS`; of a layer that is called several times, of its first call."""
    from xai_widgets.engine.gradients import gradient

    found, method = gradient(*Asked.by(task).at(layer)), task.method
    for cls in VARIANTS:
        variant = cls(relu=method.relu)  # type: ignore[attr-defined]
        kept, _ = variant.shown([variant.map_of(found.site[0], found.gradients[0])])
        yield means(flat(kept[0][0]), VARIANT)


def beside(task: Task, layer: str, maps: Sequence[np.ndarray] | None = None) -> dict[str, Any]:
    """What is shown beside the map of a layer: its `variants`, and the channels that add most to it."""
    from xai_widgets.engine.cam import shares
    from xai_widgets.engine.gradients import gradient

    found, method = gradient(*Asked.by(task).at(layer)), task.method
    maps = list(variants(task, layer)) if maps is None else maps
    activations, gradients = found.site[0], found.gradients[0]
    headers, data = pack(maps)
    # Of a map that is no sum over channels, those of the plainest are ranked.
    ranked_by = method if hasattr(method, "map_of") and not isinstance(method, EigenCAM) else GradCAM()
    (parts,) = shares(ranked_by.map_of, activations, gradients)
    (weights,) = gradients.mean(axis=tuple(range(1, gradients.ndim - 1)))
    total = float(np.abs(parts).sum()) or 1.0
    best = [channel for channel in np.argsort(-np.abs(parts), kind="stable")[:MOST_CHANNELS] if parts[channel]]
    return {
        "layer": layer,
        "variants": [{"name": cls.name, "label": cls.label} for cls in VARIANTS],
        "arrays": finite(headers),
        "data": data,
        "ranked_by": ranked_by.label,
        "count": activations.shape[-1],
        "channels": [
            finite(
                {
                    "channel": int(channel),
                    "weight": weights[channel],
                    "share": parts[channel] / total,
                    "picture": grey(activations[0, ..., channel], CHANNEL),
                }
            )
            for channel in best
        ],
    }


def channel_maps(found: Gradient, channel: int, sizes: tuple[int, ...]) -> list[np.ndarray]:
    """The activation of one channel, for each call of the layer, as maps travel: a series at the input's length."""
    from xai_widgets.engine.replaced import interpolation

    maps = [one[0, ..., channel] for one in found.site]
    if maps[0].ndim > 1:
        return [flat(one) for one in maps]
    return [interpolation(len(one), sizes[0]) @ one for one in maps] if len(sizes) == 1 else maps


def channel_shown(task: Task, found: Gradient, layer: str, channel: int) -> dict[str, Any]:
    """One channel of a layer, before anything is known of its removal."""
    sizes = positions(task.subject.inputs.arrays[0].shape)
    headers, data = pack(channel_maps(found, channel, sizes))
    return {
        "layer": layer,
        "channel": channel,
        "arrays": finite(headers),
        "data": data,
        "score": float(found.scores[0]),
        "without": None,
        "effect": "",
        "sentence": f"How active channel {channel} of layer {layer} is.",
    }


def channel_removed(task: Task, found: Gradient, layer: str, channel: int) -> dict[str, Any]:
    """What the score is with a channel set to zero, in all calls of the layer, and that in a sentence."""
    from xai_widgets.engine.replaced import WithoutChannels

    told = task.score.told(task.subject.outputs, task.subject.names)
    view, _, inputs, structure = Asked.by(task).at(layer)
    kept = [np.ones((1, 1, one.shape[-1]), one.dtype) for one in found.site]
    for one in kept:
        one[..., channel] = 0
    without = float(WithoutChannels(view, told, inputs, found.site, structure)(kept)[0, 0])
    return finite({"without": without, "effect": _effect(told, channel, float(found.scores[0]), without)})


def _effect(told: Score, channel: int, score: float, without: float) -> str:
    name = f"the {told.reader.name} of \u201c{told.labels[0]}\u201d"
    if abs(score - without) < 5e-4 * max(abs(score), 1e-3):
        return f"Without channel {channel}, {name} stays at {number(score, 4)}."
    goes = "falls" if without < score else "rises"
    by = number(abs(score - without))
    return f"Without channel {channel}, {name} {goes} by {by}, from {number(score, 4)} to {number(without, 4)}."
