"""SaliencyWidget in a real JupyterLab: what the hand does is what the canvas shows."""

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from browser import lab as jupyter
from browser.lab import Lab, drag, pixels, screenshot
from browser.painting import painted
from browser.views import (
    DATA,
    ROOT,
    SALIENCY_OF_PHOTOGRAPH,
    comes_to_show,
    is_accessible,
    looks,
    needs_data,
    settled,
    slider,
    status,
    stays_within,
)
from playwright.sync_api import Locator, Page, expect

import xai_widgets as xai

DIGITS = """import xai_widgets as xai
model, inputs, labels, names = xai.examples.digits()
widget = xai.SaliencyWidget(model, inputs, xai.IntegratedGradients(baseline=xai.Blur(4)), names=names)
widget"""


def of_the_controls(widget: Locator, model, inputs, **display) -> np.ndarray:
    """What `explain` says for the values that the controls show, painted."""
    method = xai.IntegratedGradients(
        steps=int(slider(widget, "Steps").input_value()),
        baseline=xai.Blur(float(slider(widget, "Sigma").input_value())),
    )
    return painted(xai.explain(model, inputs, method).heatmap()[0], inputs[0], **display)


def mouse(widget: Locator, label: str, to: float) -> None:
    drag(slider(widget, label), to)


def keyboard(widget: Locator, label: str, to: float) -> None:
    slider(widget, label).focus()
    keys = widget.page.keyboard
    keys.press("Home")
    for _ in range(round(to * 40)):
        keys.press("ArrowRight")


def move_and_compare(widget: Locator, by: Callable[[Locator, str, float], None], model, inputs) -> None:
    canvas = widget.locator("canvas.xai-map")
    settled(widget)
    comes_to_show(canvas, of_the_controls(widget, model, inputs))
    for label, to in (("Steps", 0.4), ("Sigma", 0.1), ("Sigma", 0.6), ("Steps", 0.15)):
        before = pixels(canvas), slider(widget, label).input_value()
        by(widget, label, to)
        assert slider(widget, label).input_value() != before[1]
        comes_to_show(canvas, of_the_controls(widget, model, inputs))
        assert not np.array_equal(pixels(canvas), before[0])


@pytest.fixture
def widget(page: Page, lab: Lab) -> Locator:
    """The digits, settled."""
    jupyter.open_notebook(page, lab, [DIGITS])
    widget = page.locator(".xai")
    settled(widget)
    return widget


def test_the_quickstart_by_mouse(page: Page, lab: Lab, digits):
    shutil.copy(ROOT / "notebooks" / "01_quickstart.ipynb", lab.root)
    jupyter.open_notebook(page, lab, lab.root / "01_quickstart.ipynb")
    assert page.locator(jupyter.CELL_ERROR).count() == 0
    move_and_compare(page.locator(".xai").first, mouse, digits.model, digits.inputs[:1])
    assert page.left_machine == []
    assert page.errors == []


def test_by_keyboard_without_a_notebook_command(page: Page, widget: Locator, digits):
    page.evaluate("""() => { window.commands = [];
      window.jupyterapp.commands.commandExecuted.connect((_, { id }) => window.commands.push(id)); }""")
    move_and_compare(widget, keyboard, digits.model, digits.inputs[:1])
    for key in ("a", "b", "x", "Enter"):
        page.keyboard.press(key)
    assert page.evaluate("window.commands") == []
    page.keyboard.press("Control+s")
    page.wait_for_function("window.commands.includes('docmanager:save')")


def test_every_control_is_reached_by_tab(page: Page, widget: Locator):
    widget.get_by_label("Method").focus()
    reached = []
    for _ in range(30):
        reached.append(
            page.evaluate("document.activeElement.labels?.[0]?.innerText || document.activeElement.ariaLabel")
        )
        page.keyboard.press("Tab")
        if not page.evaluate("document.querySelector('.xai').contains(document.activeElement)"):
            break
    assert {"Method", "Target", "Sample", "Sigma", "Steps", "Rule", "Opacity", "Clip", "Colours"} <= set(reached)
    assert any("Blur" in (name or "") for name in reached)
    assert any("both" in (name or "").lower() for name in reached)


def test_target_method_sample_and_baseline_are_chosen(page: Page, widget: Locator, digits):
    canvas = widget.locator("canvas.xai-map")
    target = widget.get_by_role("combobox", name="Target")
    target.click()
    target.fill("7")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    method = xai.IntegratedGradients(baseline=xai.Blur(4))
    heat = xai.explain(digits.model, digits.inputs[:1], method, target=7).heatmap()[0]
    comes_to_show(canvas, painted(heat, digits.inputs[0]))
    widget.get_by_label("Sample", exact=True).fill("4")
    heat = xai.explain(digits.model, digits.inputs[3:4], method, target=7).heatmap()[0]
    comes_to_show(canvas, painted(heat, digits.inputs[3]))
    widget.get_by_role("radio", name="Data").check()
    widget.get_by_label("Only").select_option("sample 17")
    method = xai.IntegratedGradients(baseline=xai.Constant(digits.inputs[16]))
    heat = xai.explain(digits.model, digits.inputs[3:4], method, target=7).heatmap()[0]
    comes_to_show(canvas, painted(heat, digits.inputs[3]))
    widget.get_by_label("Method").select_option("Saliency")
    widget.get_by_label("Normalize").select_option("l2")
    a = xai.explain(digits.model, digits.inputs[3:4], xai.Saliency(normalize="l2"), target=7)
    comes_to_show(canvas, painted(a.heatmap()[0], digits.inputs[3]))
    assert canvas.get_attribute("aria-label") == widget.locator(".xai-foot p").inner_text()
    widget.get_by_label("Method").select_option("Integrated gradients")
    widget.get_by_role("radio", name="Constant").check()
    heat = xai.explain(digits.model, digits.inputs[3:4], xai.IntegratedGradients(), target=7).heatmap()[0]
    comes_to_show(canvas, painted(heat, digits.inputs[3]))


def test_every_method_of_the_menu_gives_its_map(page: Page, lab: Lab, digits):
    jupyter.open_notebook(page, lab, [DIGITS.replace("xai.IntegratedGradients(baseline=xai.Blur(4))", "'saliency'")])
    widget = page.locator(".xai")
    settled(widget)
    menu = widget.get_by_label("Method")
    names = menu.locator("option").all_inner_texts()
    assert len(names) == len(xai.SaliencyWidget.METHODS)
    assert menu.locator("optgroup").count() == len({cls.family for cls in xai.SaliencyWidget.METHODS})
    canvas = widget.locator("canvas.xai-map")
    for cls in xai.SaliencyWidget.METHODS:
        menu.select_option(cls.label)
        if cls is xai.CAM:  # the head of this network flattens
            expect(widget.get_by_role("alert")).to_contain_text("GradCAM works with any layer")
            continue
        settled(widget)
        a = xai.explain(digits.model, digits.inputs[:1], cls())
        if cls.makes_input:  # a picture of its own, without a map over it
            comes_to_show(canvas, painted(np.zeros((28, 28)), a.values[0], (0, 1)))
            assert widget.get_by_role("radio", name="Sign: both").count() == 0
        else:
            comes_to_show(canvas, painted(a.heatmap()[0], digits.inputs[0]))
        assert widget.get_by_role("alert").count() == 0
        screenshot(widget, f"digits-{cls.name}")
    menu.select_option("Occlusion")
    window = widget.locator("input[placeholder=auto]").first
    window.fill("9")
    heat = xai.explain(digits.model, digits.inputs[:1], xai.Occlusion(window=9)).heatmap()[0]
    comes_to_show(canvas, painted(heat, digits.inputs[0]))
    window.click()
    for key in ("Control+a", "Delete", "Tab"):  # an empty box leaves the choice to the method
        page.keyboard.press(key)
    heat = xai.explain(digits.model, digits.inputs[:1], xai.Occlusion()).heatmap()[0]
    comes_to_show(canvas, painted(heat, digits.inputs[0]))
    assert page.errors == []


def test_display_controls_repaint_and_tell_the_kernel_nothing(page: Page, lab: Lab, digits):
    sent = []
    page.on("websocket", lambda socket: socket.on("framesent", lambda payload: sent.append(payload)))
    jupyter.open_notebook(page, lab, [DIGITS])
    widget = page.locator(".xai")
    canvas = widget.locator("canvas.xai-map")
    settled(widget)
    heat = xai.explain(digits.model, digits.inputs[:1], xai.IntegratedGradients(baseline=xai.Blur(4))).heatmap()[0]
    comes_to_show(canvas, painted(heat, digits.inputs[0]))
    page.wait_for_timeout(1000)  # what the change of the last output sends by itself
    before = len([one for one in sent if b"comm_msg" in (one if isinstance(one, bytes) else one.encode())])
    opacity = drag(slider(widget, "Opacity"), 0.3)
    clip = drag(slider(widget, "Clip"), 0.5)
    comes_to_show(canvas, painted(heat, digits.inputs[0], opacity=opacity, clip=clip))
    for sign in ("positive", "negative", "absolute"):
        widget.get_by_role("radio", name=f"Sign: {sign}").check()
        comes_to_show(canvas, painted(heat, digits.inputs[0], opacity=opacity, clip=clip, sign=sign))
    widget.get_by_label("Colours").select_option("viridis")
    changed = painted(heat, digits.inputs[0], opacity=opacity, clip=clip, sign="absolute", colormap="viridis")
    comes_to_show(canvas, changed)
    assert len([one for one in sent if b"comm_msg" in (one if isinstance(one, bytes) else one.encode())]) == before


@needs_data
def test_a_photograph_by_mouse_and_keyboard(page: Page, lab: Lab):
    import keras
    from PIL import Image

    model = keras.models.load_model(DATA / "darknet_tiny.keras")
    inputs = np.asarray(Image.open(DATA / "cat_and_dog.png").convert("RGB"), "float32")[None] / 255
    jupyter.open_notebook(page, lab, [SALIENCY_OF_PHOTOGRAPH])
    widget = page.locator(".xai")
    settled(widget)
    expect(widget.get_by_role("combobox", name="Target")).to_have_value("bull mastiff (predicted)")
    canvas = widget.locator("canvas.xai-map")
    for by, label, to in (
        (mouse, "Steps", 0.1),
        (mouse, "Sigma", 0.7),
        (keyboard, "Steps", 0.2),
        (keyboard, "Sigma", 0.3),
    ):
        before = pixels(canvas)
        by(widget, label, to)
        comes_to_show(canvas, of_the_controls(widget, model, inputs))
        assert not np.array_equal(pixels(canvas), before)
    settled(widget)
    for look in looks(page):
        for mode in ("side by side", "mask", "overlay"):
            widget.get_by_role("radio", name=mode).check()
            screenshot(widget, f"photograph-{look}-{mode.replace(' ', '-')}")
    assert page.left_machine == []
    assert page.errors == []


def test_accessible_and_within_bounds_in_light_and_dark(page: Page, lab: Lab):
    table = """t = xai.examples.tabular()
xai.SaliencyWidget(t.model, t.inputs, names=t.names, features=t.features)"""
    jupyter.open_notebook(page, lab, [DIGITS, table])
    widgets = page.locator(".xai")
    expect(widgets).to_have_count(2)
    for widget in widgets.all():
        settled(widget)
    for look in looks(page):
        is_accessible(page)
        for widget, name in zip(widgets.all(), ("digits", "table"), strict=True):
            stays_within(widget)
            screenshot(widget, f"{name}-{look}")
    assert page.errors == []


def test_an_error_shows_and_the_map_stays(page: Page, lab: Lab):
    jupyter.open_notebook(page, lab, [DIGITS])
    widget = page.locator(".xai")
    settled(widget)
    before = pixels(widget.locator("canvas.xai-map"))
    jupyter.run_code(page, "def broken(outputs):\n    raise ValueError('no such score')\nwidget.target = broken")
    expect(widget.get_by_role("alert")).to_contain_text("no such score")
    np.testing.assert_array_equal(pixels(widget.locator("canvas.xai-map")), before)
    drag(slider(widget, "Steps"), 0.3)
    expect(widget.get_by_role("alert")).to_contain_text("no such score")


def test_it_outlives_its_kernel_and_the_file(page: Page, lab: Lab):
    path = jupyter.open_notebook(page, lab, [DIGITS])
    widget = page.locator(".xai")
    settled(widget)
    canvas = widget.locator("canvas.xai-map")
    shown = pixels(canvas)
    jupyter.save(page)
    jupyter.restart_kernel(page)
    expect(status(widget)).to_contain_text("run the cell again")
    expect(slider(widget, "Steps")).to_be_disabled()
    expect(slider(widget, "Opacity")).to_be_enabled()
    np.testing.assert_array_equal(pixels(canvas), shown)
    lab.shut_down_kernels()
    jupyter.open_notebook(page, lab, path, run=False)
    np.testing.assert_array_equal(pixels(page.locator(".xai canvas.xai-map")), shown)
    drag(slider(widget, "Opacity"), 0.2)
    page.wait_for_timeout(100)
    assert not np.array_equal(pixels(canvas), shown)
    jupyter.run_all(page)
    settled(widget)


def test_a_reload_of_the_page_restores_it(page: Page, lab: Lab, digits):
    jupyter.open_notebook(page, lab, [DIGITS])
    widget = page.locator(".xai")
    settled(widget)
    drag(slider(widget, "Sigma"), 0.5)
    drag(slider(widget, "Opacity"), 0.5)
    settled(widget)
    opacity = float(slider(widget, "Opacity").input_value())
    expected = of_the_controls(widget, digits.model, digits.inputs[:1], opacity=opacity)
    comes_to_show(widget.locator("canvas.xai-map"), expected)
    jupyter.save(page)
    page.reload()
    page.wait_for_selector(".jp-NotebookPanel .jp-Cell", timeout=60_000)
    jupyter.wait_idle(page)
    comes_to_show(widget.locator("canvas.xai-map"), expected)
    assert float(slider(widget, "Opacity").input_value()) == opacity
    drag(slider(widget, "Steps"), 0.6)
    settled(widget)
    expected = of_the_controls(widget, digits.model, digits.inputs[:1], opacity=opacity)
    comes_to_show(widget.locator("canvas.xai-map"), expected)


def test_an_exported_page_needs_no_network_and_answers_its_display_controls(page: Page, digits, tmp_path: Path):
    widget = xai.SaliencyWidget(digits.model, digits.inputs[:1], names=digits.names)
    widget.to_html(tmp_path / "digit.html")
    widget.close()
    assert (tmp_path / "digit.html").stat().st_size < 200_000
    page.goto((tmp_path / "digit.html").as_uri())
    shown = page.locator(".xai")
    heat = xai.explain(digits.model, digits.inputs[:1]).heatmap()[0]
    comes_to_show(shown.locator("canvas.xai-map"), painted(heat, digits.inputs[0]))
    opacity = drag(slider(shown, "Opacity"), 0.25)
    comes_to_show(shown.locator("canvas.xai-map"), painted(heat, digits.inputs[0], opacity=opacity))
    expect(slider(shown, "Steps")).to_be_disabled()
    expect(shown).to_contain_text("Saved page")
    assert page.left_machine == []
    assert page.errors == []
