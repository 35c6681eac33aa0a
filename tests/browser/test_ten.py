"""Ten widgets in one notebook: what they cost in the file, in memory and in time."""

import json
import time

import pytest
from browser import kinds
from browser import lab as jupyter
from browser.kinds import KINDS, VIEWS
from browser.lab import Lab
from browser.views import settled
from playwright.sync_api import Page, expect

SETUP = f"""{kinds.SETUP}
import psutil
def memory():
    return psutil.Process().memory_info().rss / 1e6
xai.SaliencyWidget(model, inputs).result()
before = memory()"""
FIFTY = "xai.SaliencyWidget(model, xai.examples.digits().inputs[{0}:{0} + 50], 'integrated_gradients', names=names)"
MORE = (
    "xai.SaliencyWidget(model, inputs, 'smooth_grad', names=names)",
    "xai.SaliencyWidget(table.model, table.inputs, names=table.names, features=table.features)",
    "xai.SHAPWidget(model, inputs, names=names)",
)
TEN = {
    "alike": ([FIFTY.format(place) for place in range(10)], ["canvas.xai-map"] * 10),
    "different": (
        [*(kind.code for kind in KINDS), *MORE],
        [*(kind.drawing for kind in KINDS), "canvas.xai-map", ".xai-bars", "canvas.xai-map"],
    ),
}


@pytest.mark.parametrize("which", TEN)
def test_ten_widgets_in_one_notebook(page: Page, lab: Lab, which: str):
    cells, drawings = TEN[which]
    jupyter.open_notebook(page, lab, [SETUP])
    started = time.monotonic()
    page_before = heap(page)
    path = jupyter.open_notebook(page, lab, [SETUP, *cells])
    views = page.locator(VIEWS)
    expect(views).to_have_count(10)
    for view in views.all():
        settled(view)
    shown = time.monotonic() - started
    kernel = float(jupyter.run_code(page, "print(memory() - before)"))
    jupyter.save(page)
    saved = json.loads(path.read_text())["metadata"]["widgets"]["application/vnd.jupyter.widget-state+json"]
    state = len(json.dumps(saved)) / 1e6
    held = heap(page) - page_before
    lab.shut_down_kernels()

    started = time.monotonic()
    jupyter.open_notebook(page, lab, path, run=False)
    expect(views).to_have_count(10)
    for view, drawing in zip(views.all(), drawings, strict=True):
        expect(view.locator(drawing).first).to_be_visible()
    loaded = time.monotonic() - started
    print(
        f"ten widgets, {which}: {shown:.1f} s from opening to settled, {state:.2f} MB of saved state, "
        f"{kernel:.0f} MB more in the kernel, {held:.0f} MB more in the page, reopened in {loaded:.1f} s"
    )
    assert state < 4
    assert kernel < 150
    assert held < 150
    assert loaded < 30
    assert page.errors == []


def heap(page: Page) -> float:
    """What the page's JavaScript holds, in MB, after a collection."""
    session = page.context.new_cdp_session(page)
    session.send("HeapProfiler.collectGarbage")
    return session.send("Runtime.getHeapUsage")["usedSize"] / 1e6
