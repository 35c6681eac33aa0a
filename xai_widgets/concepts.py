"""Which concepts a class is sensitive to: `tcav`, and the `TCAVResult` that it gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from xai_widgets.methods import TCAV, as_method
from xai_widgets.methods.tcav import Trained
from xai_widgets.task import Subject, Task

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIGNIFICANT = 0.05
_COARSE = 10


@dataclass(frozen=True, eq=False)
class TCAVResult:
    """For how many inputs of a class its score rises along a concept, and whether that could be chance.

    Attributes:
        concepts: Names of the C concepts.
        classes: (K,) the classes that the inputs were explained for, -1 where it is no single class.
        labels: The same in words.
        counts: (K,) inputs of each class.
        scores: (C, K) TCAV: the share of inputs whose score rises towards the concept, the mean over R runs.
        trials: (C, R, K) the same of each run.
        null: (R, K) the same of directions between random examples: what chance gives.
        p_values: (C, K) of a two-sided t-test of the runs against those of chance, times C (Bonferroni), at most 1; it
            allows for runs sharing their examples.
        accuracies: (C, R) of the classifiers, on held-out examples.
        directions: (C, features) the mean over runs of the unit vectors towards the concept, in what the layer
            returns, flattened.
        layer: Path of the layer.
        method: The method with all its parameters.
        notes: Plain sentences on where the numbers say little.
    """

    concepts: tuple[str, ...]
    classes: np.ndarray
    labels: tuple[str, ...]
    counts: np.ndarray
    scores: np.ndarray
    trials: np.ndarray
    null: np.ndarray
    p_values: np.ndarray
    accuracies: np.ndarray
    directions: np.ndarray
    layer: str
    method: TCAV
    notes: tuple[str, ...] = ()

    @property
    def significant(self) -> np.ndarray:
        """(C, K) whether chance alone would hardly give such a score: a p-value below 0.05."""
        return self.p_values < SIGNIFICANT

    def __repr__(self) -> str:
        told = ", ".join(
            f"{concept!r} for {label}: {self.scores[i, k]:.2f} (p {self.p_values[i, k]:.2g})"
            for i, concept in enumerate(self.concepts)
            for k, label in enumerate(self.labels)
        )
        return f"TCAVResult(layer {self.layer!r}, {told})"

    def plot(self) -> Figure:
        """A bar for each concept and class with the spread over runs, beside what chance gives."""
        from xai_widgets.figures import tcav_figure

        return tcav_figure(self)


def tcav(
    model: Any,
    inputs: Any,
    method: TCAV | None = None,
    *,
    target: Any = None,
    preprocess: Callable[[Any], Any] | None = None,
    names: Sequence[str] | None = None,
    probability: bool = False,
    **parameters: Any,
) -> TCAVResult:
    """Test with concept activation vectors (Kim et al., 2018).

    Args:
        model, target, preprocess, names, probability: As in `explain`. Each input counts for the class that its target
            says, by default the one that is predicted.
        inputs: Samples of the classes in question: the more, the finer the scores.
        method: What the concepts are, and where they are looked for; or give its parameters.
        **parameters: Fields of `TCAV`, where no method is given.

    Raises:
        TypeError: An argument is of a wrong type.
        ValueError: An argument does not fit the model: it is named, with what came and what is allowed.
    """
    chosen = as_method(TCAV if method is None else method, parameters)
    if not isinstance(chosen, TCAV):
        raise TypeError(f"method must be TCAV(concepts, random, ...), got {chosen!r}")
    subject = Subject(model, inputs, preprocess=preprocess, names=names)
    task = Task(subject, chosen, target=target, probability=probability)
    return _result(task, chosen)


def _result(task: Task, method: TCAV) -> TCAVResult:
    from xai_widgets.engine.concepts import derivatives

    view, score, inputs = task.subject.view, task.score, task.subject.inputs
    trained = Trained(method, view, score, inputs)
    found = [trained.directions(run) for run in range(method.runs)]
    chance = [trained.chance(run) for run in range(method.runs)]
    vectors = np.stack([[one.vector for one in run] for run in found], axis=1)
    along = np.concatenate([vectors.reshape(-1, vectors.shape[-1]), [one.vector for one in chance]])
    rising = derivatives(trained.at, score, view.enter(inputs.arrays, inputs.structure), inputs.structure, along) > 0
    classes, first, members, counts = np.unique(
        score.targets, return_index=True, return_inverse=True, return_counts=True
    )
    shares = np.stack([rising[members == place].mean(axis=0) for place in range(len(classes))], axis=-1)
    trials, null = shares[: -method.runs].reshape(*vectors.shape[:2], len(classes)), shares[-method.runs :]
    accuracies = np.array([[one.accuracy for one in run] for run in found]).T
    p_values = np.minimum(1, len(trials) * np.stack([_p_values(one, null) for one in trials]))
    concepts, labels = tuple(method.concepts), tuple(score.labels[place] for place in first)
    return TCAVResult(
        concepts=concepts,
        classes=classes,
        labels=labels,
        counts=counts,
        scores=trials.mean(axis=1),
        trials=trials,
        null=null,
        p_values=p_values,
        accuracies=accuracies,
        directions=vectors.mean(axis=1),
        layer=trained.layer,
        method=method,
        notes=(*trained.notes(list(accuracies.mean(axis=1))), *_notes(concepts, labels, counts, p_values)),
    )


def _p_values(trials: np.ndarray, null: np.ndarray) -> np.ndarray:
    """(K,) p-values of two-sided t-tests of (R, K) runs with a concept against (R, K) with none.

    The runs share their few examples: were they taken for independent, as is usual, any concept would be significant
    with enough of them. Runs of one half of the examples spread as much as what all examples give would if the
    examples were others, so that the whole spread counts, and not only that of the mean (the correction of Nadeau and
    Bengio, 2003, for training on a half).
    """
    from scipy.stats import t

    runs = len(trials)
    variance = trials.var(axis=0, ddof=1) * (1 + 1 / runs) + null.var(axis=0, ddof=1) / runs
    apart = np.abs(trials.mean(axis=0) - null.mean(axis=0))
    # Where nothing spreads there is no test, but then no doubt either.
    ratio = np.divide(apart, np.sqrt(variance), out=np.where(apart > 0, np.inf, 0.0), where=variance > 0)
    return 2 * t.sf(ratio, runs - 1)


def _notes(concepts: Sequence[str], labels: Sequence[str], counts: np.ndarray, p_values: np.ndarray) -> Iterator[str]:
    for concept, row in zip(concepts, p_values, strict=True):
        for label, p_value in zip(labels, row, strict=True):
            if p_value >= SIGNIFICANT:
                yield f"{concept!r} moves {label} no otherwise than random examples do (p = {p_value:.2g})."
    for label, count in zip(labels, counts, strict=True):
        if count < _COARSE:
            yield f"The scores for {label} are of {count} input{'s' if count > 1 else ''} only."
