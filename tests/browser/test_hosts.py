"""Every widget in every host: it is seen, it answers, it stays on this machine, and no name becomes markup."""

import re
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest
from browser import hosts
from browser import lab as jupyter
from browser.guard import guarded_page
from browser.hostile import evil
from browser.hosts import HOSTS
from browser.kinds import KINDS, SETUP, VIEWS, Kind
from browser.lab import Lab, screenshot
from browser.views import ROOT, WIDTHS, is_accessible, settled, slider, stays_within
from PIL import Image
from playwright.sync_api import Browser, Locator, Page, Request, WebSocket, expect


@dataclass
class Shown:
    """A page of a host that shows all widgets, then all of them again with hostile names."""

    host: str
    page: Page
    # What it told the kernel of widgets.
    told: list[str] = field(default_factory=list)

    def widget(self, kind: Kind, *, hostile: bool = False) -> Locator:
        """The view of a widget, settled; of two the one whose names are hostile."""
        view = self.page.locator(VIEWS).nth(KINDS.index(kind) + hostile * len(KINDS))
        settled(view)
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
    request: pytest.FixtureRequest, browser: Browser, lab: Lab, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Shown]:
    with guarded_page(browser) as page:
        shown = Shown(request.param, page)
        page.on("websocket", shown.note_socket)
        page.on("request", shown.note_request)
        expressions = [kind.code for kind in KINDS] + [kind.hostile for kind in KINDS]
        folder = tmp_path_factory.mktemp("host")
        with hosts.opened(shown.host, page, lab, folder, SETUP, expressions):
            yield shown


@pytest.fixture
def shown(opened: Shown) -> Iterator[Shown]:
    yield opened
    own = hosts.OWN_ADDRESSES.get(opened.host)
    assert [url for url in opened.page.left_machine if not (own and url.startswith(own))] == []
    assert opened.page.errors == []


every_kind = pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)

# What is drawn: markup with its positions and colours, and what canvases hold.
DRAWN = """drawing => [drawing, ...drawing.querySelectorAll("canvas")].map(
  element => element.tagName === "CANVAS" ? element.toDataURL() : element.outerHTML).join()"""


def drawing(widget: Locator, kind: Kind) -> Locator:
    return widget.locator(kind.drawing).first


def there_and_back(widget: Locator, kind: Kind, label: str) -> None:
    """Move a slider to another end of its track by keyboard, then to where it was: what is drawn follows both times."""
    drawn, control = drawing(widget, kind), slider(widget, label)
    before, value = drawn.evaluate(DRAWN), control.input_value()
    control.focus()
    control.page.keyboard.press("Home" if value != control.get_attribute("min") else "End")
    waits_until(lambda: drawn.evaluate(DRAWN) != before)
    settled(widget)
    control.fill(value)
    waits_until(lambda: drawn.evaluate(DRAWN) == before)
    settled(widget)


def waits_until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + 90
    while not is_so():
        assert time.monotonic() < end, "what is drawn is not what it should be"
        time.sleep(0.05)


@every_kind
def test_the_view_appears_with_its_map(shown: Shown, kind: Kind):
    widget = shown.widget(kind)
    drawn = drawing(widget, kind)
    expect(drawn).to_be_visible()
    seen = np.asarray(Image.open(screenshot(drawn, f"drawn-{shown.host}-{kind.name}", needed=True)).convert("RGB"), int)
    coloured = np.ptp(seen, axis=-1) > 40
    assert coloured.mean() > 0.01, "a map or a chart without colour"
    assert widget.get_by_role("alert").count() == 0


@every_kind
def test_a_compute_control_changes_the_map(shown: Shown, kind: Kind):
    widget = shown.widget(kind)
    if not shown.live:
        expect(slider(widget, kind.compute)).to_be_disabled()
        expect(widget).to_contain_text("Saved page")
        return
    there_and_back(widget, kind, kind.compute)
    assert widget.get_by_role("alert").count() == 0
    assert shown.told


@every_kind
def test_a_display_control_changes_the_map_and_tells_the_kernel_nothing(shown: Shown, kind: Kind):
    widget = shown.widget(kind)
    shown.page.wait_for_timeout(500)  # what the last change sends by itself
    shown.told.clear()
    there_and_back(widget, kind, kind.display)
    shown.page.wait_for_timeout(200)
    assert shown.told == []


@every_kind
def test_the_arrows_read_the_map(shown: Shown, kind: Kind):
    widget = shown.widget(kind)
    says = widget.locator(kind.says).first
    silent = says.inner_text()
    widget.locator(kind.reads).first.focus()
    read = []
    for key in (*kind.arrows, "b"):
        shown.page.keyboard.press(key)
        expect(says).not_to_have_text(silent)
        read.append(says.inner_text())
    assert len(set(read)) == len(kind.arrows), read
    shown.page.keyboard.press("Escape")
    expect(says).to_have_text(silent)
    assert widget.evaluate("widget => widget.contains(widget.getRootNode().activeElement)")


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


@every_kind
def test_the_keyboard_reaches_every_control(shown: Shown, kind: Kind):
    stops = shown.widget(kind).evaluate(STOPS)
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


@every_kind
def test_nothing_moves_where_motion_is_to_be_reduced(shown: Shown, kind: Kind):
    widget = shown.widget(kind)
    assert widget.evaluate(MOVES) != []
    shown.page.emulate_media(reduced_motion="reduce")
    assert widget.evaluate(MOVES) == []
    shown.page.emulate_media(reduced_motion="no-preference")


# All that a view says, in the order of the page: text, what boxes hold, names for screen readers and for the pointer.
SAYS = """widget => [widget, ...widget.querySelectorAll("*")].flatMap(element => [
  ...[...element.childNodes].filter(node => node.nodeType === Node.TEXT_NODE).map(node => node.data),
  element.value ?? "", element.ariaLabel ?? "", element.title ?? "",
].map(String)).join("\\n")"""


@every_kind
def test_hostile_names_are_text(shown: Shown, kind: Kind):
    widget = shown.widget(kind, hostile=True)
    if shown.live:
        widget.get_by_role("combobox", name="Target").click()  # the list of classes
    says = widget.evaluate(SAYS)
    for name in [*kind.names, "class 0", "class 1", "class 2"] if shown.live else kind.names:
        assert evil(name) in says, f"no {name} as it is"
    assert re.search(r"\u201cclass \d <img src=x onerror=.*</script><script>", says), "no class in the sentence"
    shown.page.keyboard.press("Escape")
    assert widget.locator("img, script, iframe, object, b [onerror], [onerror], [onload]").count() == 0
    assert shown.page.evaluate("window.broken") is None
    stays_within(widget)


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_sticks_out(shown: Shown, width: int):
    before = shown.page.viewport_size
    shown.page.set_viewport_size({"width": width, "height": 2400})
    toggles = shown.host == "JupyterLab" and width < 500
    if toggles:
        jupyter.run_command(shown.page, "application:toggle-left-area")
    shown.page.wait_for_timeout(500)  # JupyterLab lays its panels out after a moment
    for kind in KINDS:
        for hostile in (False, True):
            widget = shown.widget(kind, hostile=hostile)
            stays_within(widget)
            assert widget.bounding_box()["width"] <= width
            if width < 500 or not hostile:
                screenshot(widget, f"{'hostile' if hostile else 'host'}-{shown.host}-{kind.name}-{width}")
    if toggles:
        jupyter.run_command(shown.page, "application:toggle-left-area")
    shown.page.set_viewport_size(before)


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
    within: list[object] = [".xai", ".xai-explore"]
    if shown.host == "marimo":
        within = [{"fromShadowDom": ["marimo-anywidget", view]} for view in within]
    for theme in ("light", "dark"):
        set_theme(shown, theme)
        for kind in KINDS:
            around, own = shown.widget(kind).evaluate(BRIGHTNESS)
            assert own is None or (own > 0.5) == (theme == "light"), f"{kind.name} is not {theme}"
            assert around is None or (around > 0.5) == (theme == "light"), f"the page is not {theme}"
            shown.widget(kind, hostile=True)
            if theme == "dark":
                screenshot(shown.widget(kind), f"dark-{shown.host}-{kind.name}")
        is_accessible(shown.page, {"include": within})
    set_theme(shown, "light")


def test_the_readme_tells_of_these_hosts_and_tests():
    """Each cell of its table has a number, and each number a test that there is."""
    table = (ROOT / "README.md").read_text(encoding="utf-8").split("### Where it works")[1].split("\n### ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")]
    for host, begin in zip(HOSTS, ("JupyterLab", "Notebook 7", "Voila", "marimo", "a page by `widget.to"), strict=True):
        assert any(row.startswith(f"| {begin}") for row in rows), f"nothing is said of {host}"
    notes = dict(re.findall(r"\[(\d+)\] ((?:`test_\w+`(?:,\s+)?)+)", table))
    cells = [cell.strip() for row in rows[2:] for cell in row.strip("|").split("|")[1:]]
    numbers = [re.findall(r"\[(\d+)\]", cell) for cell in cells if cell]
    assert all(numbers), "a cell without a test"
    assert {number for found in numbers for number in found} == set(notes)
    sources = "".join(path.read_text(encoding="utf-8") for path in Path(__file__).parent.glob("test_*.py"))
    for name in re.findall(r"test_\w+", " ".join(notes.values())):
        assert f"def {name}(" in sources, f"there is no {name}"
