"""Python's traits and the state types of the front end are the same list."""

import re
from pathlib import Path

import pytest

from xai_widgets.widgets.saliency import SaliencyWidget

STATE = Path(__file__).parents[1] / "js" / "src" / "state.ts"
HOST = {"_esm", "_css", "_anywidget_id", "_dom_classes", "layout", "tabbable", "tooltip", "comm", "keys", "log"}
HOST |= {f"_{kind}_{part}" for kind in ("model", "view") for part in ("module", "module_version", "name")} | {
    "_view_count"
}


@pytest.mark.skipif(not STATE.exists(), reason="the front end's sources are not beside the tests")
def test_traits_are_the_state_of_the_front_end():
    body = re.search(r"export interface SaliencyState \{(.*?)\n\}", STATE.read_text(), re.S).group(1)
    declared = set(re.findall(r"^\t(\w+)\??:", body, re.M))
    traits = set(SaliencyWidget.class_trait_names(sync=True)) - HOST
    assert traits == declared
