"""How relevance flows back through a model, layer by layer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from xai_widgets.methods import LRP, Method, as_method


@dataclass(frozen=True, eq=False)
class RelevanceFlow:
    """Relevance at the layers of a model; layers in the order in which they return.

    A batch norm that is folded into the layer before it shares that layer's relevance. What several calls of a layer
    return counts in each: the relevance of a call that feeds another one passes both.

    Attributes:
        relevance: By path of the layer, an array (N, ...) for each tensor that its calls return. Layers that the score
            does not depend on, and those that only open or close a gate, have none and are left out.
        sums: (layers, N) their sums.
        score: (N,) what the walk started from. Where nothing goes around a layer, its sum over the score says how much
            was kept on the way.
        method: The rules.
        targets: What is explained of each sample, in words.
    """

    relevance: dict[str, tuple[np.ndarray, ...]]
    sums: np.ndarray
    score: np.ndarray
    method: LRP
    targets: tuple[str, ...]

    def __repr__(self) -> str:
        return f"RelevanceFlow({self.method!r}, {len(self.relevance)} layers, {len(self.score)} samples)"

    @property
    def layers(self) -> tuple[str, ...]:
        """Their paths."""
        return tuple(self.relevance)


def relevance_flow(
    model: Any,
    inputs: Any,
    method: Method | str | type[Method] = LRP,
    *,
    layers: Sequence[str] | None = None,
    target: Any = None,
    preprocess: Callable[[Any], Any] | None = None,
    names: Sequence[str] | None = None,
    probability: bool = False,
    **parameters: Any,
) -> RelevanceFlow:
    """The relevance of what the layers of a model return, by one pass.

    Args:
        model, inputs, target, preprocess, names, probability: As in `explain`.
        method: An `LRP`, or its name with `parameters`.
        layers: Names or paths of the layers; by default all that have relevance.

    Raises:
        TypeError: `method` is another method, or an argument is of a wrong type.
        ValueError: A layer is unknown or has no relevance, or the score does not depend on the inputs.
    """
    from xai_widgets.task import Subject, Task

    chosen = as_method(method, parameters)
    if not isinstance(chosen, LRP):
        raise TypeError(f"method must be an LRP such as LRP(composite='epsilon_plus'), got {chosen!r}")
    if isinstance(layers, str):
        raise TypeError(f"layers must be a sequence of names, got {layers!r}")
    subject = Subject(model, inputs, preprocess=preprocess, names=names)
    task = Task(subject, chosen, target=target, probability=probability)
    view, samples = task.view, subject.inputs
    keep = tuple(view.layers) if layers is None else tuple(view.path_of(layer, "layers") for layer in layers)
    together = view.chunk(samples.arrays)
    parts: list[Any] = []
    labels: tuple[str, ...] = ()
    for start in range(0, len(samples), together):
        rows = slice(start, start + together)
        score = task.score.rows(rows)
        parts.append(chosen.propagated(view, score, samples.rows(rows), keep))
        labels += score.told(parts[-1].outputs, subject.names).labels
    lost = [path for path in keep if path not in parts[0].flow] if layers is not None else []
    if lost:
        raise ValueError(
            f"layers: {lost[0]!r} has no relevance: the score does not depend on what it returns, or only as on a gate"
        )
    relevance = {
        path: tuple(np.concatenate(arrays) for arrays in zip(*(part.flow[path] for part in parts), strict=True))
        for path in parts[0].flow
    }
    scores = np.concatenate([part.scores for part in parts])
    sums = [sum(array.reshape(len(array), -1).sum(axis=1) for array in arrays) for arrays in relevance.values()]
    return RelevanceFlow(relevance, np.array(sums).reshape(-1, len(scores)), scores, chosen, labels)
