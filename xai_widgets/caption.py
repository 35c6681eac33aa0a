"""One plain sentence that says what a map shows, and no more than was computed."""

from __future__ import annotations

import numpy as np

from xai_widgets.attribution import Attribution
from xai_widgets.bars import bars
from xai_widgets.trees import input_names

# They turn all that follows, and a name that opens them need not close them.
_TURNING_MARKS = dict.fromkeys([*range(0x202A, 0x202F), *range(0x2066, 0x206A)])


def inline(name: str) -> str:
    """A name as part of a line: without line breaks, and without marks that would turn the rest of the line round."""
    return " ".join(name.translate(_TURNING_MARKS).split())


def number(value: float, digits: int = 3) -> str:
    """A number as a person writes it: three significant digits, a real minus sign."""
    if value == 0:
        return "0"
    text = f"{value:.{digits}g}"
    if "e" in text:
        mantissa, exponent = text.split("e")
        text = f"{mantissa}e{int(exponent)}"
    return text.replace("-", "\u2212")


def sentence(attribution: Attribution, features: tuple[str, ...] = (), sample: int = 0) -> str:
    """What the map of one sample shows."""
    target = f"\u201c{inline(attribution.targets[sample])}\u201d"
    if attribution.method.makes_input:
        reached = number(attribution.score[sample])
        return f"An input that was made to raise {target}: the {attribution.score_name} is {reached}."
    maps = attribution.heatmap()
    heats = [np.asarray(heat[sample], np.float64) for heat in (maps if isinstance(maps, list) else [maps])]
    if not any(heat.any() for heat in heats):
        return f"The map for {target} is zero everywhere."
    if not all(np.isfinite(heat).all() for heat in heats):
        return f"The map for {target} has values that are not finite: it shows nothing that can be trusted."
    where = _where(attribution, heats[0], features, sample) if len(heats) == 1 else _which(attribution, heats)
    if np.isfinite(attribution.residual[sample]):
        difference = attribution.score[sample] - attribution.baseline_score[sample]
        total = difference + attribution.residual[sample]
        if attribution.method.shared == "the score":
            claim = f"shares out {number(total)} of the score of {target}, {number(difference)}"
        elif difference > 0:
            of = "of" if total <= difference else "for"
            claim = (
                f"adds up to {number(total)} {of} the {number(difference)} by which {target} scores above the baseline"
            )
        else:
            claim = f"adds up to {number(total)}, and {target} scores {number(-difference)} below the baseline"
        return f"The map {claim}; {where}"
    return f"{attribution.method.reading.format(target=target)}; {where}"


def _where(attribution: Attribution, heat: np.ndarray, features: tuple[str, ...], sample: int) -> str:
    if heat.ndim == 2:
        return _halves(heat)
    if heat.ndim == 1:
        most = max(bars(attribution, heat, 0, sample, features), key=lambda bar: abs(bar.value))
        return f"{inline(most.name)} {'counts' if most.width == 1 else 'count'} most, with {number(most.value)}."
    return f"its largest value is {number(heat.flat[np.abs(heat).argmax()])}."


def _which(attribution: Attribution, heats: list[np.ndarray]) -> str:
    """Of several inputs, or calls of a layer, the one with the most weight."""
    weights = [np.abs(heat).sum() for heat in heats]
    most = int(np.argmax(weights))
    name = map_names(attribution, len(heats))[most]
    return f"{100 * weights[most] / sum(weights):.0f}\u00a0% of its weight lies in {name}."


def map_names(attribution: Attribution, count: int) -> list[str]:
    """Names of the maps: those of the inputs, or the calls of the layer."""
    names = input_names(attribution.inputs)
    return names if len(names) == count else [f"call {place} of the layer" for place in range(count)]


def _halves(heat: np.ndarray) -> str:
    positive = np.maximum(heat, 0)
    part, of = (positive, "positive part") if positive.any() else (np.abs(heat), "weight")
    rows, columns = heat.shape
    shares = {
        "upper half": part[: rows // 2].sum(),
        "lower half": part[rows - rows // 2 :].sum(),
        "left half": part[:, : columns // 2].sum(),
        "right half": part[:, columns - columns // 2 :].sum(),
    }
    place, share = max(shares.items(), key=lambda item: item[1])
    return f"{100 * share / part.sum():.0f}\u00a0% of its {of} lies in the {place}."
