"""Plain sentences where the numbers themselves say that a map cannot be trusted as it stands."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import replace

import numpy as np

from xai_widgets.baselines import GaussianNoise, MaxDistance, UniformNoise
from xai_widgets.declare import parts
from xai_widgets.methods import Frame, Method, SmoothGrad
from xai_widgets.methods.base import magnitudes, resolution, unmoved

UNSETTLED = 0.1
INCOMPLETE = 0.1
ALIKE = 0.01
EARLY = 0.2
MOST_OF_IT = 0.6
OVERSHOT = 1.1
CLOSE = 0.05
SURE = 0.99
UNEVEN = 100
LISTED = 4


# From a mask (n,) of samples to what names them: "" where there is but one, " of sample 3", " of samples 0 and 2".
Of = Callable[[np.ndarray], str]


def of_samples(which: np.ndarray, first: int = 0, total: int = 1) -> str:
    """An `Of` with bounds: the mask begins at sample `first` of `total`."""
    places = [str(place) for place in first + np.flatnonzero(which)]
    if total == 1:
        return ""
    if len(places) == total:
        return " of every sample"
    if len(places) == 1:
        return f" of sample {places[0]}"
    rest = f"{len(places) - LISTED + 1} more" if len(places) > LISTED else places[-1]
    return f" of samples {', '.join(places[: min(len(places), LISTED) - 1])} and {rest}"


def steadied(method: Method, frame: Frame, score: np.ndarray) -> Frame:
    """The frame without maps of mere rounding: no mask moves the score by more, which no picture should show.

    Args:
        method, frame: What made it, and the frame.
        score: (n,) scores of its samples, in the precision of the model.
    """
    if method.differentiates or frame.baseline_score is None:
        return frame
    same = unmoved(frame.values, score, frame.baseline_score)
    if not same.any():
        return frame
    values = [np.where(same.reshape(-1, *[1] * (array.ndim - 1)), 0, array) for array in frame.values]
    return replace(frame, values=values, change=None if frame.change is None else np.where(same, 0, frame.change))


def doubts(
    method: Method,
    frame: Frame,
    inputs: Sequence[np.ndarray],
    score: np.ndarray,
    residual: np.ndarray,
    score_name: str,
    outputs: np.ndarray | None,
    of: Of,
    ids: Collection[int] = (),
) -> Iterator[str]:
    """What may mislead in a frame.

    Args:
        method: What made the frame.
        frame: The frame.
        inputs: Arrays (n, ...), the raw samples.
        score: (n,) scores of its samples.
        residual: (n,) what the values add up to, less the difference of the scores; NaN where that is not claimed.
        score_name: What the scores are: "logit", "probability", "output", ...
        outputs: (n, classes) all that the model gives for them, where the score is one of these; else None.
        of: Names samples.
        ids: The places of inputs that hold token ids.
    """
    sizes = magnitudes(frame.values)
    sure = (score > SURE) | (score < 1 - SURE) if score_name == "probability" else np.zeros(len(score), bool)
    if sure.any() and method.differentiates:
        many = f"{score[sure][0]:.2%}" if sure.sum() == 1 else f"within {1 - SURE:.0%} of its end"
        yield (
            f"The probability{of(sure)} is {many}: so near to its end its gradient all but vanishes, whatever matters. "
            "The logit has no such end."
        )
    if score_name == "output" and outputs is not None and _look_like_probabilities(outputs):
        yield (
            "The outputs look like probabilities, but what enters their softmax was not found: near 0 and 1 their "
            "gradient vanishes, whatever matters."
        )
    if frame.progress >= 1 and frame.change is not None and np.nanmax(frame.change, initial=0) > UNSETTLED:
        whatever = ", whatever the residual says" if method.claims() else ""
        ratio = float(np.nanmax(frame.change))
        cure = _samples_more(frame.drawn, ratio) if frame.drawn else f"{method.more} would steady it"
        yield f"The map may still change by some {ratio:.0%}: {cure}{whatever}."
        if frame.drawn and ratio >= 1:
            yield "The standard error is as large as the map: what it shows is mostly chance."
    if frame.progress >= 1 and frame.baseline_score is not None:
        short = _share(residual, _difference(score, frame.baseline_score))
        for lacks, which in ((True, short < -INCOMPLETE), (False, short > INCOMPLETE)):
            if which.any():
                most, missing = _at_most(np.abs(short[which])), method.missing or f"{method.more} would add it"
                yield (
                    f"The map{of(which)} misses {most} of {method.shared}: {missing}."
                    if lacks
                    else f"The map{of(which)} adds up to {most} more than {method.shared}."
                )
    if not np.isfinite(sizes).all():
        why = "a score is not, or overflows"
        if method.differentiates:
            why = "the gradient does not exist there (a square root at 0, say), or overflows"
        yield f"Some values are not finite: {why}."
    if frame.progress >= 1 and not method.makes_input:
        yield from _nothing(method, frame, inputs, sizes.max(axis=0) == 0, sure, of)
    if not frame.of_layer:
        yield from _nothing_of(method, np.flatnonzero(sizes.max(axis=1) == 0), len(sizes), ids)
    if frame.path is not None and frame.baseline_score is not None:
        yield from _uneven(frame.path, frame.baseline_score, score, of)


def _uneven(path: tuple[np.ndarray, np.ndarray], start: np.ndarray, end: np.ndarray, of: Of) -> Iterator[str]:
    """Where most of the way from one score to the other lies next to the baseline; arguments as of `early_share`."""
    way = _difference(end, start)
    early = early_share(*path, start, start + way)
    if not (early > MOST_OF_IT).any():
        return
    farthest = np.array([_share(row - start, way) for row in path[1].T]).max(axis=0)
    for which, meaning in (
        (farthest <= OVERSHOT, "saturates, so most of the map comes from there"),
        (farthest > OVERSHOT, "overshoots and comes back, so parts of the map take back what others give"),
    ):
        which &= early > MOST_OF_IT
        if which.any():
            yield (
                f"The score{of(which)} makes {_at_most(early[which])} of its way in the first fifth of the path, "
                f"next to the baseline: it {meaning}."
            )


def _nothing(
    method: Method, frame: Frame, inputs: Sequence[np.ndarray], zero: np.ndarray, sure: np.ndarray, of: Of
) -> Iterator[str]:
    """Which maps (n,) are `zero` all over, and why; of `sure` samples the score is a probability at its end."""
    if not method.zero or not zero.any():
        return
    same = np.zeros_like(zero)
    if frame.baseline is not None:
        for row in np.flatnonzero(zero):
            pairs = zip(frame.baseline, inputs, strict=True)
            same[row] = all(np.array_equal(before[row], after[row]) for before, after in pairs)
    ended = zero & ~same & sure & (not method.differentiates)
    for which, why in (
        (same, "the baseline equals the input"),
        (ended, f"{method.zero}, as the probability is at its end; the logit has no such end"),
        (zero & ~same & ~ended, method.zero),
    ):
        if which.any():
            yield f"The map{of(which)} is zero everywhere: {why}."


def _nothing_of(method: Method, zero: np.ndarray, count: int, ids: Collection[int]) -> Iterator[str]:
    """Why the maps of some of so many inputs, by their places, are zero; those in `ids` hold token ids."""
    if len(zero) == count:
        return
    tokens = [place for place in zero if place in ids and method.differentiates]
    others = ", ".join(str(place) for place in zero if place not in tokens)
    if tokens:
        yield (
            f"Input {', '.join(map(str, tokens))} holds token ids, which have no gradient, so what it adds is missing "
            "in the map: wrt= its embedding explains it; Occlusion, RISE, LIME and KernelSHAP mask ids too."
        )
    if others:
        yield f"The map of input {others} is zero: the score does not depend on it, or it equals its baseline."


def _samples_more(drawn: int, ratio: float) -> str:
    """What a steady map would take: a standard error falls with the root of their number (Covert and Lee, 2021)."""
    more = drawn * ((ratio / UNSETTLED) ** 2 - 1)
    digits = max(0, int(np.log10(max(more, 1))) - 1)
    return f"some {round(more, -digits):,.0f} samples more would steady it to {UNSETTLED:.0%}"


def _look_like_probabilities(outputs: np.ndarray) -> bool:
    many = outputs.ndim == 2 and outputs.shape[1] > 1
    return many and bool(np.all(outputs >= 0) and np.allclose(outputs.sum(axis=1), 1, atol=1e-3))


def likeness(frame: Frame, inputs: Sequence[np.ndarray], score: np.ndarray | None, of: Of) -> Iterator[str]:
    """A sentence where a baseline hardly differs from the input, so that there is little to attribute.

    Args:
        frame: Of a method that has a baseline.
        inputs: Arrays (n, ...) of the samples.
        score: (n,) their scores, where the map adds up to a difference that is small or large beside them; else None.
        of: Names samples.
    """
    for before, after in zip(frame.baseline or (), inputs, strict=bool(frame.baseline)):
        if after.ndim == 2:  # the columns of a table have scales of their own
            continue
        axes = tuple(range(1, after.ndim))
        apart = np.abs(after - before).mean(axis=axes)
        share = _share(apart, np.ptp(after, axis=axes))
        close = share[(apart > 0) & (share < ALIKE)]
        if len(close):
            yield f"The baseline looks like the input: they differ by {close.min():.1%} of its range, on average."
            return
    if score is None or frame.baseline_score is None or frame.progress < 1:
        return
    apart = np.abs(_difference(score, frame.baseline_score))
    near = (apart > 0) & (apart < CLOSE * np.maximum(np.abs(score), np.abs(frame.baseline_score)))
    if near.any():
        first = int(np.flatnonzero(near)[0])
        yield (
            f"The baseline{of(near)} scores {frame.baseline_score[first]:.4g} and the input {score[first]:.4g}"
            f"{' (the first of them)' if near.sum() > 1 else ''}: there is little to attribute."
        )


def drowned(method: Method, inputs: Sequence[np.ndarray]) -> Iterator[str]:
    """A sentence where one range is taken for all columns of a table, whose scales are far apart.

    Args:
        method: What may take it, for its noise or its baseline.
        inputs: Arrays (n, ...) of the samples; those that are no table are passed over.
    """
    kinds = SmoothGrad | GaussianNoise | UniformNoise | MaxDistance
    ranged = [one for one in parts(method) if isinstance(one, kinds)]
    if ranged and any(map(uneven, tables(inputs))):
        noisy = isinstance(ranged[0], SmoothGrad)
        instead = "" if noisy else ", or take rows of your data as the baseline: Samples(data)"
        yield (
            f"{ranged[0].label} takes one range for all columns of the table, and their scales are far apart: the "
            f"small ones drown in it. Scale the columns{instead}."
        )


def tables(inputs: Sequence[np.ndarray]) -> list[np.ndarray]:
    """Those of some arrays (n, ...) that are tables."""
    return [array for array in inputs if array.ndim == 2]


def uneven(table: np.ndarray) -> bool:
    """Whether the scales of a table's columns are so far apart that one range for all drowns some."""
    sizes = np.abs(table).mean(axis=0)
    sizes = sizes[sizes > 0]
    return len(sizes) > 1 and bool(sizes.max() > UNEVEN * sizes.min())


def early_share(alphas: np.ndarray, scores: np.ndarray, start: np.ndarray, end: np.ndarray) -> np.ndarray:
    """(n,) how much of the difference in score is gained in the first fifth of a path; NaN where there is none.

    A path whose score rises evenly gains a fifth of it there (saturation: Miglani et al., 2020).

    Args:
        alphas: (k,) places on the path, ascending.
        scores: (n, k) scores there.
        start, end: (n,) scores at its ends.
    """
    places = np.concatenate([[0], alphas, [1]])
    whole = np.column_stack([start, scores, end])
    reached = np.array([np.interp(EARLY, places, row) for row in whole])
    return _share(reached - start, end - start)


def _at_most(shares: np.ndarray) -> str:
    """Percentages in words."""
    least, most = f"{shares.min():.0%}", f"{shares.max():.0%}"
    return most if least == most else f"up to {most}"


def _difference(score: np.ndarray, baseline_score: np.ndarray) -> np.ndarray:
    """(n,) the difference of the scores, zero where that is mere rounding."""
    apart = score - baseline_score
    return np.where(np.abs(apart) <= resolution(score, baseline_score), 0, apart)


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """The quotient, NaN where the whole is zero."""
    part, whole = np.asarray(part, np.float64), np.asarray(whole, np.float64)
    return np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole != 0)
