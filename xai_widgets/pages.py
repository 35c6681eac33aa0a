"""Offline HTML: one file that shows a widget, or an executed notebook, with no network and no kernel.

A widget's whole view follows from its saved traits, so a page needs only these traits and something that hands them to
the widget's own JavaScript. That is pages_host.js: a hundred lines in place of require.js and Jupyter's html-manager.

    python -m xai_widgets.pages notebook.ipynb page.html     executes the notebook, then writes the page
"""

from __future__ import annotations

import argparse
import contextlib
import html
import json
import os
import re
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from ipywidgets import Widget
    from nbformat import NotebookNode

HOST = Path(__file__).with_name("pages_host.js")
STATE = "application/vnd.jupyter.widget-state+json"
VIEW = "application/vnd.jupyter.widget-view+json"

# What TensorFlow's C++ side says of processors and graphics cards when it starts; its log level does not silence it.
NATIVE_LOG = re.compile(
    r"^(WARNING: All log messages before absl|[IWE]\d{4} [\d:.]+ |To enable the following instructions).*\n?", re.M
)

# The browser itself is told to fetch nothing, whatever a cell's output or a Markdown picture refers to.
POLICY = """<meta http-equiv="Content-Security-Policy" content="default-src 'none'; script-src 'unsafe-inline' blob:; \
style-src 'unsafe-inline'; img-src data: blob:; font-src data:; media-src data: blob:">"""

WIDGET_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
{policy}
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{title}</title>
</head>
<body>
<main>
<script type="{view_type}">{view}</script>
</main>
{host}
</body>
</html>
"""

# nbconvert's own page, less everything that it loads from elsewhere.
NOTEBOOK_PAGE = """
{%- extends 'lab/index.html.j2' -%}
{% block html_head_js %}{{ resources.content_security_policy }}{% endblock %}
{% block jupyter_widgets %}{% endblock %}
{% block html_head_js_mathjax %}{% endblock %}
{% block html_head_js_mermaidjs %}{% endblock %}
{% block body_footer %}</main>{{ resources.widget_host }}</body>{% endblock %}
{% block footer %}</html>{% endblock %}
"""


def widget_page(widget: Widget, title: str = "xai_widgets", parts: Sequence[Widget] = ()) -> str:
    """Return a page that shows `widget` as it is now; `parts` are widgets that it shows by itself."""
    from ipywidgets.embed import dependency_state

    return WIDGET_PAGE.format(
        policy=POLICY,
        title=html.escape(title),
        view_type=VIEW,
        view=_json(widget.get_view_spec()),
        host=_host(dependency_state([widget, *parts], drop_defaults=False)),
    )


def notebook_page(notebook: NotebookNode | str | os.PathLike[str], title: str | None = None) -> str:
    """Return a page that shows an executed notebook, its widgets alive: a path, or what nbformat has read."""
    import nbformat
    from nbconvert import HTMLExporter

    if isinstance(notebook, str | os.PathLike):
        path = Path(notebook)
        node = nbformat.read(path, as_version=4)
        metadata = {"name": title or path.stem, "path": str(path.parent)}  # where pictures of Markdown cells are found
    else:
        node, metadata = notebook, {"name": title or "Notebook"}
    models = node.metadata.get("widgets", {}).get(STATE, {}).get("state", {})
    exporter = HTMLExporter(raw_template=NOTEBOOK_PAGE, embed_images=True)
    resources = {"metadata": metadata, "content_security_policy": POLICY, "widget_host": _host(models)}
    page, _ = exporter.from_notebook_node(node, resources)
    return str(page)


def execute(path: str | os.PathLike[str], timeout: float = 600) -> NotebookNode:
    """Run every cell of a notebook in its own folder and return it with outputs and the settled state of its widgets.

    Raises nbclient's `CellExecutionError` where a cell raises.
    """
    import nbformat
    from nbclient import NotebookClient

    # The interpreter that runs this has the package; a "python3" kernel of the user's may be another one.
    os.environ.setdefault("JUPYTER_PREFER_ENV_PATH", "1")
    notebook = nbformat.read(path, as_version=4)
    notebook.cells.append(nbformat.v4.new_code_cell("from xai_widgets.pages import settle; settle()"))
    folder = {"metadata": {"path": str(Path(path).resolve().parent)}}
    NotebookClient(notebook, kernel_name="python3", timeout=timeout, resources=folder).execute()
    notebook.cells.pop()
    for cell in notebook.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if not _is_native_log(output)]
    return notebook


def settle(timeout: float = 300) -> None:
    """Wait for every widget that still computes, and send its state once more.

    What arrives after a notebook's last cell is not saved with it, nor what a thread sends for a cell that has ended.
    """
    from anywidget import AnyWidget
    from ipywidgets.widgets.widget import _instances

    for widget in list(_instances.values()):
        finish = getattr(widget, "finish", None) or getattr(widget, "result", None)
        if isinstance(widget, AnyWidget) and callable(finish):
            with contextlib.suppress(Exception):  # the widget's view says what went wrong
                finish(timeout)
            widget.send_state()


def _is_native_log(output: NotebookNode) -> bool:
    return output.output_type == "stream" and output.name == "stderr" and not NATIVE_LOG.sub("", output.text).strip()


def _host(models: dict[str, Any]) -> str:
    """Return the tags that hold the models' saved state and draw them."""
    return (
        f'<script id="widget-models" type="application/json">{_json(models)}</script>\n'
        f'<script type="module">\n{HOST.read_text(encoding="utf-8")}</script>'
    )


def _json(value: Any) -> str:
    """Write JSON that a browser reads: no NaN, and nothing that could end the script tag around it."""
    finite = json.loads(json.dumps(value), parse_constant=lambda name: None)
    return json.dumps(finite, allow_nan=False).replace("<", "\\u003c")


def main(arguments: list[str] | None = None) -> None:
    """Execute a notebook and write its page; a cell that raises ends the program with that cell's error."""
    from nbclient.exceptions import CellExecutionError

    parser = argparse.ArgumentParser(prog="python -m xai_widgets.pages", description=main.__doc__)
    parser.add_argument("notebook", type=Path)
    parser.add_argument("page", type=Path)
    parser.add_argument("--timeout", type=float, default=600, help="seconds that one cell may take (600)")
    options = parser.parse_args(arguments)

    start = time.perf_counter()
    try:
        notebook = execute(options.notebook, options.timeout)
    except CellExecutionError as error:
        sys.exit(f"{options.notebook}: a cell failed.\n{error}")
    options.page.parent.mkdir(parents=True, exist_ok=True)
    options.page.write_text(notebook_page(notebook, title=options.notebook.stem), encoding="utf-8")
    print(f"{options.page} ({options.page.stat().st_size / 1e6:.1f} MB, {time.perf_counter() - start:.0f} s)")


if __name__ == "__main__":
    main()
