"""What every method is: a frozen value that yields frames."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from xai_widgets.baselines import Baseline
from xai_widgets.declare import Declared, fields, parts

if TYPE_CHECKING:
    from xai_widgets.engine.masks import Look
    from xai_widgets.engine.model import ModelView
    from xai_widgets.engine.outputs import Outputs
    from xai_widgets.engine.score import Score
    from xai_widgets.engine.surrogate import Equations


@dataclass(frozen=True)
class Inputs:
    """Raw inputs of some samples: arrays (n, ...) and the structure (list, dict) that they have together.

    `first` is the place of the first one among all `total` samples that were handed over.
    """

    arrays: tuple[np.ndarray, ...]
    structure: Any
    first: int = 0
    total: int = 0

    def __post_init__(self) -> None:
        object.__setattr__(self, "total", self.total or len(self))

    def __len__(self) -> int:
        return len(self.arrays[0])

    def rows(self, rows: slice) -> Inputs:
        first = self.first + rows.indices(len(self))[0]
        return Inputs(tuple(array[rows] for array in self.arrays), self.structure, first, self.total)


@dataclass(frozen=True)
class Surrogate:
    """The linear model whose weights are a frame's values, and what can still be asked of the game it was fitted to.

    Attributes:
        intercept: (n,) its score where no player is present.
        explained: (n,) the weighted R squared over the masks.
        effective: (n,) how many masks of equal weight would tell as much.
        look: From masks (n, k, players), 1 for what is present, to what the model itself tells of them; the same one
            for as long as a run, and what resumes it, goes on.
        resume: From a method that differs in nothing but what it `refits`, to the frames of the same game under it: the
            first is what was drawn so far, fitted anew without a pass. For the latest frame of a run only; None where
            nothing is fitted anew.
        equations: What was drawn, for whoever fits it elsewhere: of a single number of players only.
    """

    intercept: np.ndarray
    explained: np.ndarray
    effective: np.ndarray
    look: Callable[[np.ndarray], Look]
    resume: Callable[[Any], Iterator[Frame]] | None = None
    equations: Callable[[], Equations] | None = None


@dataclass(frozen=True)
class Flow:
    """Relevance on its way from the score to the inputs.

    Attributes:
        relevance: By path of the layer, in the order in which they return, an array (n, ...) for each tensor that its
            calls return.
        rules: By path of each layer with weights, the name of the rule that it has unless it is given one of its own.
    """

    relevance: Mapping[str, Sequence[np.ndarray]]
    rules: Mapping[str, str]


@dataclass(frozen=True)
class Frame:
    """A snapshot of a running explanation; the last of a run has `progress` 1 and is the answer.

    Attributes:
        values: An array (n, ...) for each input, or for each call of the `wrt` layer.
        progress: 0 to 1.
        of_layer: Whether the values belong to a layer, an array for each of its calls, and not to the inputs.
        segments: Where values are one number a segment, (n, segments): which segment each position belongs to,
            (n, H, W) int for each input; None elsewhere.
        passes: Passes of the model so far, a sample: forward and backward for gradients, else forward.
        total: Passes in all.
        error: Standard error of the values, like them; None where the method does not sample.
        change: (n,) estimate of how far the picture still is from its limit, as a fraction; None where it is exact.
        drawn: Samples so far, of methods whose error falls with the root of their number; 0 for others.
        baseline: The baseline of each sample (the first, where there are several), like the raw inputs, for showing.
        baseline_score: (n,) score of the baseline; None where there is no baseline.
        path: Points visited (k,) and scores there (n, k), for methods that walk a path.
        outputs: What the model gave for the inputs in the same pass; None where the task has to ask it beforehand.
        score: (n,) the scores of the inputs, with `outputs`.
        surrogate: The linear model whose weights the values are; None where there is none.
        facts: Plain sentences on what was computed.
        notes: Plain sentences where the result may mislead.
        flow: Of methods that hand relevance on from layer to layer, what they find at those that the view watches.
    """

    values: Sequence[np.ndarray]
    progress: float = 1.0
    of_layer: bool = False
    segments: Sequence[np.ndarray] | None = None
    passes: int = 1
    total: int = 1
    error: Sequence[np.ndarray] | None = None
    change: np.ndarray | None = None
    drawn: int = 0
    baseline: Sequence[np.ndarray] | None = None
    baseline_score: np.ndarray | None = None
    path: tuple[np.ndarray, np.ndarray] | None = None
    outputs: Outputs | None = None
    score: np.ndarray | None = None
    surrogate: Surrogate | None = None
    facts: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    flow: Flow | None = None


def magnitudes(values: Sequence[np.ndarray]) -> np.ndarray:
    """(arrays, n) the largest magnitude in each array of each sample; not finite where a value is not."""
    flat = [array.reshape(len(array), -1) for array in values]
    return np.array([np.maximum(one.max(axis=1), -one.min(axis=1)) for one in flat])


def resolution(score: np.ndarray, other: np.ndarray) -> np.ndarray:
    """(n,) below which a difference of two scores is rounding, by the precision of the first ones."""
    return np.asarray(_ROUNDING * np.finfo(score.dtype).eps * np.maximum(np.abs(score), np.abs(other)))


def unmoved(values: Sequence[np.ndarray], score: np.ndarray, absent: np.ndarray) -> np.ndarray:
    """(n,) whether values that are differences of scores, as is that of both ends, are all of them rounding."""
    least = resolution(score, absent)
    with np.errstate(invalid="ignore"):
        same = np.asarray((np.abs(score - absent) <= least) & (least < np.inf))
    return same & (magnitudes(values).max(axis=0) <= least) if same.any() else same


_ROUNDING = 16  # units in the last place: sums within a network round many times


def relative(error: Sequence[np.ndarray], values: Sequence[np.ndarray]) -> np.ndarray:
    """(n,) sum of the standard errors over the sum of the magnitudes: how much a sampled picture may still change."""
    apart, size = (
        sum(np.abs(array).reshape(len(array), -1).sum(axis=1) for array in arrays) for arrays in (error, values)
    )
    return np.divide(apart, size, out=np.zeros(len(values[0])), where=np.asarray(size) > 0)


def averaged(
    sums: Sequence[np.ndarray], squares: Sequence[np.ndarray], draws: int
) -> tuple[list[np.ndarray], list[np.ndarray] | None]:
    """Means of some draws and their standard errors, from the sums of values and of squares; of one draw, no error."""
    means = [total / draws for total in sums]
    if draws < 2:
        return means, None
    spread = [np.maximum(total / draws - mean**2, 0) for total, mean in zip(squares, means, strict=True)]
    return means, [np.sqrt(one / (draws - 1)) for one in spread]


class Method(Declared):
    """Base of all methods; a subclass declares its parameters with `param` and yields frames.

    Attributes:
        family: The heading under which a menu lists it.
        differentiates: False where only scores are looked at.
        class_free: True where the map is the same for every target.
        through_embedding: True where token ids are explained through the output of the embedding that they enter.
        per_channel: False where the values have no channel axis: one value for each position.
        makes_input: True where the values are an input that the method made, and no map of the one that was given.
        refits: Fields whose change needs no pass of the model: what was drawn is fitted anew.
        single: True where one pass does it all: its frame brings the score and what the model predicts, for which
            nobody asks beforehand.
        shared: What values that add up add up to.
        missing: Where a part of it went that the values lack; empty where `more` of what the method draws would add it.
    """

    family: ClassVar[str] = "Gradients"
    differentiates: ClassVar[bool] = True
    class_free: ClassVar[bool] = False
    through_embedding: ClassVar[bool] = False
    per_channel: ClassVar[bool] = True
    makes_input: ClassVar[bool] = False
    refits: ClassVar[frozenset[str]] = frozenset()
    single: ClassVar[bool] = False
    shared: ClassVar[str] = "the difference of the scores"
    missing: ClassVar[str] = ""

    @property
    def reading(self) -> str:
        """How to read a map whose values do not add up to a difference; "{target}" stands for what is explained."""
        return "The map shows what speaks for (+) and against (\u2212) {target}"

    @property
    def zero(self) -> str:
        """Why a map is zero everywhere whose baseline is another than the input; empty where frames tell it."""
        if not self.differentiates:
            return "the score is the same whatever is masked"
        return "the gradient is zero wherever it was taken, as behind dead units and saturated outputs"

    @property
    def more(self) -> str:
        """What more of steadies a map, in words."""
        return " or ".join(f"more {name}" for name in ("steps", "samples", "channels") if hasattr(self, name))

    @property
    def slopes(self) -> bool:
        """Whether the values are changes of the score per unit of the input, and not shares of it."""
        return False

    @property
    def unitless(self) -> bool:
        """Whether only the proportions of the values count: they are neither slopes nor amounts of the score."""
        return not (self.slopes or self.claims())

    @classmethod
    def fits(cls, shape: tuple[int, ...]) -> bool:
        """Whether the method makes sense for inputs of a shape (N, ...)."""
        return True

    def check(self, view: ModelView, inputs: Inputs) -> None:
        """Refuse what cannot work with a model and its inputs; cheap, as it is asked at every change of a method.

        What only a pass of the model or a traced function can tell is refused by `frames`.

        Raises:
            ValueError: A layer is unknown, a baseline does not fit the inputs, or the method does not apply to them.
        """
        if not self.through_embedding:
            _check_order(type(self).__name__, view, inputs)
        for field in fields(type(self)):
            kind, value = field.metadata["kind"], getattr(self, field.name)
            if kind == "layer" and value is not None:
                view.path_of(value, f"{type(self).__name__}.{field.name}")
            elif kind == "method":
                value.check(view, inputs)
            elif kind == "baseline" and not of_tokens(view):
                _check_baseline(value, inputs.arrays, None if self.through_embedding else view)

    def frames(self, view: ModelView, score: Score, inputs: Inputs) -> Iterator[Frame]:
        """Explain `score` of `view` at `inputs`, coarse first; each step is at most about 100 ms of work.

        Every frame is a fair answer from what was computed so far. To cancel, take no further frame.
        """
        raise NotImplementedError

    def only_refits(self, before: Method) -> bool:
        """Whether it differs from a method in nothing but what needs no pass of the model."""
        if type(self) is not type(before) or not self.refits:
            return False
        return self.replace(**{name: getattr(before, name) for name in self.refits}) == before

    def claims(self) -> bool:
        """Whether the values are claimed to add up to score - baseline_score."""
        return False


class GradientMethod(Method):
    """Base of methods whose values are gradients, weighted or averaged, of the shape of the site.

    `SmoothGrad` averages any of them over noisy copies.
    """

    through_embedding: ClassVar[bool] = True


def of_tokens(view: ModelView) -> bool:
    """Whether the site is the output of an embedding: its inputs are token ids."""
    return view.wrt is not None and type(view.layers[view.wrt]).__name__ == "Embedding"


def _check_order(name: str, view: ModelView, inputs: Inputs) -> None:
    """Refuse inputs that have their channels first, for a method that asks where positions are."""
    path = view.channels_first_of([array.shape[1:] for array in inputs.arrays])
    if path is not None:
        raise ValueError(
            f"{name} takes the last axis for channels, but layer {path!r} takes the first: explain "
            "keras.Sequential([keras.Input((H, W, C)), keras.layers.Permute((3, 1, 2)), model])"
        )


def _check_baseline(baseline: Baseline, arrays: Sequence[np.ndarray], view: ModelView | None) -> None:
    """Refuse a baseline that does not fit the inputs, or where a view is given, token ids that its model lacks."""
    from xai_widgets.engine.inputs import check_ids

    for part in parts(baseline):
        assert isinstance(part, Baseline)
        holds_array = any(field.metadata["kind"] in ("value", "array") for field in fields(type(part)))
        for array in arrays:
            # What holds no array is told by the shape alone: a large blur takes longer than a check may.
            if holds_array or not part.fits(array.shape):
                part.reference(array[:1])
    if view is not None and view.vocabularies:
        for draw in range(baseline.count or 0):  # what is drawn keeps to the range of the input
            check_ids("baseline", view, [baseline.reference(array[:1], draw) for array in arrays])
