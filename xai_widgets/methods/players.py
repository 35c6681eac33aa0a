"""The players of LIME and KernelSHAP: features of tables, segments of pictures, runs of steps, cells of volumes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np

from xai_widgets.layout import has_channels
from xai_widgets.methods.base import Frame, Inputs, Method, Surrogate, relative
from xai_widgets.methods.masking import Masking

if TYPE_CHECKING:
    from xai_widgets.engine.masks import Look, Masked
    from xai_widgets.engine.model import ModelView
    from xai_widgets.engine.surrogate import Equations, Game

SEGMENTATIONS = ("slic", "quickshift", "felzenszwalb", "grid")


class Players:
    """Who is present or absent in a mask. The players of all inputs play together, and are numbered through.

    Attributes:
        labels: Which player each position belongs to, (n, *size) int32 for each array.
        counts: (n,) how many players each sample has.
        segments: Which one of its own array's segments each position belongs to; None where each feature is a player.
        notes: Plain sentences.
    """

    def __init__(self, masking: Masking, inputs: Inputs, segments: Any, segmentation: str, name: str) -> None:
        """
        Args:
            masking: What is masked.
            inputs: The samples.
            segments: About how many, or labels.
            segmentation: One of `SEGMENTATIONS`.
            name: Of the method, for errors.
        """
        self.notes: tuple[str, ...] = ()
        _check_labels(segments, masking.sizes, inputs.total, name)
        given = [_given(segments, size, inputs) for size in masking.sizes]
        fitting = any(labels is not None for labels in given)
        wanted = segments if isinstance(segments, int) else _WANTED
        own = [
            self._found(masking, place, wanted, segmentation) if labels is None else labels
            for place, labels in enumerate(given)
        ]
        self._widths = np.stack([labels.reshape(len(labels), -1).max(axis=1) + 1 for labels in own], axis=1)
        self._starts = np.cumsum(self._widths, axis=1) - self._widths
        self.labels = [
            labels + start.astype(np.int32).reshape(-1, *[1] * (labels.ndim - 1))
            for labels, start in zip(own, self._starts.T, strict=True)
        ]
        self.counts = self._widths.sum(axis=1)
        tables = all(array.ndim == 2 for array in masking.site)
        self.segments = None if tables and not fitting else own

    def _found(self, masking: Masking, place: int, wanted: int, segmentation: str) -> np.ndarray:
        """Segments of an array whose labels were not given."""
        from xai_widgets.engine.segments import FEWEST, grid, segmented

        size, array = masking.sizes[place], masking.pictures(place)
        if array.ndim == 2:
            return np.broadcast_to(np.arange(size[0], dtype=np.int32), (len(array), *size))
        if len(size) != 2 or not masking.raw:
            return np.broadcast_to(grid(size, wanted), (len(array), *size))
        labels, fell_back = segmented(array, wanted, segmentation, has_channels(array.shape))
        if fell_back:
            self.notes = (f"{segmentation} found fewer than {FEWEST} segments: a grid stands instead.",)
        return labels

    def split(self, joint: np.ndarray) -> list[np.ndarray]:
        """(n, players) of all arrays together -> (n, players) for each, zeros where a sample has fewer."""
        parts = []
        for width, start in zip(self._widths.T, self._starts.T, strict=True):
            places = np.arange(width.max())
            part = np.take_along_axis(joint, np.minimum(start[:, None] + places, joint.shape[1] - 1), axis=1)
            parts.append(part * (places < width[:, None]))
        return parts


_WANTED = 40


def check_segments(segments: Any, view: ModelView, inputs: Inputs, name: str) -> None:
    """Refuse labels of a wrong shape, of a field `segments` of a method called `name`; a layer's shape is told later.

    Raises:
        ValueError: They fit no input, or there are more or fewer of them than samples were handed over.
    """
    from xai_widgets.engine.masks import places

    if view.wrt is None and isinstance(segments, np.ndarray):
        site = view.enter([array[:1] for array in inputs.arrays], inputs.structure)
        _check_labels(segments, [places(array.shape) for array in site], inputs.total, name)


def are_of_each_sample(segments: Any, inputs: Inputs) -> bool:
    """Whether there are labels for each of the samples that were handed over, and not the same for all of them."""
    from xai_widgets.engine.masks import places

    shared = [places(array.shape) for array in inputs.arrays]
    return isinstance(segments, np.ndarray) and segments.shape not in shared and len(segments) == inputs.total


def _check_labels(segments: Any, sizes: Sequence[tuple[int, ...]], total: int, name: str) -> None:
    if not isinstance(segments, np.ndarray) or segments.shape in sizes:
        return
    if segments.shape[1:] not in sizes:
        shapes = " or ".join(map(str, sizes))
        raise ValueError(
            f"{name}.segments must be a number, or labels of shape {shapes}, or such labels for each sample, "
            f"got shape {segments.shape}"
        )
    if len(segments) != total:
        raise ValueError(
            f"{name}.segments must hold labels for each sample, of which there are {total}, got {len(segments)} of them"
        )


def _given(segments: Any, size: tuple[int, ...], inputs: Inputs) -> np.ndarray | None:
    """The labels (n, *size) that were given for some samples; None where none were, or for another array."""
    from xai_widgets.engine.segments import relabelled

    if not isinstance(segments, np.ndarray):
        return None
    if segments.shape == size:
        return np.broadcast_to(relabelled(segments), (len(inputs), *size))
    if segments.shape[1:] != size:
        return None
    return np.stack([relabelled(one) for one in segments[inputs.first : inputs.first + len(inputs)]])


@dataclass(frozen=True)
class Played:
    """What is known after some rounds.

    Attributes:
        values, error: (n, players) for each array; `error` is None where there are too few rounds to tell.
        games: A game for each number of players.
        intercept, explained, effective: (n,) as of a `Surrogate`.
        look: From masks (n, k, players) to what they tell; the same one for as long as the games go on.
        rounds: How many were played.
        passes, total: Passes of the model so far and in all, a sample.
        ends: What the mask of all players told, and that of none.
    """

    values: list[np.ndarray]
    error: list[np.ndarray] | None
    games: list[Game]
    intercept: np.ndarray
    explained: np.ndarray
    effective: np.ndarray
    look: Callable[[np.ndarray], Look]
    rounds: int
    passes: int
    total: int
    ends: Look


# Multiplications of a fit that cost less than a call of any model.
_CHEAP = 1e7


def play(
    masking: Masking, players: Players, make: Callable[[int, int], Any] | None, before: Played | None = None
) -> Iterator[Played]:
    """Play the rounds of all samples, and fit on the way: after each call, or of many samples on each tenth more.

    Args:
        masking: What is masked.
        players: Who plays.
        make: The game of some samples, from their number of players and how many samples they are; None with `before`.
        before: What was played so far: its games go on, and first their fit is told.
    """
    from xai_widgets.engine.masks import by_player

    members = [np.flatnonzero(players.counts == number) for number in np.unique(players.counts)]
    look: Callable[[np.ndarray], Look]
    if before is None:
        assert make is not None
        look = partial(_look, masking.scores(by_player, players.labels))
        games = [make(int(players.counts[rows[0]]), len(rows)) for rows in members]
    else:
        look, games = before.look, before.games
    match = _Match(players, members, games, look, masking.references)
    fitted, played = 0, before
    if before is not None:
        fitted, played = before.rounds, match.told(before.ends, before.rounds)
        yield played
    for call in masking.calls(match.rounds, match.a_round) or [slice(0, 0)]:
        if before is not None and call.stop <= before.rounds:
            continue
        ends = match.played(call, played)
        if match.cheap or played is None or call.stop == match.rounds or call.stop >= 1.1 * fitted:
            played, fitted = match.told(ends, call.stop), call.stop
        else:
            played = replace(played, rounds=call.stop, passes=call.stop * match.each)
        yield played


class _Match:
    """The games of all samples, played at the same time.

    Attributes:
        a_round, each: Masks and passes of the model a round.
        rounds: As many as the longest game has.
        cheap: Whether a fit costs less than a call of any model.
    """

    def __init__(
        self,
        players: Players,
        members: list[np.ndarray],
        games: list[Game],
        look: Callable[[np.ndarray], Look],
        references: int,
    ) -> None:
        from xai_widgets.engine.regression import GROUPS

        self._players, self._members, self._games, self._look = players, members, games, look
        self._count, self._most = len(players.counts), int(players.counts.max())
        self.a_round, self.rounds = games[0].masks_a_round, max(game.rounds for game in games)
        self.each = self.a_round * references
        self.cheap = self._count * self._most**2 * GROUPS < _CHEAP

    def played(self, call: slice, before: Played | None) -> Look:
        """Play some rounds, the first ones with both ends; what the ends told."""
        shares = [slice(min(call.start, game.rounds), min(call.stop, game.rounds)) for game in self._games]
        present = np.zeros((self._count, (call.stop - call.start) * self.a_round, self._most), bool)
        entries = zip(self._games, self._members, shares, strict=True)
        busy = [entry for entry in entries if entry[2].stop > entry[2].start]
        for game, rows, share in busy:
            masks = game.masks(share)
            present[rows, : len(masks), : masks.shape[1]] = masks
        if before is None:
            told = self._look(np.concatenate([_ends(present), present], axis=1))
            ends, found = told._replace(scores=told.scores[:, :2]), told.scores[:, 2:]
            for game, rows in zip(self._games, self._members, strict=True):
                game.begin(*ends.scores[rows].T)
        else:
            ends = before.ends
            found = self._look(present).scores if busy else np.zeros(present.shape[:2])
        for game, rows, share in busy:
            game.add(share, found[rows, : (share.stop - share.start) * self.a_round])
        return ends

    def told(self, ends: Look, rounds: int) -> Played:
        """What the games give after so many rounds."""
        fits, games = [game.fit() for game in self._games], self._games
        error = None
        if all(fit.error is not None for fit in fits):
            error = self._players.split(self._joint([fit.error for fit in fits]))
        return Played(
            values=self._players.split(self._joint([fit.values for fit in fits])),
            error=error,
            games=games,
            intercept=self._of_each([game.intercept for game in games]),
            explained=self._of_each([fit.explained for fit in fits]),
            effective=self._of_each([game.effective for game in games]),
            look=self._look,
            rounds=rounds,
            passes=rounds * self.each,
            total=self.rounds * self.each,
            ends=ends,
        )

    def _joint(self, parts: list[Any]) -> np.ndarray:
        """(n, players) of all samples, zeros where one has fewer."""
        joint = np.zeros((self._count, self._most))
        for part, rows in zip(parts, self._members, strict=True):
            joint[rows, : part.shape[1]] = part
        return joint

    def _of_each(self, parts: list[Any]) -> np.ndarray:
        """(n,) of all samples, from numbers or arrays of the games."""
        joint = np.zeros(self._count)
        for part, rows in zip(parts, self._members, strict=True):
            joint[rows] = part
        return joint


def _look(masked: Masked, present: np.ndarray) -> Look:
    return masked.look([np.asarray(present, bool)])


def _ends(present: np.ndarray) -> np.ndarray:
    """(n, 2, players) the mask of all players and that of none."""
    ends = np.zeros_like(present, shape=(len(present), 2, present.shape[2]))
    ends[:, 0] = 1
    return ends


def frame_of(
    played: Played,
    masking: Masking,
    players: Players,
    facts: tuple[str, ...] = (),
    notes: tuple[str, ...] = (),
    resume: Callable[[Method], Iterator[Frame]] | None = None,
    equations: Callable[[], Equations] | None = None,
) -> Frame:
    """The frame that some rounds make."""
    error = played.error
    change = None if error is None else relative(error, played.values)
    done = played.passes == played.total
    whole, absent = played.ends.scores.T
    return Frame(
        played.values,
        progress=played.passes / played.total if played.total else 1.0,
        segments=players.segments,
        passes=played.passes,
        total=played.total,
        error=error,
        change=change,
        drawn=played.passes // masking.references,
        baseline=masking.shown,
        baseline_score=absent,
        outputs=played.ends.outputs,
        score=whole,
        surrogate=Surrogate(played.intercept, played.explained, played.effective, played.look, resume, equations),
        facts=(*masking.facts, *facts),
        notes=(
            *players.notes,
            *notes,
            *(_too_few(played, players) if done else ()),
        ),
    )


def _too_few(played: Played, players: Players) -> tuple[str, ...]:
    most = int(players.counts.max())
    rounds = min(game.rounds for game in played.games)
    if played.error is not None or not rounds:
        return ()
    return (f"{rounds:,} equations for {most} players are too few to tell how far the values can be trusted.",)
