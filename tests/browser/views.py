"""What the tests of all views share: finding and awaiting what they show, and what has to hold of each of them."""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import lab as jupyter
from browser.lab import pixels
from browser.painting import differ
from playwright.sync_api import Locator, Page, expect

ROOT = Path(__file__).parents[2]
DATA = ROOT.parent / "shared" / "data"
needs_data = pytest.mark.skipif(not DATA.exists(), reason="needs ../shared/data: an ImageNet network and photographs")
# `model`, `inputs` and `names` of a photograph.
PHOTOGRAPH = f"""import keras, numpy as np, xai_widgets as xai
from PIL import Image
model = keras.models.load_model({str(DATA / "darknet_tiny.keras")!r})
names = open({str(DATA / "imagenet_names.txt")!r}).read().splitlines()[:1000]
inputs = np.asarray(Image.open({str(DATA / "cat_and_dog.png")!r}).convert("RGB"), "float32")[None] / 255
"""
SALIENCY_OF_PHOTOGRAPH = f"""{PHOTOGRAPH}
widget = xai.SaliencyWidget(model, inputs, xai.IntegratedGradients(steps=32, baseline=xai.Blur(12)), names=names)
widget"""
WIDTHS = (1400, 480)
# What reaches past the right edge, less what scrolls within the widget.
STICKS_OUT = """widget => [widget, ...widget.querySelectorAll("*")]
  .filter(element => !element.closest(".xai-thumbnails, .xai-scroll"))
  .map(element => [element, element === widget ? widget.scrollWidth - widget.clientWidth
    : element.getBoundingClientRect().right - widget.getBoundingClientRect().right])
  .filter(([, by]) => by > 1)
  .map(([element, by]) => `${element.outerHTML.slice(0, 80)} by ${by} px`)"""


def slider(widget: Locator, label: str) -> Locator:
    return widget.get_by_role("slider", name=label, exact=True)


def status(widget: Locator) -> Locator:
    return widget.get_by_role("status")


def settled(widget: Locator) -> None:
    expect(status(widget)).to_contain_text("Settled", timeout=120_000)


def comes_to_show(canvas: Locator, expected: np.ndarray, seconds: float = 60) -> None:
    """Wait until the canvas shows a picture; one level in a thousand pixels may be off by the rounding of float16."""
    end = time.monotonic() + seconds
    while (distance := differ(pixels(canvas), expected)) > 2:
        assert time.monotonic() < end, f"the canvas is {distance} levels off at rest"
        time.sleep(0.05)


def stays_within(widget: Locator) -> None:
    found = widget.evaluate(STICKS_OUT)
    assert not found, "\n".join(found)


def is_accessible(page: Page, within: str | dict[str, object] = ".xai") -> None:
    """axe-core finds nothing wrong in what is shown now."""
    found = Axe().run(page, context=within)
    assert len(found.response["passes"]) > 10
    assert found.violations_count == 0, found.generate_report()


def looks(page: Page) -> Iterator[str]:
    """JupyterLab in a wide and in a narrow window, light and dark: a name for each; in the end it is light."""
    for width in WIDTHS:
        page.set_viewport_size({"width": width, "height": 1400})
        if width < 500:  # its own panel would take all of the window
            jupyter.run_command(page, "application:toggle-left-area")
        page.wait_for_timeout(300)  # panels are laid out after a moment
        for theme in ("light", "dark"):
            jupyter.set_theme(page, theme)
            yield f"{theme}-{width}"
    jupyter.set_theme(page, "light")


def patience() -> float:
    """How much slower this machine is now than when it is alone."""
    return max(1.0, os.getloadavg()[0] / (os.cpu_count() or 1))
