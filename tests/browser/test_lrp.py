"""LRPWidget in a real JupyterLab: relevance at each layer, the rule of each layer, and a saved page."""

from pathlib import Path

import numpy as np
import pytest
from browser import lab as jupyter
from browser.lab import Lab, pixels, screenshot
from browser.painting import painted
from browser.views import comes_to_show, is_accessible, looks, settled, slider, stays_within
from playwright.sync_api import Locator, Page, expect

import xai_widgets as xai

DIGITS = """import xai_widgets as xai
model, inputs, labels, names = xai.examples.digits()
widget = xai.LRPWidget(model, inputs, names=names)
widget"""


@pytest.fixture
def widget(page: Page, lab: Lab) -> Locator:
    """The digits, settled."""
    jupyter.open_notebook(page, lab, [DIGITS])
    widget = page.locator(".xai")
    settled(widget)
    return widget


def at_layer(digits, layer: str, method=None) -> np.ndarray:
    """What the canvas shows of a layer with all colours used: its own cells, as large as they come out."""
    flow = xai.relevance_flow(digits.model, digits.inputs[:1], method or xai.LRP(), layers=[layer])
    heat = flow.relevance[layer][0][0].sum(axis=-1)
    rows, columns = (((np.arange(28) + 0.5) * side / 28).astype(int) for side in heat.shape)
    return painted(heat[rows][:, columns], digits.inputs[0], clip=100)


def bars(widget: Locator) -> Locator:
    return widget.get_by_role("radiogroup", name="Share of the score").get_by_role("radio")


def walk(widget: Locator, digits) -> None:
    """Follow relevance from the score back to the input, by keys alone."""
    canvas = widget.locator("canvas.xai-map")
    slider(widget, "Clip").focus()
    widget.page.keyboard.press("End")
    depth = slider(widget, "Depth")
    depth.focus()
    widget.page.keyboard.press("End")
    assert depth.get_attribute("aria-valuetext") == "score, 1"
    seen = []
    while depth.input_value() != "0":
        widget.page.keyboard.press("ArrowLeft")
        name = depth.get_attribute("aria-valuetext").split(",")[0]
        seen.append(name)
        expect(bars(widget).nth(int(depth.input_value()))).to_be_checked()
        if name in ("conv", "pool"):
            comes_to_show(canvas, at_layer(digits, name))
            expect(widget.locator(".xai-foot")).to_contain_text(f"The relevance at {name} (")
    assert seen == ["probabilities", "hidden", "flatten", "pool", "conv", "input"]
    heat = xai.explain(digits.model, digits.inputs[:1], xai.LRP()).heatmap()[0]
    comes_to_show(canvas, painted(heat, digits.inputs[0], clip=100))


def test_depth_by_keyboard(page: Page, widget: Locator, digits):
    walk(widget, digits)
    assert page.errors == []
    assert page.left_machine == []


def test_bars_say_what_is_left_of_the_score_and_lead_to_their_layer(page: Page, widget: Locator, digits):
    flow = xai.relevance_flow(digits.model, digits.inputs[:1])
    share = flow.sums[flow.layers.index("conv"), 0] / flow.score[0]
    bar = bars(widget).nth(1)
    expect(bar).to_have_accessible_name(f"conv: {100 * share:.0f} %")
    bar.click()
    expect(slider(widget, "Depth")).to_have_value("1")
    page.keyboard.press("ArrowRight")
    expect(bars(widget).nth(2)).to_be_focused()
    expect(bars(widget).nth(2)).to_be_checked()
    page.keyboard.press("Home")
    expect(slider(widget, "Depth")).to_have_value("0")
    # The thumb stands under its bar.
    depth = slider(widget, "Depth").bounding_box()
    first = bars(widget).first.bounding_box()
    assert abs(depth["x"] + 8 - (first["x"] + first["width"] / 2)) < 2


def test_a_rule_of_a_layer_is_chosen_and_taken_back(page: Page, widget: Locator, digits):
    canvas = widget.locator("canvas.xai-map")
    plain = pixels(canvas)
    rule = widget.get_by_role("combobox", name="conv", exact=True)
    expect(rule).to_have_value("composite’s: z_plus")
    rule.focus()
    rule.select_option("gamma")
    settled(widget)
    method = xai.LRP(rules={"conv": "gamma"})
    heat = xai.explain(digits.model, digits.inputs[:1], method).heatmap()[0]
    comes_to_show(canvas, painted(heat, digits.inputs[0]))
    slider(widget, "Depth").fill("1")
    expect(widget.locator(".xai-rules [data-current]")).to_contain_text("conv")
    slider(widget, "Depth").fill("0")
    widget.get_by_label("Composite", exact=True).select_option("epsilon_plus_flat")
    settled(widget)
    expect(rule).to_have_value("gamma")
    widget.get_by_label("Composite", exact=True).select_option("epsilon_plus")
    widget.get_by_role("button", name="Composite’s for all").click()
    expect(rule).to_have_value("composite’s: z_plus")
    comes_to_show(canvas, plain)
    widget.get_by_label("Method").select_option("Guided backprop")
    settled(widget)
    expect(widget).to_contain_text("Only LRP tells of the relevance at layers")
    expect(rule).to_have_count(0)


def test_it_is_accessible_and_within_bounds_in_light_and_dark(page: Page, lab: Lab):
    table = """t = xai.examples.tabular()
xai.LRPWidget(t.model, t.inputs, names=t.names, features=t.features)"""
    jupyter.open_notebook(page, lab, [DIGITS, table])
    widgets = page.locator(".xai")
    expect(widgets).to_have_count(2)
    for widget in widgets.all():
        settled(widget)
        slider(widget, "Depth").fill("1")
    for look in looks(page):
        is_accessible(page)
        for widget, name in zip(widgets.all(), ("digits", "table"), strict=True):
            stays_within(widget)
            screenshot(widget, f"lrp-{name}-{look}")
    assert page.errors == []


def test_a_saved_page_walks_through_the_layers_without_a_kernel(page: Page, digits, tmp_path: Path):
    widget = xai.LRPWidget(digits.model, digits.inputs[:1], names=digits.names)
    widget.to_html(tmp_path / "digit.html")
    widget.close()
    page.goto((tmp_path / "digit.html").as_uri())
    shown = page.locator(".xai")
    walk(shown, digits)
    expect(shown.get_by_role("combobox", name="conv", exact=True)).to_be_disabled()
    assert page.left_machine == []
    assert page.errors == []
