"""A page that cannot leave this machine."""

import contextlib
import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from playwright.sync_api import Browser, ConsoleMessage, Page, Route

LOCAL_SCHEMES = {"about", "blob", "data", "file"}
# What hosts themselves say on the console: JupyterLab when a kernel restarts or a notebook opens without one, Notebook
# 7 when it opens any notebook, Voila when its page is left, and with Notebook 7's extension of JupyterLab.
KNOWN_NOISE = re.compile(
    "Could not restore the debugger state|Canceled future for|create_subshell_request"
    "|reading 'schema'|/voila/api/shutdown/|The getter for the shared module is not a function"
)


@contextlib.contextmanager
def guarded_page(browser: Browser) -> Iterator[Page]:
    """A page of its own.

    `page.left_machine` lists the addresses it wanted from elsewhere (none was fetched), `page.errors` what went wrong
    in its JavaScript, less the hosts' own noise.
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
        url = message.location.get("url", "")
        if message.type == "error" and is_local(url):  # the guard has noted the others
            note(f"{message.text} ({url})")

    context.route("**/*", guard)
    page.on("websocket", lambda socket: is_local(socket.url) or page.left_machine.append(socket.url))
    page.on("pageerror", lambda error: note(str(error)))
    page.on("console", note_console)
    try:
        yield page
    finally:
        context.close()


def is_local(url: str) -> bool:
    """Whether an address stays on this machine."""
    parts = urlsplit(url)
    return parts.scheme in LOCAL_SCHEMES or parts.hostname in {"127.0.0.1", "localhost"}
