"""`explore` in a real JupyterLab: tabs of views that share what is looked at, and one page of them all."""

from pathlib import Path

from browser import lab as jupyter
from browser.lab import Lab
from browser.views import settled
from playwright.sync_api import Locator, Page, expect

import xai_widgets as xai

CELLS = [
    """import xai_widgets as xai
model, inputs, labels, names = xai.examples.digits()
widget = xai.explore(model, inputs[:20], names=names, index=2)
widget""",
]


def opened(page: Page, lab: Lab) -> Locator:
    jupyter.open_notebook(page, lab, CELLS)
    widget = page.locator(".xai-explore")
    settled(panel(widget))
    return widget


def panel(widget: Locator) -> Locator:
    return widget.get_by_role("tabpanel")  # the others are hidden


def go(widget: Locator, label: str) -> None:
    widget.get_by_role("tab", name=label, exact=True).click()
    settled(panel(widget))


def test_a_tab_opens_a_view_at_what_the_others_look_at(page: Page, lab: Lab):
    widget = opened(page, lab)
    expect(widget.get_by_role("tab", name="CAM", exact=True)).to_have_attribute("aria-selected", "true")
    panel(widget).get_by_role("button", name="Next", exact=True).click()
    expect(panel(widget).get_by_label("Sample", exact=True)).to_have_value("4")
    go(widget, "Saliency")
    expect(panel(widget).get_by_label("Sample", exact=True)).to_have_value("4")
    expect(panel(widget).locator("canvas.xai-map")).to_be_visible()
    # What was opened stays as it was left.
    go(widget, "CAM")
    expect(panel(widget).get_by_label("Sample", exact=True)).to_have_value("4")
    assert page.left_machine == page.errors == []


def test_the_keyboard_goes_from_tab_to_tab(page: Page, lab: Lab):
    widget = opened(page, lab)
    widget.get_by_role("tab", name="CAM", exact=True).focus()
    page.keyboard.press("ArrowRight")
    lime = widget.get_by_role("tab", name="LIME", exact=True)
    expect(lime).to_be_focused()
    expect(lime).to_have_attribute("aria-selected", "true")
    settled(panel(widget))
    expect(panel(widget).get_by_text("Kernel width")).to_be_visible()


def test_one_page_holds_every_view_that_was_opened(page: Page, tmp_path: Path, digits):
    explorer = xai.explore(digits.model, digits.inputs[:3])
    explorer.tab = "saliency"
    explorer.to_html(tmp_path / "page.html")
    explorer.close()
    page.goto((tmp_path / "page.html").as_uri())
    widget = page.locator(".xai-explore")
    expect(panel(widget).locator("canvas.xai-map")).to_be_visible()
    widget.get_by_role("tab", name="CAM", exact=True).click()
    expect(panel(widget).get_by_label("Layer", exact=True)).to_be_visible()
    widget.get_by_role("tab", name="LRP", exact=True).click()
    expect(panel(widget)).to_contain_text("This view was not opened")
    assert page.left_machine == page.errors == []
