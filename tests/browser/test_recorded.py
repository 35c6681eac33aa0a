"""Recorded widgets without a kernel: in an exported page, in an exported notebook, and in a saved notebook reopened."""

import contextlib
from pathlib import Path

import nbformat
import pytest
from browser import lab as jupyter
from browser.lab import Lab, screenshot
from browser.painting import painted
from browser.views import comes_to_show, settled, slider
from nbconvert import HTMLExporter
from nbformat.sign import NotebookNotary
from playwright.sync_api import Locator, Page, expect

import xai_widgets as xai

STEPS = (2, 12, 40)
SETUP = """import xai_widgets as xai
model, inputs, labels, names = xai.examples.digits()
w = xai.SaliencyWidget(model, inputs[:2], "integrated_gradients", steps=12, names=names)"""
RECORD = f"w.record(steps={list(STEPS)}, baseline=[xai.Constant(0), xai.Blur(4)])"
WHAT_MOVES = "display controls and what was recorded can be moved"


def moves_to_what_was_recorded(shown: Locator, digits) -> None:
    """Each of the recorded positions shows the map that Python computes there."""
    canvas = shown.locator("canvas.xai-map")
    steps = slider(shown, "Steps")
    keys = shown.page.keyboard
    for baseline in (xai.Constant(0), xai.Blur(4)):
        shown.get_by_role("radio", name=type(baseline).label, exact=True).check()
        for key, landed in (("Home", STEPS[0]), ("ArrowRight", STEPS[1]), ("End", STEPS[-1]), ("25", STEPS[1])):
            if key == "25":  # nearer to 12 than to 40
                shown.get_by_role("spinbutton", name="Exact value").nth(1).fill(key)
                keys.press("Enter")
            else:
                steps.focus()
                keys.press(key)
            expect(steps).to_have_value(str(landed))
            method = xai.IntegratedGradients(steps=landed, baseline=baseline)
            heat = xai.explain(digits.model, digits.inputs[:1], method).heatmap()[0]
            comes_to_show(canvas, painted(heat, digits.inputs[0]), seconds=10)


def locks_the_rest(shown: Locator) -> None:
    """What was not recorded cannot be changed; what only this page needs can."""
    for label in ("Method", "Target", "Rule", "Sample"):
        expect(shown.get_by_label(label, exact=True)).to_be_disabled()
    expect(shown.get_by_role("button", name="Next")).to_be_disabled()
    for label in ("Steps", "Opacity"):
        expect(slider(shown, label)).to_be_enabled()


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, nbformat.NotebookNode]:
    """The page that the command writes of a notebook, and the notebook as it was executed."""
    from xai_widgets import pages

    folder = tmp_path_factory.mktemp("recorded")
    jupyter.write_notebook(folder / "recorded.ipynb", [SETUP, RECORD, "w"])
    notebook = pages.execute(folder / "recorded.ipynb")
    (folder / "recorded.html").write_text(pages.notebook_page(notebook), encoding="utf-8")
    return folder / "recorded.html", notebook


def test_an_exported_page_moves_to_what_was_recorded(page: Page, digits, tmp_path: Path):
    widget = xai.SaliencyWidget(digits.model, digits.inputs[:2], "integrated_gradients", steps=12, names=digits.names)
    widget.record(steps=list(STEPS), baseline=[xai.Constant(0), xai.Blur(4)])
    widget.to_html(tmp_path / "recorded.html")
    widget.close()
    page.goto((tmp_path / "recorded.html").as_uri())
    shown = page.locator(".xai")
    expect(shown).to_contain_text(f"Saved page; {WHAT_MOVES}")
    moves_to_what_was_recorded(shown, digits)
    locks_the_rest(shown)
    screenshot(shown, "recorded-page")
    assert page.left_machine == page.errors == []


def test_arrow_keys_go_from_one_recorded_position_to_the_next(page: Page, digits, tmp_path: Path):
    widget = xai.SaliencyWidget(digits.model, digits.inputs[:4], "integrated_gradients", steps=12)
    widget.record(steps=list(STEPS), index=[0, 2])
    widget.to_html(tmp_path / "recorded.html")
    widget.close()
    page.goto((tmp_path / "recorded.html").as_uri())
    shown = page.locator(".xai")
    steps = slider(shown, "Steps")
    steps.focus()
    for key, landed in (("ArrowLeft", 2), ("ArrowLeft", 2), ("ArrowRight", 12), ("ArrowRight", 40), ("ArrowRight", 40)):
        page.keyboard.press(key)
        expect(steps).to_have_value(str(landed))
    jupyter.drag(steps, 0.0)
    steps.evaluate("slider => slider.addEventListener('input', () => setTimeout(() => seen.push(slider.value)))")
    page.evaluate("window.seen = []")
    jupyter.drag(steps, 1.0, steps=60)
    page.wait_for_timeout(100)
    seen = [int(value) for value in page.evaluate("window.seen")]
    assert seen == sorted(seen), f"a drag goes to and fro: {seen}"
    sample = shown.get_by_label("Sample", exact=True)
    for button, landed in (("Next", "3"), ("Next", "3"), ("Previous", "1")):
        shown.get_by_role("button", name=button).click()
        expect(sample).to_have_value(landed)
        sample_shown = digits.inputs[int(landed) - 1]
        heat = xai.explain(digits.model, sample_shown[None], xai.IntegratedGradients(steps=40)).heatmap()[0]
        comes_to_show(shown.locator("canvas.xai-map"), painted(heat, sample_shown), seconds=10)
    assert page.errors == []


def test_an_exported_notebook_moves_to_what_was_recorded(page: Page, digits, executed):
    page.goto(executed[0].as_uri())
    shown = page.locator(".xai")
    expect(shown).to_contain_text(f"Saved page; {WHAT_MOVES}")
    moves_to_what_was_recorded(shown, digits)
    locks_the_rest(shown)
    assert page.left_machine == page.errors == []


@pytest.mark.parametrize("host", ["JupyterLab", "Notebook 7"])
def test_a_saved_notebook_moves_without_a_kernel(
    page: Page, lab: Lab, digits, executed, host: str, tmp_path_factory: pytest.TempPathFactory
):
    """The state that a kernel has left in the file; opening it starts another one, which knows nothing of it."""
    folders = tmp_path_factory.mktemp("root"), tmp_path_factory.mktemp("home")
    with contextlib.nullcontext(lab) if host == "JupyterLab" else jupyter.serve(*folders, "notebook") as server:
        path = server.new_path()
        nbformat.write(executed[1], path)
        jupyter.open_notebook(page, server, path, run=False)
        # A file from elsewhere shows its picture, until it is trusted.
        expect(page.locator(".jp-OutputArea-output img")).to_be_visible()
        NotebookNotary(data_dir=str(server.data)).sign(executed[1])  # as `jupyter trust` does
        jupyter.open_notebook(page, server, path, run=False)
        shown = page.locator(".xai")
        expect(shown).to_contain_text(WHAT_MOVES)
        moves_to_what_was_recorded(shown, digits)
        locks_the_rest(shown)
        assert page.left_machine == page.errors == []


def test_after_a_restart_of_the_kernel_what_was_recorded_still_moves(page: Page, lab: Lab, digits):
    jupyter.open_notebook(page, lab, [SETUP, RECORD, "w"])
    shown = page.locator(".xai")
    settled(shown)
    jupyter.restart_kernel(page)
    expect(shown).to_contain_text(f"No kernel: run the cell again; {WHAT_MOVES}")
    moves_to_what_was_recorded(shown, digits)
    locks_the_rest(shown)


def test_viewers_without_javascript_have_a_picture_and_its_sentence(executed, page: Page, browser, tmp_path: Path):
    """What a static viewer finds in the file: the richest form that it knows is a picture, the plainest a sentence."""
    (output,) = executed[1].cells[-1].outputs
    assert output.data["text/plain"].startswith("The map adds up to")
    notebook = nbformat.from_dict(executed[1])
    del notebook.metadata["widgets"]
    exporter = HTMLExporter()
    exporter.config.NbConvertBase.display_data_priority = ["text/html", "image/png", "text/plain"]
    text, _ = HTMLExporter(config=exporter.config).from_notebook_node(notebook)
    (tmp_path / "static.html").write_text(text, encoding="utf-8")
    with contextlib.closing(browser.new_context(java_script_enabled=False, offline=True)) as context:
        static = context.new_page()
        static.goto((tmp_path / "static.html").as_uri())
        picture = static.locator(".jp-OutputArea-output img")
        expect(picture).to_be_visible()
        assert picture.bounding_box()["width"] > 200
        screenshot(static, "static-viewer")
