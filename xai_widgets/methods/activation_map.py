"""What all class activation maps share: the layer, the sign, the notes; a method adds how it weights the channels."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from xai_widgets.declare import param
from xai_widgets.layout import positions
from xai_widgets.methods.base import Frame, Inputs, Method

if TYPE_CHECKING:
    from xai_widgets.engine.cam import Look
    from xai_widgets.engine.gradients import Gradient
    from xai_widgets.engine.model import ModelView
    from xai_widgets.engine.score import Score

_FEW_PLACES = 9
_MUCH_NEGATIVE = 0.2
_QUICK = 0.02
_MOST_TIMES = 8


@dataclass(frozen=True, eq=False, repr=False)
class ActivationMap(Method):
    """A map of the resolution of a layer; of a layer that is called several times there is one for each call.

    `unsigned` is True where a method takes activity for presence, and a negative activation says nothing to it;
    `active` where the layer that it finds by itself comes after an activation function, if there is one.
    """

    family: ClassVar[str] = "Class activation maps"
    per_channel: ClassVar[bool] = False
    unsigned: ClassVar[bool] = False
    active: ClassVar[bool] = False

    layer: str | None = param(
        None, kind="layer", doc="The layer; by default the last one that still has more than one position."
    )
    relu: bool = param(True, doc="Keep only the positive part: what speaks for the class.")

    @classmethod
    def fits(cls, shape: tuple[int, ...]) -> bool:
        return bool(positions(shape))

    @property
    def reading(self) -> str:
        if self.relu:
            return "The map shows which places of the layer speak for {target}"
        return "The map shows which places of the layer speak for (+) and against (\u2212) {target}"

    @property
    def zero(self) -> str:
        return ""  # `shown` tells it, by the signs before `relu`

    def check(self, view: ModelView, inputs: Inputs) -> None:
        super().check(view, inputs)
        for path in view.channels_first:
            raise ValueError(
                f"{type(self).__name__} takes the last axis of a layer for its channels, but {path!r} has them first: "
                "Saliency and IntegratedGradients do not need to know"
            )
        if view.wrt is not None:
            raise ValueError(f"{type(self).__name__} looks at the layer in its parameter: give layer=, not wrt=")

    def at_layer(self, view: ModelView, score: Score, inputs: Inputs) -> tuple[ModelView, tuple[str, ...]]:
        """The view at the layer, and a note where the choice of the layer is not clear.

        Raises:
            ValueError: No layer has positions.
        """
        from xai_widgets.engine.cam import spatial_layers

        name = type(self).__name__
        if self.layer is not None:
            return view.at(view.path_of(self.layer, f"{name}.layer")), ()
        found = spatial_layers(view, score, view.enter(inputs.arrays, inputs.structure), inputs.structure)
        if not found.layers:
            raise ValueError(
                f"the model {view.name!r} has no layer with more than one position that the score depends on: "
                f"{name} needs one"
            )
        chosen = found.layers[-1]
        fitting = [layer for layer in found.layers if layer in found.active]
        if self.active and fitting and chosen not in fitting:
            return view.at(fitting[-1]), ()
        if not found.beside:
            return view.at(chosen), ()
        note = (
            f"The score also depends on layer {found.beside[-1]!r} on a way around {chosen!r}, of which this map "
            "shows nothing: layer= names another one."
        )
        return view.at(chosen), (note,)

    def check_positions(self, view: ModelView, activations: Sequence[np.ndarray]) -> None:
        """Refuse a layer without positions by its name."""
        for array in activations:
            if array.ndim < 3:
                raise ValueError(
                    f"{type(self).__name__}.layer {view.wrt!r} has no positions: its output has shape {array.shape}"
                )

    def on_signs(self, view: ModelView, activations: Sequence[np.ndarray]) -> tuple[str, ...]:
        """A note where much of what the layer gives is negative and the method was not made for that."""
        if not self.unsigned:
            return ()
        whole = sum(float(np.abs(array).sum(dtype=np.float64)) for array in activations)
        below = (whole - sum(float(array.sum(dtype=np.float64)) for array in activations)) / 2
        if below <= _MUCH_NEGATIVE * whole:
            return ()
        return (
            f"{below / whole:.0%} of the activation of layer {view.wrt!r} is negative. {self.label} takes activity for "
            "presence, so its map may mislead here: name a layer after a ReLU, or use GradCAM.",
        )

    def fact(self, view: ModelView, activations: Sequence[np.ndarray]) -> str:
        """Which layer it is, and how many places it has."""
        return f"The map is that of layer {view.wrt!r}, {' x '.join(map(str, activations[0].shape[1:-1]))}."

    def shown(self, maps: Sequence[np.ndarray]) -> tuple[list[np.ndarray], tuple[str, ...]]:
        """The maps as they are shown, from signed ones, and what has to be said about them."""
        kept = [np.maximum(one, 0) for one in maps] if self.relu else list(maps)
        sizes = maps[0].shape[1:]
        notes = []
        if int(np.prod(sizes)) <= _FEW_PLACES or min(sizes) == 1:
            notes.append("So few places hardly tell where: an earlier layer has more.")
        rows = [np.concatenate([one[place].ravel() for one in maps]) for place in range(len(maps[0]))]
        still = sum(not row.any() for row in rows)
        against = sum(bool(row.any() and (row <= 0).all()) for row in rows)
        if still:
            notes.append(f"The map is zero everywhere{_of(still, rows)}: no channel counts for the score.")
        why = "all of the layer is negative" if self.class_free else "all of the layer speaks against the class"
        if against and self.relu:
            notes.append(f"The map is zero everywhere{_of(against, rows)}: {why}, as relu=False shows.")
        elif against:
            notes.append(f"The map is nowhere positive{_of(against, rows)}: {why}.")
        return kept, tuple(notes)


def _of(some: int, rows: Sequence[np.ndarray]) -> str:
    return "" if some == len(rows) else f" in {some} of {len(rows)} samples"


@dataclass(frozen=True, eq=False, repr=False)
class GradientMap(ActivationMap):
    """A map made of activations and gradients, by one pass."""

    single: ClassVar[bool] = True

    def map_of(self, activations: np.ndarray, gradients: np.ndarray) -> np.ndarray:
        """From (n, ..., channels) each, the signed map (n, ...)."""
        raise NotImplementedError

    def check_layer(self, view: ModelView, score: Score, found: Gradient, inputs: Inputs) -> None:
        """Refuse layers for which the method is not defined; `score` has its class told."""

    def frames(self, view: ModelView, score: Score, inputs: Inputs) -> Iterator[Frame]:
        from xai_widgets.engine.gradients import gradient

        view, unclear = self.at_layer(view, score, inputs)
        found = gradient(view, score, view.enter(inputs.arrays, inputs.structure), inputs.structure)
        self.check_positions(view, found.site)
        self.check_layer(view, score.told(found.outputs, ()), found, inputs)
        maps = [self.map_of(values, slopes) for values, slopes in zip(found.site, found.gradients, strict=True)]
        kept, notes = self.shown(maps)
        notes = (*notes, *unclear, *self.on_signs(view, found.site))
        facts = (self.fact(view, found.site),)
        yield Frame(kept, of_layer=True, outputs=found.outputs, score=found.scores, facts=facts, notes=notes)


@dataclass(frozen=True, eq=False, repr=False)
class ChannelMap(ActivationMap):
    """A map whose weights come from a trial of each channel.

    Every frame is the map of the channels tried so far; `change` is the share of activation that is still untried.
    """

    single: ClassVar[bool] = True

    channels: int = param(0, ge=0, soft_max=512, doc="How many channels are tried; 0 for all of them.")

    def trials(self, view: ModelView, layer: ModelView, score: Score, inputs: Inputs, seen: Look) -> Trials:
        """How channels are tried: of a view, and of the same view at the layer, where `seen` was seen."""
        raise NotImplementedError

    def frames(self, view: ModelView, score: Score, inputs: Inputs) -> Iterator[Frame]:
        from xai_widgets.engine.cam import look, weighted

        layer, unclear = self.at_layer(view, score, inputs)
        seen = look(layer, score, view.enter(inputs.arrays, inputs.structure), inputs.structure)
        self.check_positions(layer, seen.activations)
        signs = self.on_signs(layer, seen.activations)
        trials = self.trials(view, layer, score.told(seen.outputs, ()), inputs, seen)
        calls = [
            _Tally(one, trials.needless(place), trials.priority(one), self.channels)
            for place, one in enumerate(seen.activations)
        ]
        counts = [tally.order.shape[1] for tally in calls]
        for group in _groups(view.calls(trials.sizes, max(counts)), max(counts)):
            for place, tally in enumerate(calls):
                chosen = tally.order[:, group]
                if chosen.shape[1]:
                    tally.enter(chosen, trials.scores(place, chosen))
            weights = [trials.weights(tally.told(trials.absent(place))) for place, tally in enumerate(calls)]
            kept, notes = self.shown([weighted(*pair) for pair in zip(seen.activations, weights, strict=True)])
            yield Frame(
                kept,
                progress=group.stop / max(counts),
                of_layer=True,
                passes=1 + trials.passes * sum(min(group.stop, count) for count in counts),
                total=1 + trials.passes * sum(counts),
                change=np.mean([tally.untried() for tally in calls], axis=0),
                baseline=trials.baseline,
                baseline_score=trials.baseline_score,
                outputs=seen.outputs,
                score=seen.scores,
                facts=(self.fact(layer, seen.activations),),
                notes=(*notes, *unclear, *signs),
            )


def _groups(calls: Sequence[slice], total: int) -> Iterator[slice]:
    """As many channels at a time as the calls have, and twice as many after each that was quick, up to eight times.

    What follows a layer may be little work, whatever the layer's size says, and then calls are what costs.
    """
    each = most = calls[0].stop
    start = 0
    while start < total:
        group = slice(start, min(start + each, total))
        began = time.perf_counter()
        yield group
        quick = time.perf_counter() - began < _QUICK
        if start == 0:
            each = max(call.stop - call.start for call in calls)
            most = _MOST_TIMES * each
        elif quick:
            each = min(2 * each, most)
        start = group.stop


class Trials:
    """How the channels of a layer are tried: a method's own part of a `ChannelMap`.

    Attributes:
        sizes: Arrays (n, ...) whose size tells how much work one trial is.
        passes: Passes of the model a trial.
        baseline, baseline_score: As in `Frame`.
    """

    sizes: Sequence[np.ndarray]
    passes: int = 1
    baseline: Sequence[np.ndarray] | None = None
    baseline_score: np.ndarray | None = None

    def needless(self, call: int) -> np.ndarray:
        """Which channels (n, channels) of one call of the layer have a known score, that of `absent`."""
        raise NotImplementedError

    def priority(self, activations: np.ndarray) -> np.ndarray:
        """Which channels are tried first, (n, channels): those with the largest numbers."""
        raise NotImplementedError

    def scores(self, call: int, channels: np.ndarray) -> np.ndarray:
        """Scores (n, c) of trials of some channels (n, c) of one call of the layer."""
        raise NotImplementedError

    def absent(self, call: int) -> np.ndarray:
        """The score (n,) of a channel that needs no trial; asked for after the first scores."""
        raise NotImplementedError

    def weights(self, scores: np.ndarray) -> np.ndarray:
        """Weights of the channels from their scores, (n, channels) each; zero where the score is NaN."""
        raise NotImplementedError


class _Tally:
    """The scores of one call's channels so far, and the order in which they are tried, each sample in its own."""

    def __init__(self, activations: np.ndarray, needless: np.ndarray, priority: np.ndarray, most: int) -> None:
        self._size, self._needless = size(activations), needless
        self._scores = np.full(needless.shape, np.nan)
        # A sample with fewer channels to try than others tries needless ones too, which does no harm.
        count = max(1, int((~needless).sum(axis=1).max()))
        order = np.argsort(np.where(needless, np.inf, -priority), axis=1, kind="stable")
        self.order = order[:, : min(count, most or count)]

    def enter(self, channels: np.ndarray, scores: np.ndarray) -> None:
        np.put_along_axis(self._scores, channels, scores, axis=1)

    def told(self, absent: np.ndarray) -> np.ndarray:
        """(n, channels) scores, NaN where a channel is still to be tried."""
        return np.where(self._needless, absent[:, None], self._scores)

    def untried(self) -> np.ndarray:
        """(n,) share of the activation whose channels are still to be tried."""
        waiting = (self._size * (np.isnan(self._scores) & ~self._needless)).sum(axis=1)
        total = self._size.sum(axis=1)
        return np.divide(waiting, total, out=np.zeros_like(total), where=total > 0)


def size(activations: np.ndarray) -> np.ndarray:
    """The mean magnitude of each channel, (n, channels)."""
    return np.abs(activations).mean(axis=tuple(range(1, activations.ndim - 1)), dtype=np.float64)
