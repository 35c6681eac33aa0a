"""Who may import whom, and what an import costs."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

import xai_widgets

PACKAGE = Path(xai_widgets.__file__).parent
# A room and what may enter it, besides itself and the plain value modules at the top.
MAY_ENTER = {
    "engine": {"declare", "composites", "targets", "layout", "gaussian", "methods.base"},
    "methods": {"declare", "composites", "baselines", "layout", "engine"},
    "metrics": {"attribution", "doubts", "task", "trees", "baselines", "layout", "figures", "engine", "methods"},
    "examples": set(),
    "widgets": {
        "targets",
        "declare",
        "composites",
        "baselines",
        "attribution",
        "given",
        "caption",
        "doubts",
        "methods",
        "metrics",
        "task",
        "trees",
        "layout",
        "wire",
        "worker",
        "pages",
        "figures",
        "engine",
    },
}


def imports(file):
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("xai_widgets."):
            yield node.module.removeprefix("xai_widgets.")


@pytest.mark.parametrize("room", MAY_ENTER)
def test_rooms(room):
    for file in (PACKAGE / room).rglob("*.py"):
        for module in imports(file):
            allowed = module.split(".")[0] in {room, *MAY_ENTER[room]} or module in MAY_ENTER[room]
            assert allowed, f"{file.relative_to(PACKAGE)} imports {module}"


def test_importing_is_quick_and_loads_nothing_heavy():
    heavy = ["tensorflow", "keras", "shap", "sklearn", "skimage", "scipy", "matplotlib", "anywidget"]
    code = f"import sys, xai_widgets; print([name for name in {heavy} if name in sys.modules])"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"


def test_every_public_name_is_there():
    for name in xai_widgets.__all__:
        assert getattr(xai_widgets, name) is not None
    assert set(xai_widgets.__all__) <= set(dir(xai_widgets))
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = xai_widgets.nothing
