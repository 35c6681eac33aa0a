"""Python's traits and the state types of the front end are the same list."""

import re
from pathlib import Path

import pytest

import xai_widgets as xai
from xai_widgets.widgets.base import Explainer

SOURCES = Path(__file__).parents[1] / "js" / "src"
HOST = {"_esm", "_css", "_anywidget_id", "_dom_classes", "layout", "tabbable", "tooltip", "comm", "keys", "log"}
HOST |= {f"_{kind}_{part}" for kind in ("model", "view") for part in ("module", "module_version", "name")} | {
    "_view_count"
}
WIDGETS = [cls for cls in map(xai.__getattr__, xai.__all__) if isinstance(cls, type) and issubclass(cls, Explainer)]


@pytest.mark.skipif(not SOURCES.exists(), reason="the front end's sources are not beside the tests")
@pytest.mark.parametrize("widget", WIDGETS, ids=lambda cls: cls.__name__)
def test_traits_are_the_state_of_the_front_end(widget):
    """Those that a widget has more than others are in an interface of its own, `LIMEState` for `LIMEWidget`."""
    own = widget.__name__.removesuffix("Widget") + "State"
    traits = set(widget.class_trait_names(sync=True)) - HOST
    assert traits == declared("ExplainerState") | declared(own)


def declared(interface):
    body = re.search(rf"export interface {interface} \{{(.*?)\n\}}", (SOURCES / "state.ts").read_text(), re.S)
    return set(re.findall(r"^\t(\w+)\??:", body.group(1), re.M)) if body else set()
