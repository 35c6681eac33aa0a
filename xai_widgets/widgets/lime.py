"""LIMEWidget: superpixels and their weights, which can be fitted anew and switched off."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, ClassVar

import numpy as np
import traitlets

from xai_widgets.attribution import Attribution
from xai_widgets.declare import to_json
from xai_widgets.methods import LIME, Frame, KernelSHAP
from xai_widgets.task import Task
from xai_widgets.trees import leaves
from xai_widgets.widgets import players, showing
from xai_widgets.widgets.base import Explainer, asset
from xai_widgets.widgets.traits import Checked
from xai_widgets.wire import finite, pack

MOST_SENT = 1 << 18


def _whole(name: str, value: Any, least: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise TypeError(f"{name} must be an integer from {least}, got {value!r}")
    if value < least:
        raise ValueError(f"{name} must be from {least}, got {value}")
    return int(value)


def _cut(told: list[dict[str, Any]]) -> list[tuple[Any, ...]]:
    """How the inputs are cut into players, whatever the values of a sample."""
    return [(one["labels"], one.get("data")) for one in told]


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
    top = Checked(10, lambda _, value: _whole("top", value, 1)).tag(sync=True)

    _players: traitlets.List[Any] = traitlets.List().tag(sync=True)
    _surrogate = traitlets.Dict().tag(sync=True)
    _equations = traitlets.Dict().tag(sync=True)

    _game = _answers = 0
    _scores: Any = None

    def _check_off(self, value: Any) -> list[int]:
        if not isinstance(value, list | tuple | set | np.ndarray):
            raise TypeError(f"off must be a list of numbers of segments, got {value!r}")
        numbers = sorted({_whole("off", one, 0) for one in value})
        most = sum(len(one["labels"]) for one in self._players) - 1
        if self._players and numbers and numbers[-1] > most:
            raise ValueError(f"off must hold numbers from 0 to {most}, got {numbers[-1]}")
        return numbers

    def _packed(self, attribution: Attribution, heats: Sequence[np.ndarray]) -> tuple[list[dict[str, Any]], bytes]:
        return pack([values[0] for values in leaves(attribution.values)], "float32")

    def _more(self, task: Task, frame: Frame, attribution: Attribution) -> dict[str, Any]:
        surrogate = frame.surrogate
        assert surrogate is not None
        more: dict[str, Any] = {}
        if surrogate.scores is not self._scores:
            self._scores = surrogate.scores
            self._game += 1
            more = self._new_game(task, frame)
        error = None if frame.error is None else np.concatenate([one[0] for one in frame.error]).astype("<f4").tobytes()
        more["_surrogate"] = finite(
            {
                "game": self._game,
                "method": to_json(task.method, {}),
                "intercept": surrogate.intercept[0],
                "explained": surrogate.explained[0],
                "effective": surrogate.effective[0],
                "masks": frame.passes,
                "error": error,
            }
        )
        if frame.progress >= 1 and surrogate.equations is not None and self._equations.get("game") != self._game:
            more["_equations"] = self._sent(surrogate.equations())
        limits = self._taken.value_ranges
        if frame.baseline is not None and any(
            np.ptp(one, axis=tuple(range(one.ndim - 1))).any() for one in frame.baseline
        ):
            more["_baselines"] = showing.baselines(frame, limits, None)  # the edited picture is made of it
        return more

    def _new_game(self, task: Task, frame: Frame) -> dict[str, Any]:
        """What a page is told when other scores are drawn than before."""
        told = players.told(task, frame, self._taken.value_ranges, self._taken.features)
        count = sum(len(one["labels"]) for one in told)
        # Numbers stand for the segments that a person saw.
        same = not self._players or _cut(self._players) == _cut(told)
        kept = [one for one in self.off if one < count] if same else []
        if kept:
            self._ask()
        return {"_players": told, "off": kept, "edited": self._answer_of([]), "_equations": {}}

    def _sent(self, equations: Any) -> dict[str, Any]:
        """The equations, for a page that fits them itself; nothing where there are too many to carry about."""
        if equations.bits.nbytes + 4 * len(equations.bits) > MOST_SENT:
            return {}
        return {
            "game": self._game,
            "rows": len(equations.bits),
            "bits": equations.bits.tobytes(),
            "scores": equations.scores[0].astype("<f4").tobytes(),
            "middle": float(equations.middle[0]),
            "rarity": equations.rarity.tolist(),
            "fraction": equations.fraction,
        }

    def _answer_of(self, off: list[int], answer: dict[str, Any] | None = None) -> dict[str, Any]:
        self._answers += 1
        return {"version": self._answers, "off": off, **(answer or {})}

    @traitlets.observe("off")
    def _ask(self, change: Any = None) -> None:
        self._aside("off", self._asking)

    def _asking(self) -> Iterator[None]:
        latest, off = self._latest, self.off
        if latest is None:
            return  # asked with the first map
        _, _, task, frame = latest
        answer = players.without(task, frame, off) if off else {}
        with self._changed:
            # What was asked since then is answered by itself.
            if (
                self._owner is not None
                and self.off == off
                and frame.surrogate
                and frame.surrogate.scores is self._scores
            ):
                self.edited = self._answer_of(off, answer)
        yield
