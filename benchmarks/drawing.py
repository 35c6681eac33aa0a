"""Lines of a benchmark as one picture."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure
from matplotlib.ticker import ScalarFormatter

COLUMNS = 3


def draw(panels: Mapping[str, Mapping[str, Sequence[tuple[float, float]]]], path: Path) -> None:
    """A panel for each title with a line for each label, of (evaluations, correlation with the converged map)."""
    rows = -(-len(panels) // COLUMNS)
    figure = Figure(figsize=(4 * COLUMNS, 3 * rows), layout="constrained")
    for axis, (title, lines) in zip(figure.subplots(rows, COLUMNS, squeeze=False).flat, panels.items(), strict=False):
        for label, points in lines.items():
            axis.plot(*zip(*points, strict=True), marker="o", markersize=3, label=label)
        axis.set(title=title, xlabel="model evaluations", ylabel="correlation")
        axis.set_xscale("log", base=2)
        axis.xaxis.set_major_formatter(ScalarFormatter())
        axis.legend()
    figure.savefig(path)
