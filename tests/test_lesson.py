"""The lesson's notebook, executed as a reader does, with a photograph and without: that it shows what it says."""

import os
import re
import shutil
from pathlib import Path

import pytest
from nbformat import NotebookNode

from xai_widgets import pages

ROOT = Path(__file__).parents[1]
DATA = ROOT.parent / "shared" / "data"
NOTEBOOK = "02_which_map_to_believe.ipynb"

pytestmark = pytest.mark.slow


def executed(folder: Path, monkeypatch: pytest.MonkeyPatch) -> NotebookNode:
    """In a checkout of its own, where no network's weights are to be had."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")  # nothing listens there
    monkeypatch.setenv("KERAS_HOME", str(folder / "keras"))
    path = folder / "checkout" / "notebooks" / NOTEBOOK
    path.parent.mkdir(parents=True)
    shutil.copy(ROOT / "notebooks" / NOTEBOOK, path)
    return pages.execute(path)


def printed(notebook: NotebookNode) -> str:
    outputs = [output for cell in notebook.cells if cell.cell_type == "code" for output in cell.outputs]
    assert not [output for output in outputs if output.output_type == "stream" and output.name == "stderr"]
    return "".join(output.text for output in outputs if output.output_type == "stream")


def figures(text: str, line: str) -> list[float]:
    """The numbers in the first line that begins so."""
    found = next(one for one in text.splitlines() if one.startswith(line))
    return [float(number) for number in re.findall(r"-?\d+\.\d+", found)]


def views(notebook: NotebookNode) -> list[dict]:
    states = [model["state"] for model in notebook.metadata.widgets[pages.STATE].state.values()]
    return [state for state in states if "phase" in state]


def check(notebook: NotebookNode, layers: int) -> str:
    """What holds of every picture; returns all that was printed."""
    shown = views(notebook)
    assert len(shown) == 8
    assert all(view["phase"] == "settled" and not view["error"] for view in shown)
    (strip,) = [view["_strip"] for view in shown if view.get("_strip")]
    assert len(strip["stages"]) == 1 + layers
    text = printed(notebook)
    guided, saliency, integrated = (
        figures(text, name) for name in ("GuidedBackprop", "Saliency", "IntegratedGradients")
    )
    assert [one["similarity"] for one in strip["stages"]][1] == pytest.approx(guided[0], abs=0.011)
    assert max(*saliency[:3], *integrated[:3]) < 0.3
    assert min(guided[:2]) > 0.6
    assert guided[3] > saliency[3] + 0.4  # another class changes it least
    assert figures(text, "Edges") == [1, 1, 1, 1]
    assert figures(text, "sum of the Shapley") == figures(text, "score less")
    assert figures(text, "sum of what single") != figures(text, "score less")
    network, twin = figures(text, "the network"), figures(text, "its twin")
    assert abs(network[0] - twin[0]) < 1  # % right
    assert network[1] < network[3]
    assert twin[1] > 1 > 0.1 > abs(twin[3])
    kept = [figures(text, name)[-1] / figures(text, name)[0] for name in ("deep_taylor", "epsilon_plus   ")]
    assert kept == pytest.approx([1, 1.16], abs=0.01)
    assert figures(text, "epsilon_plus  epsilon(10)")[3] < 4
    return text


def test_it_teaches_on_the_digits_where_there_is_nothing_else(tmp_path, monkeypatch):
    text = check(executed(tmp_path, monkeypatch), layers=3)
    assert "It is called 3; 5 comes next." in text


@pytest.mark.skipif(bool(os.environ.get("CI")), reason="takes minutes beside other tests; the digits teach the same")
@pytest.mark.skipif(not DATA.exists(), reason="needs ../shared/data: an ImageNet network and photographs")
def test_it_takes_the_photograph_where_there_is_one(tmp_path, monkeypatch):
    (tmp_path / "shared").symlink_to(DATA.parent)
    text = check(executed(tmp_path, monkeypatch), layers=31)
    assert "It is called bull mastiff; tiger cat comes next." in text
