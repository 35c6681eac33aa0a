"""Every widget in every host: it is seen, it answers, it stays on this machine, and no name becomes markup."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import hosts
from browser import lab as jupyter
from browser.guard import guarded_page
from browser.hostile import evil
from browser.hosts import HOSTS, WIDGETS
from browser.lab import Lab, pixels, screenshot
from browser.test_saliency import STICKS_OUT
from playwright.sync_api import Browser, Locator, Page, Request, WebSocket, expect

SETUP = f"""import sys
sys.path.insert(0, {str(Path(__file__).parents[1])!r})
from browser.hostile import hostile
import xai_widgets as xai
model, inputs, labels, names = xai.examples.digits()
inputs = inputs[:3]"""
DISPLAY = {"Opacity", "Clip", "Threshold", "Smooth"}


@dataclass
class Shown:
    """A page of a host that shows all widgets."""

    host: str
    page: Page
    # What it told the kernel of widgets.
    told: list[str] = field(default_factory=list)

    def widget(self, name: str, *, hostile: bool = False) -> Locator:
        """The view of a widget, settled; of two the one whose names are hostile."""
        view = self.page.locator(".xai").nth(WIDGETS.index(name) + hostile * len(WIDGETS))
        expect(view.get_by_role("status")).to_contain_text("Settled", timeout=120_000)
        return view

    @property
    def live(self) -> bool:
        """Whether a kernel answers."""
        return self.host != "exported page"

    def note_socket(self, socket: WebSocket) -> None:
        """Listen to what leaves the page by a web socket, as Jupyter's messages do."""
        socket.on("framesent", lambda data: self.note(data if isinstance(data, bytes) else data.encode()))

    def note_request(self, request: Request) -> None:
        """Listen to what leaves the page by a request, as marimo's messages do."""
        if request.method == "POST" and "/set_" in request.url:
            self.told.append(request.url)

    def note(self, data: bytes) -> None:
        if b"comm_msg" in data:
            self.told.append(data.decode(errors="replace"))


@pytest.fixture(scope="module", params=HOSTS)
def opened(
    request: pytest.FixtureRequest, browser: Browser, lab_server: Lab, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shown]:
    with guarded_page(browser) as page:
        shown = Shown(request.param, page)
        page.on("websocket", shown.note_socket)
        page.on("request", shown.note_request)
        expressions = [f"xai.{name}(model, inputs, names=names)" for name in WIDGETS]
        expressions += [f"hostile({name!r})" for name in WIDGETS]
        folder = tmp_path_factory.mktemp("host")
        with hosts.opened(shown.host, page, lab_server, folder, SETUP, expressions):
            yield shown


@pytest.fixture
def shown(opened: Shown, request: pytest.FixtureRequest) -> Iterator[Shown]:
    yield opened
    screenshot(opened.page, f"host-{request.node.name}".replace("/", "-"))
    own = hosts.OWN_ADDRESSES.get(opened.host)
    assert [url for url in opened.page.left_machine if not (own and url.startswith(own))] == []
    assert opened.page.errors == []


every_widget = pytest.mark.parametrize("name", WIDGETS)


def map_of(widget: Locator) -> Locator:
    return widget.locator("canvas.xai-map").first


def changes(canvas: Locator, before: np.ndarray) -> None:
    """Wait until a canvas shows something else."""
    for _ in range(600):
        if not np.array_equal(pixels(canvas), before):
            return
        canvas.page.wait_for_timeout(50)
    raise AssertionError("the map stays as it was")


def compute_sliders(widget: Locator) -> list[Locator]:
    """The sliders that are not of the display, in their order."""
    return [
        one
        for one in widget.get_by_role("slider").all()
        if one.evaluate("slider => slider.labels?.[0]?.innerText ?? ''").strip().capitalize() not in DISPLAY
    ]


@every_widget
def test_the_view_appears_with_its_map(shown: Shown, name: str):
    widget = shown.widget(name)
    expect(map_of(widget)).to_be_visible()
    assert len(np.unique(pixels(map_of(widget)).reshape(-1, 4), axis=0)) > 16, "a blank map"
    assert widget.get_by_role("alert").count() == 0


@every_widget
def test_a_compute_slider_changes_the_map(shown: Shown, name: str):
    widget = shown.widget(name)
    sliders = compute_sliders(widget)
    assert sliders
    if not shown.live:
        for slider in sliders:
            expect(slider).to_be_disabled()
        expect(widget).to_contain_text("Saved page")
        return
    before = pixels(map_of(widget))
    slider = sliders[0]
    slider.focus()
    at_start = slider.evaluate("slider => slider.value === slider.min")
    shown.page.keyboard.press("End" if at_start else "Home")
    changes(map_of(widget), before)
    shown.widget(name)
    assert widget.get_by_role("alert").count() == 0
    assert shown.told


@every_widget
def test_a_display_slider_changes_the_map_and_tells_the_kernel_nothing(shown: Shown, name: str):
    widget = shown.widget(name)
    shown.page.wait_for_timeout(500)  # what the last change sends by itself
    shown.told.clear()
    before = pixels(map_of(widget))
    widget.get_by_role("slider", name="Opacity", exact=True).focus()
    for _ in range(30):
        shown.page.keyboard.press("ArrowLeft")
    changes(map_of(widget), before)
    shown.page.wait_for_timeout(200)
    assert shown.told == []


@every_widget
def test_the_arrows_read_the_map(shown: Shown, name: str):
    widget = shown.widget(name)
    frame = widget.get_by_role("application").first
    frame.focus()
    readout = frame.locator(".xai-readout")
    read = []
    for key in ("ArrowLeft", "ArrowLeft", "ArrowUp", "b"):
        shown.page.keyboard.press(key)
        expect(readout).not_to_be_empty()
        read.append(readout.inner_text())
    assert len(set(read)) == 3, read
    shown.page.keyboard.press("Escape")
    expect(readout).to_be_empty()


# Stops of the Tab key in a view, marked by number; of a group of radios only one is a stop.
STOPS = """widget => {
  const groups = new Set();
  const stops = [...widget.querySelectorAll("input, select, button, textarea, [tabindex]")].filter(element => {
    if (element.matches(":disabled") || element.tabIndex < 0 || !element.checkVisibility()) return false;
    if (element.type !== "radio") return true;
    const first = !groups.has(element.name);
    groups.add(element.name);
    return first;
  });
  stops[0].focus();
  return stops.map(element => element.name || (element.dataset.stop = `${stops.indexOf(element)}`));
}"""
FOCUSED = """() => {
  let focused = document.activeElement;
  while (focused?.shadowRoot?.activeElement) focused = focused.shadowRoot.activeElement;
  return focused && (focused.name || focused.dataset.stop);
}"""


@every_widget
def test_the_keyboard_reaches_every_control(shown: Shown, name: str):
    stops = shown.widget(name).evaluate(STOPS)
    reached = []
    for _ in range(len(stops) + 5):
        reached.append(shown.page.evaluate(FOCUSED))
        shown.page.keyboard.press("Tab")
    assert [stop for stop in stops if stop not in reached] == []
    assert len(stops) > 10 if shown.live else len(stops) > 5


MOVES = """widget => [widget, ...widget.querySelectorAll("*")].filter(element => {
  const { transitionDuration, animationName } = getComputedStyle(element);
  return animationName !== "none" || transitionDuration.split(", ").some(time => time !== "0s");
}).map(element => element.className)"""


@every_widget
def test_nothing_moves_where_motion_is_to_be_reduced(shown: Shown, name: str):
    shown.page.emulate_media(reduced_motion="reduce")
    assert shown.widget(name).evaluate(MOVES) == []
    shown.page.emulate_media(reduced_motion=None)


# All that a view says, in the order of the page: text, what boxes hold, names for screen readers and for the pointer.
SAYS = """widget => [widget, ...widget.querySelectorAll("*")].flatMap(element => [
  ...[...element.childNodes].filter(node => node.nodeType === Node.TEXT_NODE).map(node => node.data),
  element.value ?? "", element.ariaLabel ?? "", element.title ?? "",
].map(String)).join("\\n")"""


@every_widget
def test_hostile_names_are_text(shown: Shown, name: str):
    widget = shown.widget(name, hostile=True)
    if shown.live:
        widget.get_by_role("combobox", name="Target").click()  # the list of classes
    says = widget.evaluate(SAYS)
    kinds = ["model", "feature 0" if "feature 0" in says else "layer"]
    for kind in [*kinds, "class 0", "class 1", "class 2"] if shown.live else kinds:
        assert evil(kind) in says, f"no {kind} as it is"
    assert re.search(r"\u201cclass \d <img src=x onerror=.*</script><script>", says), "no class in the sentence"
    shown.page.keyboard.press("Escape")
    assert widget.locator("img, script, iframe, object, b, [onerror], [onload]").count() == 0
    assert shown.page.evaluate("window.broken") is None
    assert max(widget.evaluate(STICKS_OUT)) <= 1, "something sticks out of the widget"
    screenshot(widget, f"hostile-{shown.host}-{name}")


def set_theme(shown: Shown, theme: str) -> None:
    if shown.host in ("JupyterLab", "Notebook 7"):
        jupyter.set_theme(shown.page, theme)
    elif shown.host == "Voila":
        if theme == "dark":  # it runs the notebook once more
            shown.page.goto(f"{shown.page.url.split('?')[0]}?theme={theme}", timeout=120_000)
    else:
        shown.page.emulate_media(color_scheme=theme)


# Brightness of the page behind a view and of the view's own background, 0 to 1.
BRIGHTNESS = """widget => {
  const context = Object.assign(document.createElement("canvas"), { width: 1, height: 1 }).getContext("2d");
  const shown = element => {
    context.clearRect(0, 0, 1, 1);
    context.fillStyle = getComputedStyle(element).backgroundColor;
    context.fillRect(0, 0, 1, 1);
    const [r, g, b, a] = context.getImageData(0, 0, 1, 1).data;
    return a < 128 ? null : (r + g + b) / 765;
  };
  const up = element => element.parentElement ?? element.getRootNode().host;
  let around = null;
  for (let at = up(widget); at && around === null; at = up(at)) around = shown(at);
  return [around, shown(widget)];
}"""


def test_accessible_in_both_themes(shown: Shown):
    for theme in ("light", "dark"):
        set_theme(shown, theme)
        for name in WIDGETS:
            around, own = shown.widget(name).evaluate(BRIGHTNESS)
            assert (own > 0.5) == (theme == "light"), f"{name} is not {theme}"
            assert around is None or (around > 0.5) == (theme == "light"), f"the page is not {theme}"
        within = ".xai"
        if shown.host == "marimo":
            within = {"include": [{"fromShadowDom": ["marimo-anywidget", ".xai"]}]}
        found = Axe().run(shown.page, context=within)
        assert len(found.response["passes"]) > 10
        assert found.violations_count == 0, found.generate_report()
        screenshot(shown.page, f"host-{shown.host}-{theme}")
    set_theme(shown, "light")
