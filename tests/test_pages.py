"""Offline pages, as text; how they look and answer in a browser is in browser/test_offline_page.py."""

import re
from pathlib import Path

import nbformat
import pytest
from browser.tiny import Tiny

from xai_widgets import pages


def write_notebook(path: Path, *sources: str) -> Path:
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in sources]), path)
    return path


def test_nothing_in_a_notebook_page_is_loaded_from_elsewhere(tmp_path: Path):
    page = pages.notebook_page(write_notebook(tmp_path / "empty.ipynb", "1 + 1"))
    assert "<title>empty</title>" in page
    assert not re.findall(r"<(?:script|link|img)[^>]*(?:src|href)=", page)
    assert "require" not in re.sub(r"<style.*?</style>|<script id=.*?</script>", "", page, flags=re.S)


def test_state_cannot_end_the_script_that_holds_it():
    page = pages.widget_page(Tiny(text="</script><!--<script>"))
    assert page.count("</script>") == 3  # the view, the models, the host
    assert "<!--" not in page


def test_what_json_does_not_know_becomes_null():
    assert pages._json({"a": [float("nan"), float("inf"), 1.5]}) == '{"a": [null, null, 1.5]}'


def test_a_notebook_that_raises_ends_the_command_with_its_error(tmp_path: Path):
    notebook = write_notebook(tmp_path / "bad.ipynb", "1 / 0")
    with pytest.raises(SystemExit, match="ZeroDivisionError"):
        pages.main([str(notebook), str(tmp_path / "page.html")])
    assert not (tmp_path / "page.html").exists()


def test_a_widget_that_still_computes_is_waited_for(tmp_path: Path):
    notebook = write_notebook(
        tmp_path / "late.ipynb",
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\nfrom browser.tiny import Tiny",
        "class Late(Tiny):\n    def result(self, timeout=None):\n        self.text = 'settled'",
        "Late()",
    )
    executed = pages.execute(notebook)
    assert "settled" in [model["state"].get("text") for model in executed.metadata.widgets[pages.STATE].state.values()]
    assert len(executed.cells) == 3


def test_tensorflows_start_up_log_is_left_out_and_warnings_are_not(tmp_path: Path):
    log = "WARNING: All log messages before absl::InitializeLog()\\nI0000 00:00:1795.12   28 port.cc:153] oneDNN\\n"
    written = "import sys; sys.stderr.write('{}'); sys.stderr.flush()"
    notebook = write_notebook(tmp_path / "log.ipynb", written.format(log), written.format(log + "a warning"))
    quiet, warned = pages.execute(notebook).cells
    assert quiet.outputs == []
    assert "a warning" in warned.outputs[0].text


def test_the_command_runs_in_the_notebooks_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    notebook = write_notebook(tmp_path / "good.ipynb", "import os; print(os.getcwd())")
    pages.main([str(notebook), str(tmp_path / "deep" / "page.html")])
    assert str(tmp_path) in (tmp_path / "deep" / "page.html").read_text(encoding="utf-8")
    assert "page.html (" in capsys.readouterr().out
