"""The fixtures themselves: what every other browser test stands on."""

import sys
from pathlib import Path

import numpy as np
from browser import lab as jupyter
from browser.lab import Lab
from playwright.sync_api import Page, expect

TINY = f"import sys; sys.path.insert(0, {str(Path(__file__).parents[1])!r})\nfrom browser.tiny import Tiny"


def test_a_widget_lives_in_jupyterlab_and_outlives_its_kernel(page: Page, lab: Lab):
    path = jupyter.open_notebook(page, lab, [TINY, "w = Tiny()\nw", "import sys; print(sys.executable)"])
    tiny = page.locator(".tiny")
    expect(tiny).to_have_count(1)
    assert sys.executable in page.locator(".jp-OutputArea-output pre").last.inner_text()
    row = jupyter.pixels(tiny.locator("canvas"))
    np.testing.assert_array_equal(row[0, :, 0], [0, 100, 200])

    assert jupyter.drag(tiny.locator("input"), to=0.8) == 8
    expect(tiny.locator("output")).to_contain_text("8 plain")
    jupyter.set_theme(page, "dark")
    jupyter.set_theme(page, "light")
    jupyter.save(page)
    jupyter.restart_kernel(page)
    expect(tiny.locator("output")).to_contain_text("8 plain")
    jupyter.screenshot(tiny, "tiny")

    lab.shut_down_kernels()
    jupyter.open_notebook(page, lab, path, run=False)
    expect(tiny.locator("output")).to_contain_text("8 plain")
    assert page.left_machine == []
    assert page.errors == []
