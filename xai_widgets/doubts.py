"""Plain sentences where the numbers themselves say that a map cannot be trusted as it stands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from xai_widgets.baselines import GaussianNoise, MaxDistance, UniformNoise
from xai_widgets.declare import parts
from xai_widgets.methods import Frame, Method, SmoothGrad

UNSETTLED = 0.1
INCOMPLETE = 0.1
ALIKE = 0.01
EARLY = 0.2
MOST_OF_IT = 0.6
SURE = 0.99
UNEVEN = 100


def doubts(
    method: Method, frame: Frame, score: np.ndarray, residual: np.ndarray, score_name: str, outputs: np.ndarray | None
) -> Iterator[str]:
    """What may mislead in a frame.

    Args:
        method: What made the frame.
        frame: The frame.
        score: (n,) scores of its samples.
        residual: (n,) what the values add up to, less the difference of the scores; NaN where that is not claimed.
        score_name: What the scores are: "logit", "probability", "output", ...
        outputs: (n, classes) all that the model gives for them, where the score is one of these; else None.
    """
    values = frame.values
    sure = score[(score > SURE) | (score < 1 - SURE)]
    if score_name == "probability" and len(sure) and method.differentiates:
        yield (
            f"The probability is {sure[0]:.2%}: so near to its end its gradient all but vanishes, whatever matters. "
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
        cure = _samples_more(frame.drawn, ratio) if frame.drawn else "more steps or samples would steady it"
        yield f"The map may still change by some {ratio:.0%}: {cure}{whatever}."
        if frame.drawn and ratio >= 1:
            yield "The standard error is as large as the map: what it shows is mostly chance."
    if frame.progress >= 1 and frame.baseline_score is not None:
        short = _share(residual, score - frame.baseline_score)
        if np.nanmax(np.abs(short), initial=0) > INCOMPLETE:
            worst = int(np.nanargmax(np.abs(short)))
            of = f" of sample {worst}" if len(short) > 1 else ""
            yield (
                f"The map{of} misses {-short[worst]:.0%} of {method.shared}: {method.missing}."
                if short[worst] < 0
                else f"The map{of} adds up to {short[worst]:.0%} more than {method.shared}."
            )
    if not all(np.isfinite(array).all() for array in values):
        why = "a score is not, or overflows"
        if method.differentiates:
            why = "the gradient does not exist there (a square root at 0, say), or overflows"
        yield f"Some values are not finite: {why}."
    zero = [place for place, array in enumerate(values) if not np.any(array)]
    if 0 < len(zero) < len(values) and not frame.of_layer:
        listed = ", ".join(map(str, zero))
        yield f"The map of input {listed} is zero: the score does not depend on it, or it equals its baseline."
    if frame.path is not None and frame.baseline_score is not None:
        early = early_share(*frame.path, frame.baseline_score, score)
        if np.nanmax(early, initial=0) > MOST_OF_IT:
            yield (
                f"{np.nanmax(early):.0%} of the difference is gained in the first fifth of the path. The score "
                "saturates, so most of the map comes from inputs that look more like the baseline than like the input."
            )


def _samples_more(drawn: int, ratio: float) -> str:
    """What a steady map would take: a standard error falls with the root of their number (Covert and Lee, 2021)."""
    more = drawn * ((ratio / UNSETTLED) ** 2 - 1)
    digits = max(0, int(np.log10(max(more, 1))) - 1)
    return f"some {round(more, -digits):,.0f} samples more would steady it to {UNSETTLED:.0%}"


def _look_like_probabilities(outputs: np.ndarray) -> bool:
    many = outputs.ndim == 2 and outputs.shape[1] > 1
    return many and bool(np.all(outputs >= 0) and np.allclose(outputs.sum(axis=1), 1, atol=1e-3))


def likeness(baseline: Sequence[np.ndarray], inputs: Sequence[np.ndarray]) -> Iterator[str]:
    """A sentence where a baseline hardly differs from the input, so that there is little to attribute.

    Args:
        baseline, inputs: Arrays (n, ...) of the same shapes.
    """
    for before, after in zip(baseline, inputs, strict=True):
        if after.ndim == 2:  # the columns of a table have scales of their own
            continue
        axes = tuple(range(1, after.ndim))
        apart = np.abs(after - before).mean(axis=axes)
        share = _share(apart, np.ptp(after, axis=axes))
        close = share[(apart > 0) & (share < ALIKE)]
        if len(close):
            yield f"The baseline looks like the input: they differ by {close.min():.1%} of its range, on average."
            return


def drowned(method: Method, inputs: Sequence[np.ndarray]) -> Iterator[str]:
    """A sentence where one range is taken for all columns of a table, whose scales are far apart.

    Args:
        method: What may take it, for its noise or its baseline.
        inputs: Arrays (n, ...) of the samples; those that are no table are passed over.
    """
    kinds = SmoothGrad | GaussianNoise | UniformNoise | MaxDistance
    ranged = [one.label for one in parts(method) if isinstance(one, kinds)]
    if ranged and any(map(uneven, tables(inputs))):
        yield (
            f"{ranged[0]} takes one range for all columns of the table, and their scales are far apart: the small "
            "ones drown in it. Scale the columns, or take rows of your data as the baseline: Samples(data)."
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


def _share(part: np.ndarray, whole: np.ndarray) -> np.ndarray:
    """The quotient, NaN where the whole is zero."""
    part, whole = np.asarray(part, np.float64), np.asarray(whole, np.float64)
    return np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole != 0)
