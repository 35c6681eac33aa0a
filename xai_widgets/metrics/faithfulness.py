"""Numbers that tell whether an attribution says of the model what is true of it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from xai_widgets.attribution import Attribution, settled
from xai_widgets.doubts import tables, uneven
from xai_widgets.metrics.case import MOST_REFERENCES, Case
from xai_widgets.metrics.checks import positive, whole
from xai_widgets.metrics.parts import Parts
from xai_widgets.task import Task
from xai_widgets.trees import leaves

_CELLS = 8
_ROUNDING = 1e-6


def infidelity(
    model: Any,
    inputs: Any,
    attribution: Attribution,
    *,
    baseline: Any = None,
    samples: int = 128,
    scaled: bool | None = None,
    preprocess: Callable[[Any], Any] | None = None,
    target: Any = None,
    seed: int = 0,
) -> np.ndarray:
    """Mean squared difference of what the map predicts for a change of the input, and what the score does.

    Yeh et al., 2019: E[(I . attribution - (f(x) - f(x - I)))^2], 0 for a linear model and its gradient. Here I takes
    random parts of random number to the baseline: segments, features, or cells of a grid of at most 8 x 8. Where the
    method's values are slopes (`Saliency`, `SmoothGrad`), the prediction is the sum of slope times change; elsewhere
    they are contributions, which already stand for the whole change, and the prediction is their sum.

    Where the values are no amounts of the score that could be summed (those of CAM, of RISE, of the windows of
    Occlusion, which overlap; slopes of a layer or summed over an embedding), the best multiple of the map is taken, as
    the authors do. That can only lower the number: compare such a map with others at `scaled=True` for all.

    Args:
        model, inputs, attribution, baseline, preprocess, target, seed: As in `deletion`.
        samples: Draws of changes.
        scaled: Whether the best multiple of the map is taken; None for: where its values are no amounts of the score.

    Returns:
        (N,) in the unit of the score squared; the smaller the better.

    Raises:
        TypeError, ValueError: As in `deletion`.
    """
    case = Case(model, inputs, attribution, preprocess=preprocess, target=target, baseline=baseline)
    if scaled is not None and not isinstance(scaled, bool):
        raise TypeError(f"scaled must be True, False or None, got {scaled!r}")
    fractions = 1 - np.random.default_rng([whole("seed", seed, 0), 1]).random(whole("samples", samples, 2))
    predicted, drops = _removals(case, fractions, seed, _predictions)
    unitless = attribution.method.unitless or (attribution.method.slopes and not _sloped(case))
    if unitless if scaled is None else scaled:
        power = (predicted**2).mean(axis=1)
        factor = np.divide((predicted * drops).mean(axis=1), power, out=np.zeros(len(power)), where=power > 0)
        predicted = predicted * factor[:, None]
    return ((predicted - drops) ** 2).mean(axis=1)


def mu_fidelity(
    model: Any,
    inputs: Any,
    attribution: Attribution,
    *,
    baseline: Any = None,
    samples: int = 128,
    fraction: float = 0.2,
    preprocess: Callable[[Any], Any] | None = None,
    target: Any = None,
    seed: int = 0,
) -> np.ndarray:
    """Correlation of the attribution of random parts with the drop of the score when they are removed.

    Bhatt et al., 2020: Pearson's correlation over subsets of equal size, here of segments, features, or cells of a grid
    of at most 8 x 8, which are replaced by the baseline.

    Args:
        model, inputs, attribution, baseline, preprocess, target, seed: As in `deletion`.
        samples: Draws of subsets.
        fraction: Size of a subset, as a fraction of the parts.

    Returns:
        (N,) from -1 to 1, the larger the better; NaN where the map or the score does not vary.

    Raises:
        TypeError, ValueError: As in `deletion`.
    """
    case = Case(model, inputs, attribution, preprocess=preprocess, target=target, baseline=baseline)
    fractions = np.full(whole("samples", samples, 3), positive("fraction", fraction, most=1))
    whole("seed", seed, 0)
    sums, drops = _removals(case, fractions, seed, lambda case, parts: [parts.values])
    return _correlation(sums, drops)


def completeness(
    model: Any,
    inputs: Any,
    attribution: Attribution,
    *,
    baseline: Any = None,
    preprocess: Callable[[Any], Any] | None = None,
    target: Any = None,
) -> np.ndarray:
    """Sum of the values minus the difference of the scores of input and baseline (Sundararajan et al., 2017).

    Args:
        model, inputs, attribution, preprocess, target: As in `deletion`.
        baseline: Where the difference is taken from; None for the baseline of the method. Where that is random, has
            more than eight samples, is that of a layer's output, or is none at all but a score (that of LRP is 0), the
            attribution's own `baseline_score` is taken.

    Returns:
        (N,) in the unit of the score; 0 where the values add up. NaN, as in `Attribution.residual`, where the method
        claims no such sum (`Saliency`, `Occlusion`, ...).

    Raises:
        TypeError, ValueError: As in `deletion`.
    """
    case = Case(model, inputs, attribution, preprocess=preprocess, target=target, baseline=baseline)
    if not attribution.method.claims():
        return np.full(len(attribution), np.nan)
    own = getattr(attribution.method, "baseline", None)
    known = own is not None and own.count is not None and own.count <= MOST_REFERENCES and attribution.wrt is None
    if baseline is None and not known:
        start = attribution.baseline_score
    else:
        start = np.concatenate([part.baseline_scores() for _, part in case.groups()])
    total = sum(
        np.asarray(array, np.float64).reshape(len(array), -1).sum(axis=1) for array in leaves(attribution.values)
    )
    return total - (case.scores - start)


def sensitivity(
    model: Any,
    inputs: Any,
    attribution: Attribution,
    *,
    radius: float = 0.02,
    samples: int = 10,
    preprocess: Callable[[Any], Any] | None = None,
    target: Any = None,
    seed: int = 0,
) -> np.ndarray:
    """Largest relative change of the map under small changes of the input (max-sensitivity, Yeh et al., 2019).

    The attribution's method explains the same class of x + d anew, d uniform within +-`radius` times the range of x:
    of each sample; in a table of several samples, of each column, as columns have scales of their own. A single row
    tells no range of its columns: where their scales are far apart, a warning says so.

    Args:
        model, inputs, attribution, preprocess, target, seed: As in `deletion`.
        radius: Largest change of a value, as a fraction of the range of its input.
        samples: Changes that are tried.

    Returns:
        (N,) largest ||map(x + d) - map(x)|| / ||map(x)|| in L2; infinite where a map of zeros changes.

    Raises:
        TypeError: An argument is of a wrong type.
        ValueError: The attribution does not belong to the model and inputs, or the inputs are token ids.
    """
    case = Case(model, inputs, attribution, preprocess=preprocess, target=target)
    positive("radius", radius)
    whole("samples", samples, 1)
    whole("seed", seed, 0)
    if len(attribution) == 1 and any(map(uneven, tables(case.subject.inputs.arrays))):
        warnings.warn(
            "sensitivity takes one range for all columns of the row, and their scales are far apart: the small ones "
            "drown in it. Scale the columns, or explain several rows, which tell the range of each.",
            stacklevel=2,
        )
    *_, largest = sensitivities(case, radius, samples, seed)
    return largest


def sensitivities(case: Case, radius: float, samples: int, seed: int) -> Iterator[np.ndarray]:
    """The largest change so far, (n,), after each draw."""
    if case.of_ids:
        raise ValueError("the inputs are token ids: no token is a small change of another")
    subject, attribution = case.subject, case.attribution
    before = _flat(attribution)
    size = np.linalg.norm(before, axis=1)
    largest = np.zeros(len(before))
    for draw in range(samples):
        moved = subject.moved(_shifted(subject.inputs.arrays, radius, np.random.default_rng([seed, draw])))
        after = settled(Task(moved, attribution.method, target=case.score))
        apart = np.linalg.norm(_flat(after) - before, axis=1)
        largest = np.maximum(largest, np.divide(apart, size, out=np.where(apart > 0, np.inf, 0.0), where=size > 0))
        yield largest


def _shifted(arrays: tuple[np.ndarray, ...], radius: float, random: np.random.Generator) -> list[np.ndarray]:
    shifted = []
    for array in arrays:
        columns = array.ndim == 2 and len(array) > 1
        span = np.ptp(array, axis=0 if columns else tuple(range(1, array.ndim)), keepdims=True)
        shifted.append((array + radius * span * random.uniform(-1, 1, array.shape[1:])).astype(array.dtype))
    return shifted


def _flat(attribution: Attribution) -> np.ndarray:
    """The values (n, all), painted where they are one a segment: the segments of another input are others."""
    arrays = leaves(attribution.values if attribution.segments is None else attribution.heatmap())
    return np.concatenate([np.asarray(one, np.float64).reshape(len(one), -1) for one in arrays], axis=1)


def _removals(
    case: Case, fractions: np.ndarray, seed: int, worth: Callable[[Case, Parts], list[np.ndarray]]
) -> tuple[np.ndarray, np.ndarray]:
    """What the map says of random subsets of parts, and the drop of the score without them: (N, k) each.

    Args:
        case: What is judged.
        fractions: (k,) how much of the parts goes in each draw.
        seed: Of the draws.
        worth: What each part is worth, (n, parts), an array for each of the references.
    """
    parts = case.parts(_CELLS)
    keys = np.random.default_rng([seed, 0]).random((len(fractions), parts.values.shape[1]))
    found = []
    for rows, group in case.groups():
        some = parts.rows(rows)
        found.append(_removed(group, some, _subsets(keys, fractions, some), worth(group, some)))
    sums, drops = (np.concatenate(column) for column in zip(*found, strict=True))
    return sums, drops


def _removed(case: Case, parts: Parts, gone: np.ndarray, worths: list[np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    """The same for a group of samples, of subsets (n, k, parts)."""
    drops = np.empty(gone.shape[:2])
    for draws, scores in case.scores_without(parts, gone.shape[1], lambda draws: gone[:, draws]):
        drops[:, draws] = case.scores[:, None] - scores
    each = [np.nan_to_num(worths[draw % len(worths)]) for draw in range(gone.shape[1])]
    return np.einsum("nkp,nkp->nk", np.stack(each, axis=1), gone), drops


def _subsets(keys: np.ndarray, fractions: np.ndarray, parts: Parts) -> np.ndarray:
    """(n, k, parts) bool: in each draw the parts with the smallest keys, at least one."""
    present = np.isfinite(parts.values)
    ranks = np.argsort(np.argsort(np.where(present[:, None], keys, np.inf), axis=2), axis=2)
    counts = np.maximum(1, np.rint(fractions * parts.sizes[:, None])).astype(int)
    return ranks < counts[:, :, None]


def _predictions(case: Case, parts: Parts) -> list[np.ndarray]:
    """What the map predicts for the removal of each part, for each of the references."""
    attribution = case.attribution
    if not _sloped(case):
        return [parts.values]
    values = leaves(attribution.values)
    found = []
    for reference in case.references:
        worth = []
        for slope, array, away, labels in zip(values, case.site, reference, parts.labels, strict=True):
            product = np.asarray(slope[case.rows], np.float64) * (array - away)
            worth.append(product.reshape(*labels.shape, -1).sum(axis=-1))
        found.append(parts.with_values(worth).values)
    return found


def _sloped(case: Case) -> bool:
    """Whether the values are a slope for each number that is changed."""
    attribution, embedding = case.attribution, case.embedding
    changed = None if embedding is None else embedding.wrt
    once = len(leaves(attribution.values)) == len(case.subject.inputs.arrays)
    return attribution.method.slopes and attribution.wrt == changed and once


def _correlation(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """(n,) Pearson's correlation of rows (n, k); NaN where one does not vary by more than rounding."""
    one, other = (array - array.mean(axis=1, keepdims=True) for array in (first, second))
    sizes = [np.linalg.norm(array, axis=1) for array in (one, other, first, second)]
    varies = (sizes[0] > _ROUNDING * sizes[2]) & (sizes[1] > _ROUNDING * sizes[3])
    return np.divide((one * other).sum(axis=1), sizes[0] * sizes[1], out=np.full(len(one), np.nan), where=varies)
