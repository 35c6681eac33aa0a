"""A page that cannot leave this machine."""

import contextlib
import re
from collections.abc import Iterator

from playwright.sync_api import Browser, ConsoleMessage, Page, Route

ELSEWHERE = re.compile(r"^(?!(about|blob|data|file):|\w+://(127\.0\.0\.1|localhost)[:/])")
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
        page.left_machine.append(route.request.url)
        route.abort()

    def note(text: str) -> None:
        if not KNOWN_NOISE.search(text):
            page.errors.append(text)

    def note_console(message: ConsoleMessage) -> None:
        url = message.location.get("url", "")
        if message.type == "error" and not ELSEWHERE.match(url):  # the guard has noted the others
            note(f"{message.text} ({url})")

    context.route(ELSEWHERE, guard)
    page.on("websocket", lambda socket: ELSEWHERE.match(socket.url) and page.left_machine.append(socket.url))
    page.on("pageerror", lambda error: note(str(error)))
    page.on("console", note_console)
    try:
        yield page
    finally:
        context.close()
