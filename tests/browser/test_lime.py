"""LIMEWidget in a real JupyterLab: superpixels and bars light each other, refits are instant, parts go off and on."""

import re
import statistics
from pathlib import Path

import numpy as np
import pytest
from browser import lab as jupyter
from browser.lab import Lab, drag, pixels, screenshot
from browser.painting import painted
from browser.views import (
    PHOTOGRAPH,
    comes_to_show,
    is_accessible,
    looks,
    needs_data,
    settled,
    slider,
    stays_within,
)
from playwright.sync_api import Locator, Page, expect

import xai_widgets as xai

METHOD = xai.LIME(samples=300, segments=30)
DIGITS = """import xai_widgets as xai
model, inputs, labels, names = xai.examples.digits()
widget = xai.LIMEWidget(model, inputs, xai.LIME(samples=300, segments=30), names=names)
widget"""
TABLE = """t = xai.examples.tabular()
xai.LIMEWidget(t.model, t.inputs, xai.LIME(samples=300), names=t.names, features=t.features)"""
SHOW_PHOTOGRAPH = f"""{PHOTOGRAPH}
widget = xai.LIMEWidget(model, inputs, xai.LIME(samples=300, baseline=xai.Blur(12)), names=names)
widget"""
# From a change of the slider to the next paint of the canvas, in milliseconds.
PAINTS = """async slider => {
  const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, "value").set;
  const context = slider.closest(".xai").querySelector("canvas.xai-map").getContext("2d");
  const taken = [];
  for (let i = 0; i < 30; i++) {
    set.call(slider, 0.1 + i * 0.05);
    const start = performance.now();
    const painted = new Promise(done => {
      context.putImageData = function (...pixels) {
        CanvasRenderingContext2D.prototype.putImageData.apply(this, pixels);
        delete context.putImageData;
        done(performance.now() - start);
      };
    });
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    taken.push(await painted);
    await new Promise(next => setTimeout(next, 150));
  }
  return taken;
}"""


@pytest.fixture
def widget(page: Page, lab: Lab) -> Locator:
    """The digits, settled."""
    page.set_viewport_size({"width": 1400, "height": 1250})
    jupyter.open_notebook(page, lab, [DIGITS])
    widget = page.locator(".xai")
    settled(widget)
    return widget


@pytest.fixture(scope="module")
def expected(digits) -> xai.Attribution:
    return xai.explain(digits.model, digits.inputs[:1], METHOD)


def bars(widget: Locator) -> Locator:
    return widget.get_by_role("switch")


def figures(widget: Locator) -> list[tuple[int, float, float]]:
    """Number, weight and standard error of each bar."""
    rows = []
    for text in bars(widget).all_inner_texts():
        number = int(re.search(r"segment (\d+)", text)[1])
        value, error = text.replace("\u2212", "-").split("\n")[-1].split(" ± ")
        rows.append((number, float(value.split()[-1]), float(error)))
    return rows


def shows(widget: Locator, a: xai.Attribution, count: int) -> None:
    """Wait until the bars are those of an attribution, the strongest first."""
    order = np.argsort(-np.abs(a.values[0]), kind="stable")[:count]
    expect(bars(widget)).to_have_count(count)
    expect(bars(widget).first).to_contain_text(f"segment {order[0]}")
    strongest = f"{a.values[0][order[0]]:.3f}".replace("-", "\u2212")
    expect(bars(widget).first).to_contain_text(strongest, timeout=20_000)
    rows = figures(widget)
    np.testing.assert_allclose([value for _, value, _ in rows], a.values[0][order], atol=6e-4)
    np.testing.assert_allclose([error for *_, error in rows], a.error[0][order], atol=6e-4)


def middle(widget: Locator, labels: np.ndarray, number: int) -> tuple[float, float]:
    """Where on the page a segment's middle pixel is."""
    rows, columns = np.nonzero(labels == number)
    at = np.argmin((rows - rows.mean()) ** 2 + (columns - columns.mean()) ** 2)
    box = widget.locator(".xai-pane").first.bounding_box()
    height, width = labels.shape
    return box["x"] + box["width"] * (columns[at] + 0.5) / width, box["y"] + box["height"] * (rows[at] + 0.5) / height


def top_of(heat: np.ndarray, a: xai.Attribution, count: int) -> np.ndarray:
    kept = np.argsort(-np.abs(a.values[0]), kind="stable")[:count]
    return np.where(np.isin(a.segments[0], kept), heat, 0)


def test_top_and_sign_show_the_strongest_in_picture_and_bars(page: Page, widget: Locator, digits, expected):
    canvas, heat, x = widget.locator("canvas.xai-map"), expected.heatmap()[0], digits.inputs[0]
    shows(widget, expected, 10)
    comes_to_show(canvas, painted(top_of(heat, expected, 10), x, clip=100))
    slider(widget, "Top").focus()
    page.keyboard.press("End")
    shows(widget, expected, expected.values.shape[1])
    comes_to_show(canvas, painted(heat, x, clip=100))
    page.keyboard.press("Home")
    comes_to_show(canvas, painted(top_of(heat, expected, 1), x, clip=100))
    expect(widget.locator(".xai-others")).to_contain_text(f"{expected.values.shape[1] - 1} others")
    page.keyboard.press("End")
    for sign in ("negative", "absolute", "positive"):
        widget.get_by_role("radio", name=f"Sign: {sign}").check()
        scale = np.abs(heat).max()
        if np.maximum(heat if sign != "negative" else -heat, 0).max() == scale or sign == "absolute":
            comes_to_show(canvas, painted(heat, x, clip=100, sign=sign))
    strongest = int(expected.values[0].argmax())
    expect(bars(widget).first).to_contain_text(f"segment {strongest}")
    assert page.errors == []


@pytest.mark.parametrize("by", ["mouse", "keyboard"])
def test_a_refit_is_instant_and_what_explain_gives(page: Page, widget: Locator, digits, by: str):
    game = jupyter.run_code(page, "print(widget._surrogate['game'])")
    for label, field, to in (("Kernel width", "kernel_width", 0.4), ("Alpha", "alpha", 0.05)):
        control = slider(widget, label)
        if by == "mouse":
            drag(control, to)
        else:
            control.focus()
            for _ in range(30):
                page.keyboard.press("ArrowRight")
        method = METHOD.replace(**{field: float(control.input_value())})
        assert getattr(METHOD, field) != getattr(method, field)
        shows(widget, xai.explain(digits.model, digits.inputs[:1], method), 10)
        settled(widget)
        shows(widget, xai.explain(digits.model, digits.inputs[:1], method), 10)
        expect(widget.locator(".xai-trust")).to_contain_text("R²")
        if by == "mouse":
            drag(control, 0.1)
        control.locator("xpath=..").get_by_label("Exact value").fill(str(getattr(METHOD, field)))
        page.keyboard.press("Enter")
        shows(widget, xai.explain(digits.model, digits.inputs[:1], METHOD), 10)
    assert jupyter.run_code(page, "print(widget._surrogate['game'])") == game
    said = "print(widget.result().method.kernel_width, widget.result().method.alpha)"
    jupyter.comes_to_print(page, said, "0.25 1.0")


def test_picture_and_bars_light_each_other(page: Page, widget: Locator, expected):
    outlines = widget.locator("canvas.xai-outlines")
    labels, order = expected.segments[0], np.argsort(-np.abs(expected.values[0]), kind="stable")
    page.mouse.move(0, 0)
    page.wait_for_timeout(200)
    dark = pixels(outlines)
    for place in (0, 4):
        bars(widget).nth(place).hover()
        page.wait_for_timeout(200)
        lit = pixels(outlines)
        assert figures(widget)[place][0] == order[place]
        changed = np.argwhere((lit != dark).any(axis=2)) / lit.shape[:2] * labels.shape
        rows, columns = np.nonzero(labels == order[place])
        for axis, places in ((0, rows), (1, columns)):  # drawn around the segment, and nowhere else
            assert places.min() - 0.5 < changed[:, axis].min()
            assert changed[:, axis].max() < places.max() + 1.5
    page.mouse.move(0, 0)
    page.wait_for_timeout(200)
    np.testing.assert_array_equal(pixels(outlines), dark)
    for place in (0, 3):
        page.mouse.move(*middle(widget, labels, order[place]))
        expect(bars(widget).nth(place)).to_have_class(re.compile("xai-lit"))
        expect(widget.locator(".xai-lit")).to_have_count(1)
        expect(widget.locator(".xai-readout")).to_contain_text(f"segment {order[place]}")


def test_parts_are_switched_off_by_a_click(page: Page, widget: Locator, digits, expected):
    labels, order = expected.segments[0], np.argsort(-np.abs(expected.values[0]), kind="stable")
    first, second = int(order[1]), int(order[2])
    page.mouse.click(*middle(widget, labels, first))
    row = bars(widget).nth(1)
    expect(row).to_have_attribute("aria-checked", "false")
    bars(widget).nth(2).click()
    gone = np.isin(labels, [first, second])
    edited = np.where(gone[..., None], 0, digits.inputs[0])
    heat = np.where(gone, 0, top_of(expected.heatmap()[0], expected, 10))
    page.mouse.move(0, 0)
    comes_to_show(widget.locator("canvas.xai-map"), painted(heat, edited, (0, 1), clip=100))
    target = int(expected.target[0])
    model = xai.explain(digits.model, edited[None], "saliency", target=target).score[0]
    table = widget.locator(".xai-edit")
    expect(table).to_contain_text("2 off")
    expect(table.get_by_role("row", name="model", exact=False).first).to_contain_text(f"{model:.3f}")
    probabilities = digits.model(edited[None]).numpy()[0]
    expect(table).to_contain_text(f"It is now most likely {probabilities.argmax()}")
    assert jupyter.run_code(page, "print(widget.off)").strip() == str(sorted([first, second]))
    jupyter.run_code(page, f"widget.off = [{first}]")
    expect(bars(widget).nth(2)).to_have_attribute("aria-checked", "true")
    widget.get_by_role("button", name="Switch all on").click()
    expect(row).to_have_attribute("aria-checked", "true")
    expect(table).to_contain_text("Click a part")
    assert page.errors == []


def test_by_keyboard_alone(page: Page, widget: Locator):
    page.evaluate("""() => { window.commands = [];
      window.jupyterapp.commands.commandExecuted.connect((_, { id }) => window.commands.push(id)); }""")
    widget.get_by_label("Method").focus()
    reached = []
    for _ in range(40):
        reached.append(
            page.evaluate(
                "document.activeElement.labels?.[0]?.innerText || document.activeElement.ariaLabel"
                " || document.activeElement.innerText"
            )
        )
        page.keyboard.press("Tab")
        if not page.evaluate("document.querySelector('.xai').contains(document.activeElement)"):
            break
    wanted = {"Method", "Target", "Kernel width", "Alpha", "Top", "Samples", "Segments", "Switch all on"}
    assert wanted <= set(reached)
    assert sum("segment" in (name or "") for name in reached) == 1, "the bars are one stop of the Tab key"

    bars(widget).first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    expect(bars(widget).nth(2)).to_be_focused()
    expect(bars(widget).nth(2)).to_have_class(re.compile("xai-lit"))
    page.keyboard.press("Space")
    expect(bars(widget).nth(2)).to_have_attribute("aria-checked", "false")
    page.keyboard.press("Enter")
    expect(bars(widget).nth(2)).to_have_attribute("aria-checked", "true")
    page.keyboard.press("End")
    expect(bars(widget).last).to_be_focused()

    picture = widget.get_by_role("application", name="Point on the picture")
    picture.focus()
    page.keyboard.press("ArrowLeft")
    said = widget.locator(".xai-readout").inner_text()
    number = re.search(r"segment (\d+)", said)[1]
    page.keyboard.press("Enter")
    expect(widget.locator(".xai-readout")).to_contain_text("off")
    expect(widget.locator(".xai-edit")).to_contain_text("1 off")
    jupyter.comes_to_print(page, "print(widget.off)", f"[{number}]")
    assert [one for one in page.evaluate("window.commands") if not one.startswith("notebook:")] == []


def test_accessible_and_within_bounds_in_light_and_dark(page: Page, lab: Lab):
    jupyter.open_notebook(page, lab, [DIGITS, TABLE])
    widgets = page.locator(".xai")
    expect(widgets).to_have_count(2)
    for widget in widgets.all():
        settled(widget)
        bars(widget).nth(1).click()
        expect(widget.locator(".xai-edit")).to_contain_text("most likely")
    for look in looks(page):
        is_accessible(page)
        for widget, name in zip(widgets.all(), ("digits", "table"), strict=True):
            stays_within(widget)
            screenshot(widget, f"lime-{name}-{look}")
    assert page.errors == []


def test_it_outlives_its_kernel_and_refits_without_one(page: Page, lab: Lab, widget: Locator, digits):
    jupyter.save(page)
    path = max(lab.root.glob("*.ipynb"), key=lambda one: one.stat().st_mtime)
    lab.shut_down_kernels()
    jupyter.open_notebook(page, lab, path, run=False)
    widget = page.locator(".xai")
    width = drag(slider(widget, "Kernel width"), 0.5)
    expect(slider(widget, "Samples")).to_be_disabled()
    shows(widget, xai.explain(digits.model, digits.inputs[:1], METHOD.replace(kernel_width=width)), 10)


def test_an_exported_page_refits_links_and_switches_without_network_or_kernel(page: Page, digits, tmp_path: Path):
    made = xai.LIMEWidget(digits.model, digits.inputs[:1], METHOD, names=digits.names)
    a = made.result()
    made.to_html(tmp_path / "digit.html")
    made.close()
    assert (tmp_path / "digit.html").stat().st_size < 200_000
    page.goto((tmp_path / "digit.html").as_uri())
    widget = page.locator(".xai")
    shows(widget, a, 10)
    width = drag(slider(widget, "Kernel width"), 0.3)
    again = xai.explain(digits.model, digits.inputs[:1], METHOD.replace(kernel_width=width))
    shows(widget, again, 10)
    expect(widget.locator(".xai-foot")).to_contain_text("Fitted anew in this page")
    heat = top_of(again.heatmap()[0], again, 10)
    comes_to_show(widget.locator("canvas.xai-map"), painted(heat, digits.inputs[0], clip=100))
    first = int(np.argmax(np.abs(again.values[0])))
    page.mouse.move(*middle(widget, again.segments[0], first))
    expect(bars(widget).first).to_have_class(re.compile("xai-lit"))
    bars(widget).first.click()
    expect(widget.locator(".xai-edit")).to_contain_text("needs a kernel")
    expect(slider(widget, "Samples")).to_be_disabled()
    widget.get_by_role("radio", name="Sign: positive").check()
    slider(widget, "Top").focus()
    page.keyboard.press("Home")
    expect(bars(widget)).to_have_count(1)
    assert page.left_machine == []
    assert page.errors == []


@needs_data
def test_a_photograph_without_its_dog_is_something_else(page: Page, lab: Lab):
    page.set_viewport_size({"width": 1400, "height": 1250})
    jupyter.open_notebook(page, lab, [SHOW_PHOTOGRAPH])
    widget = page.locator(".xai")
    settled(widget)
    taken = slider(widget, "Kernel width").evaluate(PAINTS)
    print(f"refit: {statistics.median(taken):.0f} ms from input to paint, at most {max(taken):.0f}")
    assert statistics.median(taken) < 75  # about two animation frames on a quiet machine
    settled(widget)
    screenshot(widget, "lime-photograph")
    for place in range(2):
        bars(widget).nth(place).click()
    edited = widget.locator(".xai-edit")
    expect(edited).to_contain_text("It is now most likely")
    expect(edited).not_to_contain_text("bull mastiff")
    for mode in ("side by side", "mask"):
        widget.get_by_role("radio", name=mode).check()
        page.wait_for_timeout(200)
        screenshot(widget, f"lime-photograph-{mode.replace(' ', '-')}")
    assert page.left_machine == []
    assert page.errors == []
