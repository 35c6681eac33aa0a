"""SHAPWidget in a browser: charts that say what shap's own say, light one another, and stay when the kernel is gone."""

import re
from pathlib import Path

import numpy as np
import pytest
from browser import lab as jupyter
from browser.lab import Lab, pixels, screenshot
from browser.painting import differ, painted
from browser.views import is_accessible, looks, settled, stays_within
from playwright.sync_api import Locator, Page, expect

import xai_widgets as xai

TABLE = """import xai_widgets as xai
t = xai.examples.tabular()
widget = xai.SHAPWidget(t.model, t.inputs, names=t.names, features=t.features, index=3)
widget"""
CHARTS = ("waterfall", "force", "beeswarm", "bars", "all")
HIGH = (255, 0, 81)
HOSTILE = (
    "<img src=x onerror='window.broken = 1'>",
    "quote \" and ' and `",
    "\u202eright to left",
    "line\nbreak \U0001f98a",
)


@pytest.fixture(scope="module")
def explanation(tabular):
    """Values of 60 samples as shap has them."""
    pytest.importorskip("shap")
    method = xai.KernelSHAP(samples=256, baseline=xai.Samples(tabular.inputs[60:80]))
    explained = xai.explain(tabular.model, tabular.inputs[:60], method, target=1).to_shap()
    explained.feature_names = list(tabular.features)
    return explained


def saved(page: Page, folder: Path, widget) -> Locator:
    """The page of a widget, opened from disk."""
    widget.to_html(folder / "page.html")
    widget.close()
    page.goto((folder / "page.html").as_uri())
    return page.locator(".xai")


@pytest.fixture
def shown(page: Page, tmp_path: Path, explanation) -> Locator:
    return saved(page, tmp_path, xai.SHAPWidget(explanation, index=4))


def chart(widget: Locator, name: str) -> None:
    widget.get_by_role("radio", name=name, exact=True).check()


def number(text: str) -> float:
    return float(text.replace("\u2212", "-"))


def rows(widget: Locator) -> list[tuple[str, float]]:
    """Labels and figures of a waterfall, from the top."""
    bars = widget.locator(".xai-waterfall > button")
    labels = bars.locator(".xai-bar-label").all_inner_texts()
    return list(zip(labels, map(number, bars.locator(".xai-figure:last-child").all_inner_texts()), strict=True))


def ends(widget: Locator) -> np.ndarray:
    """(rows, 2) where the bars of a waterfall begin and end, as shares of its track."""
    bars = widget.locator(".xai-waterfall > button .xai-bar-track > span")
    styles = bars.evaluate_all("bars => bars.map(bar => [bar.style.insetInlineStart, bar.style.inlineSize])")
    found = np.array([[float(text.rstrip("%")) / 100 for text in pair] for pair in styles])
    return np.stack([found[:, 0], found.sum(axis=1)], axis=1)


def test_a_waterfall_says_what_shaps_own_says(shown: Locator, explanation):
    import matplotlib

    matplotlib.use("Agg")
    import shap
    from matplotlib import pyplot
    from matplotlib.patches import FancyArrow

    pyplot.figure()
    figure = shap.plots.waterfall(explanation[4], max_display=10, show=False).figure
    axes = figure.axes[0]
    labels = [text.get_text().split("=")[-1].strip() for text in axes.get_yticklabels()][:10]
    theirs = {round(float(text.get_position()[1])): number(text.get_text()) for text in axes.texts}
    arrows = [patch.get_xy() for patch in axes.patches if isinstance(patch, FancyArrow)]
    drawn = {round(float(xy[:, 1].mean())): (xy[:, 0].min(), xy[:, 0].max()) for xy in arrows}
    ticks = " ".join(text.get_text() for one in figure.axes for text in one.get_xticklabels())
    pyplot.close("all")

    ours = rows(shown)
    assert [label for label, _ in ours] == [re.sub(r"(\d+) other features", r"\1 others", one) for one in labels[::-1]]
    assert [value for _, value in ours] == pytest.approx([theirs[9 - row] for row in range(10)], abs=6e-3)
    theirs_at = np.array([drawn[9 - row] for row in range(10)])
    span = theirs_at.max() - theirs_at.min()
    np.testing.assert_allclose(ends(shown), (theirs_at - theirs_at.min()) / span, atol=2e-3)
    score, base = map(number, shown.locator(".xai-end > .xai-figure").all_inner_texts())
    assert base == pytest.approx(explanation.base_values[4], abs=1e-3)
    assert score == pytest.approx(base + explanation.values[4].sum(), abs=2e-3)
    stated = sorted(float(value.replace("\u2212", "-")) for value in re.findall(r"= ([\u2212-]?[\d.]+)", ticks))
    assert stated == pytest.approx(sorted([base, score]), abs=1e-3)


def test_a_beeswarm_says_what_shaps_own_says(page: Page, shown: Locator, explanation):
    import matplotlib

    matplotlib.use("Agg")
    import shap
    from matplotlib import pyplot

    pyplot.figure()
    axes = shap.plots.beeswarm(explanation, max_display=10, show=False, plot_size=None)
    labels = [text.get_text() for text in axes.get_yticklabels()][::-1]
    offsets = [np.asarray(one.get_offsets()) for one in axes.collections if len(one.get_offsets())]
    theirs = [np.sort(np.concatenate([at[:, 0] for at in offsets if round(at[:, 1].mean()) == y])) for y in range(10)]
    pyplot.close("all")

    chart(shown, "beeswarm")
    ours = shown.locator(".xai-swarm-name")
    assert ours.all_inner_texts() == [re.sub(r"Sum of (\d+) other features", r"\1 others", one) for one in labels]
    means = [number(re.search(r"mean magnitude \+?(\S+)", one.get_attribute("aria-label"))[1]) for one in ours.all()]
    np.testing.assert_allclose(means, [np.abs(values).mean() for values in theirs[::-1]], rtol=1e-3)
    # The dots at either end of each row, in the colour of their feature.
    canvas = shown.locator(".xai-swarm-dots canvas")
    page.wait_for_timeout(200)
    painted = pixels(canvas)
    scale = painted.shape[1] / canvas.bounding_box()["width"]
    every = np.concatenate(theirs)
    low, high = min(0, every.min()), max(0, every.max())
    inner = canvas.bounding_box()["width"] - 8
    for row, values in enumerate(theirs[::-1]):
        for value in (values[0], values[-1]):
            x = 4 + inner * (value - low) / (high - low)
            column = painted[int(scale * 26 * row) : int(scale * 26 * (row + 1)), round(scale * x)]
            assert column[:, 3].max() == 255, (row, value)
    feature = labels[0]
    place = list(explanation.feature_names).index(feature)
    largest = explanation.data[:, place].argmax()
    x = 4 + inner * (explanation.values[largest, place] - low) / (high - low)
    column = painted[: int(scale * 26), round(scale * x)]
    assert (np.abs(column[column[:, 3] == 255][:, :3].astype(int) - HIGH).max(axis=1) < 3).any()


def test_a_force_plot_reaches_from_its_pushes_to_the_score(shown: Locator, explanation):
    chart(shown, "force")
    base, score = map(number, shown.locator(".xai-mark b").all_inner_texts())
    assert (base, score) == (
        pytest.approx(explanation.base_values[4], abs=1e-3),
        pytest.approx(explanation.base_values[4] + explanation.values[4].sum(), abs=2e-3),
    )
    values = explanation.values[4]
    widths = {}
    for kind in ("up", "down"):
        styles = shown.locator(f".xai-{kind}").evaluate_all("all => all.map(one => one.style.inlineSize)")
        widths[kind] = sum(float(style.rstrip("%")) for style in styles) / 100
    up, down = values[values > 0].sum(), -values[values < 0].sum()
    # The line also holds the base value, where that lies beyond its pushes.
    whole = max(score + down, base) - min(score - up, base)
    assert widths["up"] == pytest.approx(up / whole, abs=2e-3)
    assert widths["down"] == pytest.approx(down / whole, abs=2e-3)


def test_a_feature_is_lit_in_all_charts_and_features_are_ordered(page: Page, shown: Locator):
    chart(shown, "all")
    first = shown.locator(".xai-waterfall > button").first
    name = first.locator(".xai-bar-label").inner_text()
    first.hover()
    expect(shown.locator(".xai-readout-line")).to_contain_text(f"{name} = ")
    first.click()
    page.mouse.move(0, 0)
    expect(first).to_have_attribute("aria-pressed", "true")
    for part in (".xai-waterfall > .xai-lit", ".xai-pushes > .xai-lit", ".xai-swarm-names > .xai-lit"):
        expect(shown.locator(part)).to_have_attribute("aria-pressed", "true")
        expect(shown.locator(part)).to_contain_text(name)
    chart(shown, "bars")
    expect(shown.locator(".xai-plain > .xai-lit")).to_contain_text(name)
    chart(shown, "waterfall")
    largest = [label for label, _ in rows(shown)]
    shown.get_by_label("Order").select_option("name")
    assert [label for label, _ in rows(shown)] == [*sorted(largest[:-1]), largest[-1]]
    shown.get_by_label("Top").fill("3")
    shown.get_by_label("Order").select_option("magnitude")
    assert [label for label, _ in rows(shown)] == [*largest[:3], "27 others"]
    shown.locator(".xai-waterfall > button").first.click()
    expect(shown.locator(".xai-waterfall > .xai-lit")).to_have_count(1)  # still under the pointer
    page.mouse.move(0, 0)
    expect(shown.locator(".xai-waterfall > .xai-lit")).to_have_count(0)


def test_by_keyboard_to_every_feature_and_sample(page: Page, shown: Locator, explanation):
    keys = page.keyboard
    shown.get_by_role("radio", name="waterfall", exact=True).focus()
    keys.press("Tab")
    expect(shown.locator(".xai-waterfall > button").first).to_be_focused()
    keys.press("ArrowDown")
    second = shown.locator(".xai-waterfall > button").nth(1)
    expect(second).to_be_focused()
    keys.press("Enter")
    expect(second).to_have_attribute("aria-pressed", "true")
    keys.press("End")
    expect(shown.locator(".xai-readout-line")).to_contain_text("21 others")
    chart(shown, "beeswarm")
    dots = shown.get_by_role("application")
    dots.focus()
    keys.press("ArrowLeft")
    expect(shown.locator(".xai-readout-line")).to_contain_text("sample 5 ")
    keys.press("ArrowRight")
    chosen = int(re.search(r"sample (\d+)", shown.locator(".xai-readout-line").inner_text())[1])
    assert chosen != 5
    keys.press("ArrowDown")
    expect(shown.locator(".xai-readout-line")).to_contain_text(f"sample {chosen} ")
    keys.press("Enter")
    expect(shown.get_by_label("Sample", exact=True)).to_have_value(str(chosen))
    chart(shown, "waterfall")
    score = number(shown.locator(".xai-end > .xai-figure").first.inner_text())
    row = chosen - 1
    assert score == pytest.approx(explanation.base_values[row] + explanation.values[row].sum(), abs=2e-3)
    expect(shown.locator(".xai-foot p")).to_contain_text("counts most")


def test_a_saved_page_keeps_every_chart_and_every_sample(page: Page, shown: Locator, explanation):
    for name in CHARTS:
        chart(shown, name)
        assert shown.locator(".xai-charts").inner_text().strip()
    shown.get_by_role("button", name="Next").click()
    chart(shown, "waterfall")
    score = number(shown.locator(".xai-end > .xai-figure").first.inner_text())
    assert score == pytest.approx(explanation.base_values[5] + explanation.values[5].sum(), abs=2e-3)
    assert number(shown.locator(".xai-trust dd").first.inner_text()) == score
    assert page.left_machine == page.errors == []


def test_names_that_look_like_markup_show_as_text(page: Page, tmp_path: Path):
    shap = pytest.importorskip("shap")
    values = np.array([[1.0, -2.0, 3.0, 0.5], [0.5, 1.0, -1.0, 2.0]])
    given = shap.Explanation(values, np.zeros(2), values, feature_names=list(HOSTILE))
    shown = saved(page, tmp_path, xai.SHAPWidget(given))
    chart(shown, "all")
    text = shown.locator(".xai-charts").evaluate("charts => charts.textContent")
    for name in HOSTILE:
        assert text.count(name) == 3
    assert page.evaluate("window.broken") is None
    assert shown.locator("img").count() == 0


def test_pictures_are_maps(page: Page, tmp_path: Path, digits):
    pytest.importorskip("shap")
    given = xai.explain(digits.model, digits.inputs[:3], xai.DeepLift(), target=2).to_shap()
    shown = saved(page, tmp_path, xai.SHAPWidget(given, index=2))
    expect(shown.locator("canvas.xai-map")).to_be_visible()
    page.wait_for_timeout(200)
    heat = given.values[2, :, :, 0]
    limits = digits.inputs[:3].min(), digits.inputs[:3].max()
    assert differ(pixels(shown.locator("canvas.xai-map")), painted(heat, digits.inputs[2], limits)) <= 2
    assert page.left_machine == page.errors == []


def test_a_click_on_a_dot_explains_its_sample_for_the_same_class(page: Page, lab: Lab, tabular):
    jupyter.open_notebook(page, lab, [TABLE])
    widget = page.locator(".xai")
    settled(widget)
    chart(widget, "beeswarm")
    expect(widget.locator("figcaption")).to_contain_text("All 114 samples", timeout=120_000)
    target = tabular.names.index(re.search("\u201c(.*?)\u201d", widget.locator("figcaption").inner_text())[1])
    dots = widget.get_by_role("application")
    dots.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowLeft")
    here = widget.locator(".xai-here")
    box = here.bounding_box()
    page.mouse.click(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    index = int(widget.get_by_label("Sample", exact=True).input_value()) - 1
    assert index != 3
    jupyter.comes_to_print(page, "print(widget.index)", str(index))
    told = jupyter.run_code(page, "a = widget.result(60); print(widget.index, widget.target, a.values[0].tolist())")
    kept, asked, values = told.strip().split(" ", 2)
    assert (int(kept), int(asked)) == (index, target)
    chart(widget, "bars")
    name, value = (
        widget.locator(".xai-plain > button").first.locator(part).inner_text()
        for part in (".xai-bar-label", ".xai-figure:last-child")
    )
    assert number(value) == pytest.approx(eval(values)[tabular.features.index(name)], abs=1e-3)
    widget.get_by_label("Method").select_option("DeepLIFT")
    same = "print(getattr(widget.method, 'baseline', None) == widget._menu.background, widget.method.name)"
    jupyter.comes_to_print(page, same, "True deep_lift")
    assert page.left_machine == page.errors == []


def test_accessible_and_within_bounds_in_light_and_dark(page: Page, lab: Lab):
    jupyter.open_notebook(page, lab, [TABLE])
    widget = page.locator(".xai")
    settled(widget)
    chart(widget, "all")
    expect(widget.locator("figcaption")).to_contain_text("All 114 samples", timeout=120_000)
    for look in looks(page):
        is_accessible(page)
        stays_within(widget)
        screenshot(widget, f"shap-{look}")
    assert page.errors == []
