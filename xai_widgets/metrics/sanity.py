"""Whether a map depends on what the model has learnt: it must not survive when the weights are drawn anew."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from xai_widgets.attribution import Attribution, settled
from xai_widgets.metrics.case import Case
from xai_widgets.metrics.checks import whole
from xai_widgets.metrics.ranks import flat_maps, rank_correlation
from xai_widgets.task import Task

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Renew = Callable[[Any, Sequence[int]], Iterable[tuple[Any, np.ndarray]]]


@dataclass(frozen=True, eq=False)
class Cascade(Mapping[str, float]):
    """How alike a map stays as layers lose what they have learnt, from the head down.

    It is a mapping too: from a layer's path to the mean similarity once that layer, and all above it, are random.

    Attributes:
        layers: (L,) paths of the layers, in the order in which they were made random.
        similarity: (L,) mean of `samples` over the samples.
        samples: (N, L) rank correlation, -1 to 1, of each sample's map with its original one.
        attributions: (L,) the maps themselves, where they were asked for.
    """

    layers: tuple[str, ...]
    similarity: np.ndarray
    samples: np.ndarray
    attributions: tuple[Attribution, ...] = ()

    def __getitem__(self, layer: str) -> float:
        if layer not in self.layers:
            raise KeyError(layer)
        return float(self.similarity[self.layers.index(layer)])

    def __iter__(self) -> Iterator[str]:
        return iter(self.layers)

    def __len__(self) -> int:
        return len(self.layers)

    def __repr__(self) -> str:
        return f"Cascade({', '.join(f'{layer}: {value:.2f}' for layer, value in self.items())})"

    def plot(self) -> Figure:
        """A matplotlib figure of the similarity, layer by layer, made without pyplot."""
        from xai_widgets.figures import cascade_figure

        return cascade_figure(self)


def randomization(
    model: Any,
    inputs: Any,
    attribution: Attribution,
    *,
    absolute: bool = False,
    preprocess: Callable[[Any], Any] | None = None,
    target: Any = None,
    seed: int = 0,
    keep: bool = False,
) -> Cascade:
    """Cascading randomisation (Adebayo et al., 2018): layers get fresh weights one by one, from the head down.

    After each the attribution's method explains the same class anew; a map that stays similar does not show what the
    model has learnt. Weights are drawn by each layer's own initializers, not shuffled; statistics of batch norm start
    again too. The model itself is never touched: the fresh weights are read in place of its own.

    Args:
        model, inputs, preprocess: As in `explain`, the same as the attribution was made with.
        attribution: What is judged.
        absolute: Compare magnitudes instead of signed values.
        target: As in `explain`; only needed where the attribution explains no single class.
        seed: Of the fresh weights.
        keep: Keep the maps of all stages too.

    Returns:
        Spearman's rank correlation with the original map, layer by layer; 0 where a map is the same everywhere.

    Raises:
        TypeError: An argument is of a wrong type.
        ValueError: The attribution does not belong to the model and inputs, or no layer has weights that were learnt.
    """
    if not isinstance(absolute, bool):
        raise TypeError(f"absolute must be True or False, got {absolute!r}")
    case = Case(model, inputs, attribution, preprocess=preprocess, target=target)
    layers, maps, kept = [], [], []
    for layer, found in cascade(case, whole("seed", seed, 0)):
        layers.append(layer)
        maps.append(flat_maps(found))
        if keep:
            kept.append(found)
    before = flat_maps(attribution)
    if absolute:
        before, maps = np.abs(before), [np.abs(one) for one in maps]
    samples = np.stack([rank_correlation(before, after) for after in maps], axis=1)
    return Cascade(tuple(layers), samples.mean(axis=0), samples, tuple(kept))


def cascade(case: Case, seed: int, renew: Renew | None = None) -> Iterator[tuple[str, Attribution]]:
    """Each layer from the head down, with the attribution once it and all above it have fresh weights.

    Args:
        case: What is judged.
        seed: Of the fresh weights.
        renew: The variables of a layer with their new values; by default as its initializers draw them.
    """
    for path, task in cascading(case, seed, renew):
        yield path, settled(task)


def cascading(case: Case, seed: int, renew: Renew | None = None) -> Iterator[tuple[str, Task]]:
    """As `cascade`, with the task that is still to be done: of the model as it is until the next one is taken."""
    import tensorflow as tf

    from xai_widgets.engine.weights import fresh_weights, own_variables, weighted_layers

    renew = renew or fresh_weights
    subject = case.subject
    view, inputs = subject.view, subject.inputs
    order = weighted_layers(view, view.enter(inputs.arrays, inputs.structure), inputs.structure)[::-1]
    if not order:
        raise ValueError(f"the model {view.name!r} has no layer with weights that were learnt: nothing can be random")
    layers = view.layers
    standins = {
        id(variable): (variable, tf.Variable(variable.value))
        for path in order
        for variable in own_variables(layers[path])
    }
    task = Task(subject.seen_by(view.with_weights(list(standins.values()))), case.attribution.method, target=case.score)
    for place, path in enumerate(order):
        for variable, value in renew(layers[path], (seed, place)):
            standins[id(variable)][1].assign(value)
        task.subject.__dict__.pop("outputs", None)
        task.__dict__.pop("scores", None)
        yield path, task
