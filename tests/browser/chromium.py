"""Find the Chromium that the browser tests drive; as a command, install one where this machine lets us."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from playwright.sync_api import Playwright, sync_playwright

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ADVICE = "Install Chromium or Google Chrome (or set CHROMIUM to its path), or run `playwright install chromium`."


def find(playwright: Playwright) -> str | None:
    """The one that CHROMIUM names, the system's, or the one that `playwright install` fetched."""
    candidates = [os.environ.get("CHROMIUM"), *map(shutil.which, NAMES), playwright.chromium.executable_path]
    return next((path for path in candidates if path and Path(path).is_file()), None)


def install() -> None:
    """Try Debian's package where we may, then Playwright's download. Whether either worked, `find` tells."""
    if shutil.which("apt-get") and os.geteuid() == 0:
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        packages = ["chromium", "fonts-dejavu-core"]  # without a font, pages are drawn with empty boxes for letters
        for step in (["update"], ["install", "-y", "--no-install-recommends", *packages]):
            subprocess.run(["apt-get", "-qq", *step], env=environment, stdout=subprocess.DEVNULL, check=False)
        if any(map(shutil.which, NAMES)):
            return
    subprocess.run([sys.executable, "-m", "playwright", "install", "chromium"], check=False)


def main() -> None:
    """Print where Chromium is, after installing it if need be."""
    with sync_playwright() as playwright:
        if not find(playwright):
            install()
        path = find(playwright)
    if not path:
        sys.exit(f"The browser tests need Chromium, and it could not be installed. {ADVICE}")
    print(path)


if __name__ == "__main__":
    main()
