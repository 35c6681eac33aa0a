"""One real JupyterLab and one real Chromium for all browser tests, and a page that cannot leave this machine."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from browser import chromium
from browser.guard import guarded_page
from browser.lab import Lab, screenshot, serve
from playwright.sync_api import Browser, Page, sync_playwright

FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync"]
FLAGS += ["--disable-background-networking", "--disable-component-update"]
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
def lab(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """JupyterLab takes some seconds to start, so all tests share it; without a browser it is not even started."""
    with serve(tmp_path_factory.mktemp("notebooks"), tmp_path_factory.mktemp("home")) as lab:
        yield lab


@pytest.fixture
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    """A page of its own."""
    with guarded_page(browser) as page:
        yield page
        if request.node.stash.get(FAILED, False):
            screenshot(page, "failed-" + re.sub(r"[^\w.-]+", "-", request.node.name), needed=True)
