"""Exported pages, opened from disk: they draw, answer, and ask for nothing."""

import shutil
from pathlib import Path

import ipywidgets
import nbformat
import numpy as np
import pytest
from browser.lab import drag, pixels, screenshot
from browser.tiny import Tiny
from playwright.sync_api import Page, expect

from xai_widgets import pages

ROOT = Path(__file__).parents[2]
NOTEBOOK = [
    f"import sys; sys.path.insert(0, {str(Path(__file__).parents[1])!r})\nfrom browser.tiny import Tiny",
    "first = Tiny(text='</script><script>window.broken = true</script><!--<script>')\nfirst",
    "first",
    "Tiny(bytes([255, 0, 7, 9]))",
    "first.frame = {'arrays': [{'data': bytes([50, 60])}]}",
    "from IPython.display import HTML\nHTML('<img src=\"https://example.org/x.png\">')",
]


@pytest.fixture(scope="module")
def executed(tmp_path_factory: pytest.TempPathFactory) -> nbformat.NotebookNode:
    path = tmp_path_factory.mktemp("executed") / "tiny.ipynb"
    nbformat.write(nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in NOTEBOOK]), path)
    return pages.execute(path)


def open_page(page: Page, text: str, folder: Path) -> None:
    file = folder / "page.html"
    file.write_text(text, encoding="utf-8")
    page.goto(file.as_uri())


def test_a_widget_page_draws_from_disk(page: Page, tmp_path: Path):
    open_page(page, pages.widget_page(Tiny(value=4), title="a </title> & b"), tmp_path)
    expect(page.locator(".tiny output")).to_have_text("4 plain offline: true")
    expect(page).to_have_title("a </title> & b")
    np.testing.assert_array_equal(pixels(page.locator(".tiny canvas"))[0, :, 0], [0, 100, 200])
    assert page.locator(".tiny output").evaluate("e => getComputedStyle(e).color") == "rgb(1, 2, 3)"
    assert page.left_machine == page.errors == []


def test_two_views_of_one_widget_follow_each_other(page: Page, tmp_path: Path, executed: nbformat.NotebookNode):
    open_page(page, pages.notebook_page(executed), tmp_path)
    tiny = page.locator(".tiny")
    expect(tiny).to_have_count(3)
    first, again, other = tiny.all()
    assert drag(first.locator("input"), to=0.8) == 8
    expect(again.locator("output")).to_contain_text("8 ")
    expect(other.locator("output")).to_contain_text("3 ")
    assert again.locator("input").input_value() == "8"


def test_a_notebook_page_holds_the_last_state_and_stays_on_this_machine(page: Page, tmp_path: Path, executed):
    open_page(page, pages.notebook_page(executed), tmp_path)
    expect(page.locator(".tiny")).to_have_count(3)
    np.testing.assert_array_equal(pixels(page.locator(".tiny canvas").nth(0))[0, :, 0], [50, 60])
    np.testing.assert_array_equal(pixels(page.locator(".tiny canvas").nth(2))[0, :, 0], [255, 0, 7, 9])
    assert page.left_machine == []
    assert all("Content Security Policy" in error for error in page.errors)  # the picture from elsewhere, refused


def test_text_that_looks_like_a_script_stays_text(page: Page, tmp_path: Path, executed: nbformat.NotebookNode):
    open_page(page, pages.notebook_page(executed), tmp_path)
    expect(page.locator(".tiny output").first).to_contain_text("</script><script>window.broken = true</script><!--")
    assert page.evaluate("window.broken") is None


def test_boxes_are_drawn_and_other_widgets_say_why_not(page: Page, tmp_path: Path):
    box = ipywidgets.HBox([Tiny(), ipywidgets.IntSlider()])
    open_page(page, pages.widget_page(box), tmp_path)
    expect(page.locator(".tiny output")).to_contain_text("3 plain")
    expect(page.locator("main")).to_contain_text("Not shown: this widget needs a running kernel")


def test_the_lesson_as_one_page(page: Page, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """On the digits: its views are there, settled and with what was asked of them; a solution opens."""
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")  # nothing listens there
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    path = tmp_path / "checkout" / "notebooks" / "02_which_map_to_believe.ipynb"
    path.parent.mkdir(parents=True)
    shutil.copy(ROOT / "notebooks" / path.name, path)
    pages.main([str(path), str(tmp_path / "lesson.html")])
    page.set_viewport_size({"width": 1400, "height": 1200})
    page.goto((tmp_path / "lesson.html").as_uri())
    views = page.locator(".xai")
    expect(views).to_have_count(8)
    for view in views.all():
        expect(view).to_contain_text("Settled")
    strip = views.nth(1).get_by_role("group", name="Maps with random weights")
    expect(strip.locator("figure")).to_have_count(4)
    expect(views.nth(2).get_by_role("row")).to_have_count(1 + 5 + 2)
    expect(views.nth(3).get_by_role("row", name="Integrated gradients, 3")).to_contain_text("%")
    solution = page.locator("details").first
    solution.locator("summary").click()
    expect(solution).to_contain_text("Neither is a reason")
    page.set_viewport_size({"width": 480, "height": 1200})
    for view in views.all():
        assert view.evaluate("view => view.scrollWidth - view.clientWidth") <= 1
    screenshot(page, "lesson-480")
    assert page.left_machine == page.errors == []
