"""Show the same widgets in every notebook host, each a real server and a real kernel."""

import contextlib
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path

import ipywidgets
from browser import lab as jupyter
from browser.lab import Lab, free_port, running, write_notebook
from playwright.sync_api import Page

from xai_widgets.pages import widget_page

HOSTS = ("JupyterLab", "Notebook 7", "Voila", "marimo", "exported page")
# What a host asks the network for by itself, without any widget; it is not fetched, and no widget misses it.
OWN_ADDRESSES = {"Voila": "https://cdn.jsdelivr.net/npm/@fortawesome/fontawesome-free@"}
MARIMO = """import marimo

app = marimo.App(width="full")

with app.setup:
    import marimo as mo
{setup}
"""
MARIMO_CELL = """

@app.cell
def _():
    mo.ui.anywidget({expression})
    return
"""


@contextlib.contextmanager
def opened(host: str, page: Page, lab: Lab, folder: Path, setup: str, expressions: Sequence[str]) -> Iterator[None]:
    """Show a widget for each expression, after a set-up, in a host that runs until this is left; JupyterLab stays."""
    root, home = folder / "root", folder / "home"
    root.mkdir()
    home.mkdir()
    url = f"http://127.0.0.1:{(port := free_port())}"
    match host:
        case "JupyterLab":
            jupyter.open_notebook(page, lab, [setup, *expressions])
            yield
            lab.shut_down_kernels()
        case "Notebook 7":
            with jupyter.serve(root, home, "notebook") as server:
                jupyter.open_notebook(page, server, [setup, *expressions])
                yield
        case "Voila":
            write_notebook(root / "notebook.ipynb", [setup, *expressions])
            command = ["-m", "voila", "notebook.ipynb", "--no-browser", f"--port={port}", "--Voila.ip=127.0.0.1"]
            with running(command, home, f"{url}/voila/static", root):
                page.goto(url, timeout=120_000)
                yield
        case "marimo":
            cells = [MARIMO_CELL.format(expression=one) for one in expressions]
            app = MARIMO.format(setup=textwrap.indent(setup, "    ")) + "".join(cells)
            (root / "app.py").write_text(app, encoding="utf-8")
            (root / "pyproject.toml").write_text('[tool.marimo.display]\ntheme = "system"\n')
            command = [
                "-m",
                "marimo",
                "run",
                "app.py",
                "--headless",
                "--no-token",
                "--host=127.0.0.1",
                f"--port={port}",
            ]
            with running(command, home, f"{url}/health", root):
                page.goto(url)
                yield
        case "exported page":
            (root / "page.html").write_text(exported(setup, expressions), encoding="utf-8")
            page.goto((root / "page.html").as_uri())
            yield
        case _:
            raise ValueError(f"no host is called {host!r}")


def exported(setup: str, expressions: Sequence[str]) -> str:
    """One offline page of several widgets, made in this process."""
    names: dict[str, object] = {}
    exec(setup, names)
    widgets = [eval(expression, names) for expression in expressions]
    for widget in widgets:
        widget.settle(120)
    parts = [view for widget in widgets for view in getattr(widget, "views", {}).values()]
    page = widget_page(ipywidgets.VBox(widgets), parts=parts)
    for widget in widgets:
        widget.close()
    return page
