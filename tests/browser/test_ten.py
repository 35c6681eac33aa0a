"""Ten widgets in one notebook: what they cost in the file, in memory and in time."""

import json
import time

from browser import lab as jupyter
from browser.lab import Lab
from playwright.sync_api import Page, expect

SETUP = """import numpy as np, psutil, xai_widgets as xai
model, inputs, labels, names = xai.examples.digits()
def memory():
    return psutil.Process().memory_info().rss / 1e6
xai.SaliencyWidget(model, inputs).result()
before = memory()"""
TEN = "xai.SaliencyWidget(model, inputs[{place}:{place} + 50], 'integrated_gradients', names=names)"


def test_ten_widgets_in_one_notebook(page: Page, lab: Lab):
    path = jupyter.open_notebook(page, lab, [SETUP])
    started = time.monotonic()
    page_before = heap(page)
    jupyter.open_notebook(page, lab, [SETUP, *(TEN.format(place=place) for place in range(10))])
    views = page.locator(".xai")
    expect(views).to_have_count(10)
    for view in views.all():
        expect(view.get_by_role("status")).to_contain_text("Settled", timeout=120_000)
    shown = time.monotonic() - started
    kernel = float(jupyter.run_code(page, "print(memory() - before)"))
    jupyter.save(page)
    path = max(lab.root.glob("notebook-*.ipynb"), key=lambda file: file.stat().st_mtime)
    saved = json.loads(path.read_text())["metadata"]["widgets"]["application/vnd.jupyter.widget-state+json"]
    state = len(json.dumps(saved)) / 1e6
    held = heap(page) - page_before
    lab.shut_down_kernels()

    started = time.monotonic()
    jupyter.open_notebook(page, lab, path, run=False)
    expect(page.locator(".xai canvas.xai-map")).to_have_count(10)
    loaded = time.monotonic() - started
    print(
        f"ten widgets: {shown:.1f} s from opening to settled, {state:.2f} MB of saved state, {kernel:.0f} MB more in "
        f"the kernel, {held:.0f} MB more in the page, reopened in {loaded:.1f} s"
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
