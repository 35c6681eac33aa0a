"""LIMEWidget: superpixels and their weights, which can be fitted anew and switched off."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar
from weakref import WeakKeyDictionary

import numpy as np
import traitlets

from xai_widgets.attribution import Attribution
from xai_widgets.declare import to_json
from xai_widgets.methods import LIME, Frame, KernelSHAP
from xai_widgets.task import Task
from xai_widgets.trees import leaves
from xai_widgets.widgets import players, showing
from xai_widgets.widgets.base import Explainer, asset
from xai_widgets.widgets.traits import Checked, whole
from xai_widgets.wire import finite, pack

if TYPE_CHECKING:
    from xai_widgets.engine.surrogate import Equations

MOST_SENT = 1 << 18


class LIMEWidget(Explainer):
    """A linear model of a score near one sample: what each superpixel or feature weighs, and what is said without it.

    Kernel width and ridge fit anew what was drawn: nothing is predicted again, so that new weights of the model show
    with the next change that does predict.

    Attributes:
        off: Numbers of the segments (of all inputs, numbered through) that are switched off.
        edited: What the model says without them: {version, off, score, best: {classes, values, ...}}; without a score
            while all are on, or the answer is on its way.
        top: How many segments are shown, those with the largest weights; changing it in the browser asks for nothing.
    """

    _esm = asset("lime.js")
    _css = asset("lime.css")
    METHODS = (LIME, KernelSHAP)
    ASKED: ClassVar[frozenset[str]] = frozenset({"off", "top"})

    off = Checked([], lambda self, value: self._check_off(value)).tag(sync=True)
    edited = traitlets.Dict().tag(sync=True)
    top = Checked(10, lambda _, value: whole("top", value, 1)).tag(sync=True)

    _players: traitlets.List[Any] = traitlets.List().tag(sync=True)
    _surrogate = traitlets.Dict().tag(sync=True)
    _equations = traitlets.Dict().tag(sync=True)

    def __init__(self, *arguments: Any, **options: Any) -> None:
        # Before super(): the worker may ask for them at once.
        self._games: WeakKeyDictionary[Any, int] = WeakKeyDictionary()
        self._numbers, self._answers = itertools.count(1), 0
        self._cut: list[Any] | None = None
        super().__init__(*arguments, **options)

    def _check_off(self, value: Any) -> list[int]:
        if not isinstance(value, list | tuple | set | np.ndarray):
            raise TypeError(f"off must be a list of numbers of segments, got {value!r}")
        numbers = sorted({whole("off", one, 0) for one in value})
        if self._players and numbers and numbers[-1] >= self._count:
            raise ValueError(f"off must hold numbers from 0 to {self._count - 1}, got {numbers[-1]}")
        return numbers

    def _packed(self, attribution: Attribution, heats: Sequence[np.ndarray]) -> tuple[list[dict[str, Any]], bytes]:
        return pack([values[0] for values in leaves(attribution.values)], "float32")

    def _more(self, task: Task, frame: Frame, attribution: Attribution) -> dict[str, Any]:
        surrogate, limits = frame.surrogate, self._taken.value_ranges
        assert surrogate is not None
        game = self._games.setdefault(surrogate.look, next(self._numbers))
        error = None if frame.error is None else np.concatenate([one[0] for one in frame.error]).astype("<f4").tobytes()
        equations = surrogate.equations if frame.progress >= 1 else None
        told = {
            "game": game,
            "method": to_json(task.method, {}),
            "intercept": surrogate.intercept[0],
            "explained": surrogate.explained[0],
            "effective": surrogate.effective[0],
            "error": error,
        }
        more: dict[str, Any] = {
            "_players": players.told(task, frame, limits, self._taken.features),
            "_equations": {} if equations is None else _sent(game, equations()),
            "_surrogate": finite(told),
        }
        varies = [np.ptp(one, axis=tuple(range(one.ndim - 1))).any() for one in frame.baseline or ()]
        if any(varies):  # the page makes the edited picture of it
            more["_baselines"] = showing.baselines(frame, limits, None)
        return more

    @traitlets.observe("_surrogate")
    def _follow(self, change: Any) -> None:
        """Other scores are drawn than before: what is switched off is asked anew, or means nothing any more."""
        if change.old.get("game") == change.new["game"]:
            return
        # Numbers stand for the segments that a person saw.
        before, self._cut = self._cut, [(one["labels"], one.get("data")) for one in self._players]
        self._answer_of([])
        kept = [one for one in self.off if one < self._count] if before in (None, self._cut) else []
        if kept and kept == self.off:
            self._ask()
        self.off = kept

    @traitlets.observe("off")
    def _ask(self, change: Any = None) -> None:
        self._aside("off", self._asking)

    def _asking(self) -> Iterator[None]:
        drawn, off = self._drawn_for, self.off
        if drawn is None:
            return  # asked with the first map
        _, _, task, frame = drawn
        assert frame.surrogate is not None
        game = self._games.get(frame.surrogate.look)
        answer = players.without(task, frame, off) if off else {}
        with self._changed:
            # What was asked since then is answered by itself.
            if self._owner is not None and (off, game) == (self.off, self._surrogate.get("game")):
                self._answer_of(off, **answer)
        yield

    def _answer_of(self, off: list[int], **answer: Any) -> None:
        self._answers += 1
        self.edited = {"version": self._answers, "off": off, **answer}

    @property
    def _count(self) -> int:
        return sum(len(one["labels"]) for one in self._players)


def _sent(game: int, equations: Equations) -> dict[str, Any]:
    """The equations, for a page that fits them itself; nothing where there are too many to carry about."""
    if equations.bits.nbytes + 4 * len(equations.bits) > MOST_SENT:
        return {}
    return {
        "game": game,
        "rows": len(equations.bits),
        "bits": equations.bits.tobytes(),
        "scores": equations.scores[0].astype("<f4").tobytes(),
        "middle": float(equations.middle[0]),
        "rarity": equations.rarity.tolist(),
        "fraction": equations.fraction,
    }
