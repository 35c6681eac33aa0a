"""One real JupyterLab and one real Chromium for all browser tests, and a page that cannot leave this machine."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from browser import chromium
from browser.lab import Lab, screenshot, serve
from playwright.sync_api import Browser, ConsoleMessage, Page, Route, sync_playwright

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
FLAGS += ["--disable-background-networking", "--disable-component-update"]
LOCAL_SCHEMES = {"about", "blob", "data", "file"}
# What JupyterLab itself says on the console when a kernel restarts or a notebook opens without one.
KNOWN_NOISE = re.compile("Could not restore the debugger state|Canceled future for|create_subshell_request")
FAILED = pytest.StashKey[bool]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Every test of this folder is a browser test."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker("browser")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    """Let the page fixture know that its test failed."""
    report = yield
    if report.failed:
        item.stash[FAILED] = True
    return report


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Headless Chromium."""
    with sync_playwright() as playwright:
        path = chromium.find(playwright)
        if path is None:
            give_up = pytest.fail if os.environ.get("CI") == "true" else pytest.skip
            give_up(f"no Chromium. {chromium.ADVICE}")
        launched = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield launched
        launched.close()


@pytest.fixture(scope="session")
def lab_server(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """JupyterLab takes some seconds to start, so all tests share it; without a browser it is not even started."""
    with serve(tmp_path_factory.mktemp("notebooks"), tmp_path_factory.mktemp("home")) as lab:
        yield lab


@pytest.fixture
def lab(lab_server: Lab) -> Iterator[Lab]:
    """The JupyterLab server; kernels end with the test."""
    yield lab_server
    lab_server.shut_down_kernels()


@pytest.fixture
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page of its own.

    `page.left_machine` lists the addresses it wanted from elsewhere (none was fetched), `page.errors` what went wrong
    in its JavaScript, less JupyterLab's own noise.
    """
    context = browser.new_context(viewport={"width": 1200, "height": 950})
    page = context.new_page()
    page.left_machine = []
    page.errors = []

    def guard(route: Route) -> None:
        if is_local(route.request.url):
            route.continue_()
        else:
            page.left_machine.append(route.request.url)
            route.abort()

    def note(text: str) -> None:
        if not KNOWN_NOISE.search(text):
            page.errors.append(text)

    def note_console(message: ConsoleMessage) -> None:
        if message.type == "error":
            note(message.text)

    context.route("**/*", guard)
    page.on("websocket", lambda socket: is_local(socket.url) or page.left_machine.append(socket.url))
    page.on("pageerror", lambda error: note(str(error)))
    page.on("console", note_console)
    yield page
    if request.node.stash.get(FAILED, False):
        screenshot(page, "failed-" + re.sub(r"[^\w.-]+", "-", request.node.name))
    context.close()


def is_local(url: str) -> bool:
    """Whether an address stays on this machine."""
    parts = urlsplit(url)
    return parts.scheme in LOCAL_SCHEMES or parts.hostname in {"127.0.0.1", "localhost"}
