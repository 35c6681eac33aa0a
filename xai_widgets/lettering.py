"""Lines of text for matplotlib, as wide as they are allowed to be."""

from __future__ import annotations

import warnings

from matplotlib.font_manager import FontProperties
from matplotlib.textpath import text_to_path

from xai_widgets.caption import inline

_LINE = 1.25  # of a line's height to its letters' size
_HINTED = 1.08  # letters that are fitted to pixels take up to so much more than their outlines


def label(name: str, most: int = 40) -> str:
    """A name on one line that leaves room for the picture."""
    return plain(shortened(inline(name), most))


def shortened(text: str, most: int = 60) -> str:
    """Text of at most so many letters."""
    return text if len(text) <= most else f"{text[: most - 1]}\u2026"


def plain(text: str) -> str:
    """Text as matplotlib is to show it: no dollar starts mathematics."""
    return text.replace("$", r"\$")


def height(lines: int, points: float) -> float:
    """Inches that some lines take."""
    return lines * points * _LINE / 72


def wrapped(text: str, inches: float, points: float) -> list[str]:
    """Text in lines that are no wider than they may; a word that is wider is broken."""
    widths = _widths(set(text) | {" "}, points)
    lines: list[str] = []
    taken = 0.0
    for word in text.split(" "):
        wide = sum(widths[letter] for letter in word)
        if lines and taken + widths[" "] + wide <= inches:
            lines[-1] += f" {word}"
            taken += widths[" "] + wide
            continue
        lines.append("")
        taken = 0.0
        for letter in word:
            if lines[-1] and taken + widths[letter] > inches:
                lines.append("")
                taken = 0.0
            lines[-1] += letter
            taken += widths[letter]
    return lines


def _widths(letters: set[str], points: float) -> dict[str, float]:
    """Inches that each letter takes: kerning between them is neglected."""
    font = FontProperties(size=points)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"Glyph .* missing from font")  # drawing says so
        return {
            letter: text_to_path.get_text_width_height_descent(letter, font, ismath=False)[0] * _HINTED / 72
            for letter in letters
        }
