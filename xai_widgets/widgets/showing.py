"""What a page is told: pictures, cards, predictions, as plain values and bytes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from xai_widgets.attribution import Attribution
from xai_widgets.doubts import early_share
from xai_widgets.layout import positions
from xai_widgets.methods import Frame
from xai_widgets.task import Task
from xai_widgets.trees import leaves
from xai_widgets.wire import finite, pack, picture

if TYPE_CHECKING:
    from xai_widgets.engine.outputs import Outputs

MOST_PREDICTIONS = 20
MOST_THUMBNAILS = 60
THUMBNAIL = 48
BASELINE = 96
Limits = tuple[float, float]


def flat_maps(attribution: Attribution) -> list[np.ndarray]:
    """The maps of the first sample, (H, W) or (d,) each; of a volume, the sum over its depth."""
    heat = attribution.heatmap()
    return [_flat(one[0]) for one in (heat if isinstance(heat, list) else [heat])]


def _flat(one: np.ndarray) -> np.ndarray:
    return one.sum(axis=tuple(range(one.ndim - 2))) if one.ndim > 2 else one


def packed(attribution: Attribution, heats: Sequence[np.ndarray]) -> tuple[list[dict[str, Any]], bytes]:
    """Maps as they travel; where one value is painted over many pixels, its header has another one, `spread`.

    That is the map whose sum is that of the values: of segments each pixel has its part of one, of a layer's map it is
    the layer's own cells. What a region is given is a sum over it.
    """
    headers, data = pack(heats)
    if not heats:
        return headers, data
    values, inputs = leaves(attribution.values), leaves(attribution.inputs)
    if attribution.segments is not None:
        shares = [
            _flat((weights[0] / np.maximum(np.bincount(labels.ravel(), minlength=weights.shape[1]), 1))[labels[0]])
            for weights, labels in zip(values, leaves(attribution.segments), strict=True)
        ]
    else:
        shares = [_cells(array[0], inputs[min(place, len(inputs) - 1)].shape) for place, array in enumerate(values)]
        if all(one.shape == heat.shape for one, heat in zip(shares, heats, strict=True)):
            return headers, data
    spread, more = pack(shares)
    spread = [{**one, "offset": one["offset"] + len(data)} for one in spread]
    return [{**header, "spread": one} for header, one in zip(headers, spread, strict=True)], data + more


def _cells(values: np.ndarray, shape: tuple[int, ...]) -> np.ndarray:
    """What a layer gives at its own resolution, as a map of the places of an input of some shape (n, ...)."""
    return _flat(values.sum(axis=-1) if values.ndim > len(positions(shape)) > 0 else values)


def behind(name: str, sample: np.ndarray, heat: np.ndarray | None, limits: Limits, features: Sequence[str]) -> Any:
    """What stands behind a map: the picture, or names and values where the map is a row of numbers."""
    row = heat.ndim == 1 if heat is not None else not positions((1, *sample.shape))
    if not row:
        return {"name": name, **(as_picture(sample, limits) or {"shape": list(sample.shape[:2]), "data": b""})}
    count = len(heat) if heat is not None else sample.size
    own = sample.shape == (count,)
    labels = [
        features[place] if own and place < len(features) else f"{'feature' if own else 'position'} {place}"
        for place in range(count)
    ]
    texts = [f"{value:.4g}" for value in sample] if own else [""] * count
    return {"name": name, "shape": [count], "labels": labels, "texts": texts}


def as_picture(sample: np.ndarray, limits: Limits, side: int | None = None) -> dict[str, Any] | None:
    """A sample as `{shape, data}`, at most `side` pixels a side; of a volume the mean over depth, of a table None."""
    where = positions((1, *sample.shape))
    if len(where) < 2:
        return None
    has_channel = len(where) == sample.ndim - 1
    if len(where) > 2:
        sample = sample.mean(axis=tuple(range(len(where) - 2)))
    if not has_channel:
        sample = sample[..., None]
    if side is not None:
        step = max(1, -(-max(sample.shape[:2]) // side))
        sample = sample[::step, ::step]
    return picture(sample, limits)


def thumbnails(inputs: np.ndarray, limits: Limits) -> list[dict[str, Any]]:
    """Small pictures of the first samples; none of a single one, or of tables."""
    if len(inputs) < 2:
        return []
    drawn = [as_picture(sample, limits, THUMBNAIL) for sample in inputs[:MOST_THUMBNAILS]]
    return [one for one in drawn if one is not None]


def baselines(frame: Frame, limits: Sequence[Limits], side: int | None = BASELINE) -> list[dict[str, Any]]:
    """A picture of the baseline for each input, by default a small one.

    There is none of methods without a baseline, and of tables.
    """
    if frame.baseline is None:
        return [{} for _ in limits]
    return [as_picture(one[0], limit, side) or {} for one, limit in zip(frame.baseline, limits, strict=True)]


def predictions(outputs: Outputs) -> dict[str, Any]:
    """The best classes of the first sample, best first, with their probabilities or scores."""
    head = outputs.heads[0]
    if len(outputs.heads) > 1 or head.positions:
        return {"kind": "score", "classes": [], "values": [], "count": 0}
    values = head.precise(outputs.flat[0], probability=True).numpy()[0]
    best = np.argsort(-values, kind="stable")[:MOST_PREDICTIONS]
    kind = "score" if head.activation is None else "probability"
    return finite({"kind": kind, "classes": best.tolist(), "values": values[best].tolist(), "count": head.classes})


def card(task: Task, attribution: Attribution, frame: Frame, seconds: float) -> dict[str, Any]:
    """The numbers that tell what the map is and how far to trust it."""
    claims = bool(np.isfinite(attribution.residual[0]))
    conventions = (*frame.facts, *task.conventions())
    difference = attribution.score[0] - attribution.baseline_score[0]
    baseline = getattr(attribution.method, "baseline", None)
    assert attribution.change is not None
    return finite(
        {
            "score_name": attribution.score_name,
            "target": int(attribution.target[0]),
            "target_name": attribution.targets[0],
            "score": attribution.score[0],
            "baseline_score": attribution.baseline_score[0],
            "sum": difference + attribution.residual[0] if claims else None,
            "residual": attribution.residual[0],
            "change": attribution.change[0],
            "passes": frame.passes,
            "total": frame.total,
            "seconds": seconds,
            "conventions": list(conventions),
            "notes": [note for note in attribution.notes if note not in conventions],
            "baseline_name": "" if baseline is None else type(baseline).label,
        }
    )


def path(attribution: Attribution, most: int = 64) -> dict[str, Any] | None:
    """The scores along the path of the first sample, its ends included; None for methods without a path."""
    if attribution.path is None:
        return None
    alphas, scores = attribution.path
    chosen = np.unique(np.linspace(0, len(alphas) - 1, min(len(alphas), most)).astype(int))
    if attribution.method.makes_input:  # the path is all that there is: no baseline, no input at its ends
        along, rising = alphas[chosen] / max(alphas[-1], 1), scores[0, chosen]
        ends = ["first step", "last step"]
        return finite({"alphas": along.tolist(), "scores": rising.tolist(), "early": None, "ends": ends})
    return finite(
        {
            "alphas": [0.0, *alphas[chosen].tolist(), 1.0],
            "scores": [attribution.baseline_score[0], *scores[0, chosen].tolist(), attribution.score[0]],
            "early": early_share(alphas, scores[:1], attribution.baseline_score[:1], attribution.score[:1])[0],
            "ends": ["baseline", "input"],
        }
    )
