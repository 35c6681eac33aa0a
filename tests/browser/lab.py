"""Drive a real JupyterLab, or Notebook 7, through `window.jupyterapp`: menus move, commands do not."""

import base64
import contextlib
import itertools
import json
import os
import secrets
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import nbformat
import numpy as np
from jupyter_client import BlockingKernelClient
from playwright.sync_api import Locator, Page

SHOTS = Path(os.environ.get("SHOTS", Path(__file__).parents[2] / "build" / "shots"))
SETTINGS = {
    "@jupyterlab/apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "@jupyter-widgets/jupyterlab-manager/plugin": {"saveState": True},  # off by default: notebooks would forget widgets
}
IDLE = """async () => {
  const panel = window.jupyterapp?.shell.currentWidget;
  await panel?.context?.ready;
  await panel?.sessionContext?.ready;
  return panel?.sessionContext?.session?.kernel?.status === "idle";
}"""
# Leaves of a kernel's past only what is imported; layers that are made next are named as in a new one.
FORGET = """import keras, ipywidgets
ipywidgets.Widget.close_all()
keras.backend.clear_session()
get_ipython().run_line_magic("reset", "-sf")
import gc
gc.collect()"""
CELL_ERROR = '.jp-OutputArea-output[data-mime-type="application/vnd.jupyter.error"]'


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab server, or one of Notebook 7; notebooks are files in `root`."""

    url: str
    token: str
    root: Path
    # Where it keeps which notebooks are trusted, and how its kernels are reached.
    data: Path
    runtime: Path
    # Where its pages of notebooks are.
    notebooks: str = "lab/tree"
    _number: Iterator[int] = field(default_factory=itertools.count)

    def new_path(self) -> Path:
        """A notebook file that no other test uses."""
        return self.root / f"notebook-{next(self._number)}.ipynb"

    def request(self, method: str, path: str, content: object = None) -> bytes:
        """Ask the server's REST interface."""
        headers = {"Authorization": f"token {self.token}"}
        data = None if content is None else json.dumps(content).encode()
        request = urllib.request.Request(f"{self.url}{path}", data, headers, method=method)
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.read()

    def hand_on_kernel(self, path: Path) -> None:
        """Give a notebook the kernel of the last one, emptied: loading TensorFlow takes longer than most tests."""
        for session in json.loads(self.request("GET", "/api/sessions")):
            if is_emptied(self.runtime / f"kernel-{session['kernel']['id']}.json"):
                place = {"path": path.relative_to(self.root).as_posix(), "name": path.name}
                self.request("PATCH", f"/api/sessions/{session['id']}", place)
            else:
                self.request("DELETE", f"/api/sessions/{session['id']}")

    def shut_down_kernels(self) -> None:
        """End all kernels: each one that has loaded TensorFlow holds half a gigabyte."""
        for kernel in json.loads(self.request("GET", "/api/kernels")):
            self.request("DELETE", f"/api/kernels/{kernel['id']}")


@contextlib.contextmanager
def serve(root: Path, home: Path, app: Literal["jupyterlab", "notebook"] = "jupyterlab") -> Iterator[Lab]:
    """Run JupyterLab or Notebook 7 on a free loopback port; whatever it reads or writes of a user's is under `home`."""
    for plugin, values in SETTINGS.items():
        file = home / "settings" / f"{plugin}.jupyterlab-settings"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(values))
    # Each page would ask whether JupyterLab must be built anew, which takes a run of Node.
    page = home / "config" / "labconfig" / "page_config.json"
    page.parent.mkdir(parents=True, exist_ok=True)
    page.write_text(json.dumps({"buildCheck": False, "buildAvailable": False}))
    port, token = free_port(), secrets.token_hex(16)
    command = ["-m", app, "--no-browser", "--allow-root"]
    command += ["--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    command += [f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={root}"]
    traits = "LabApp" if app == "jupyterlab" else "JupyterNotebookApp"
    command += [f"--{traits}.expose_app_in_browser=True"]  # gives window.jupyterapp
    lab = Lab(
        f"http://127.0.0.1:{port}",
        token,
        root,
        home / "data",
        home / "runtime",
        "lab/tree" if app == "jupyterlab" else "notebooks",
    )
    with running(command, home, f"{lab.url}/api/status?token={token}"):
        yield lab
        with contextlib.suppress(OSError):
            lab.shut_down_kernels()


@contextlib.contextmanager
def running(command: Sequence[str], home: Path, answers: str, root: Path | None = None) -> Iterator[None]:
    """Run a server in `root`, given as arguments of Python, once an address answers; no user's settings reach it."""
    folders = {
        "JUPYTER_CONFIG_DIR": "config",
        "JUPYTER_DATA_DIR": "data",
        "JUPYTER_RUNTIME_DIR": "runtime",
        "JUPYTERLAB_SETTINGS_DIR": "settings",
        "JUPYTERLAB_WORKSPACES_DIR": "workspaces",
        "IPYTHONDIR": "ipython",
        "XDG_CONFIG_HOME": "config",
        "XDG_STATE_HOME": "state",
    }
    environment = {**os.environ, **{name: str(home / folder) for name, folder in folders.items()}}
    environment |= {"JUPYTER_PREFER_ENV_PATH": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    log = home / "server.log"
    with log.open("w") as output:
        server = subprocess.Popen(
            [sys.executable, *command], cwd=root, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
        try:
            wait_for_server(server, answers, log)
            yield
        finally:
            server.terminate()
            try:
                server.wait(20)
            except subprocess.TimeoutExpired:
                server.kill()
                server.wait()


def is_emptied(connection: Path, seconds: float = 20) -> bool:
    """Make a kernel forget what it did; whether it has done so in time."""
    client = BlockingKernelClient(connection_file=str(connection))
    try:
        client.load_connection_file()
        client.start_channels()
        return client.execute_interactive(FORGET, silent=True, timeout=seconds)["content"]["status"] == "ok"
    except (OSError, TimeoutError):
        return False
    finally:
        client.stop_channels()


def free_port() -> int:
    """A port that nothing listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_for_server(server: subprocess.Popen[bytes], answers: str, log: Path, seconds: float = 60) -> None:
    """Return when the server answers; show its log when it does not."""
    end = time.monotonic() + seconds
    while time.monotonic() < end and server.poll() is None:
        try:
            urllib.request.urlopen(answers, timeout=30).close()
        except urllib.error.HTTPError:
            return  # an answer, too
        except OSError:
            time.sleep(0.1)
        else:
            return
    raise RuntimeError(f"{' '.join(map(str, server.args))} did not start:\n{log.read_text()[-3000:]}")


def write_notebook(path: Path, cells: Sequence[str]) -> None:
    """A notebook of these cell sources."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(source) for source in cells])
    notebook.metadata.kernelspec = {"name": "python3", "display_name": "Python 3"}  # else a dialog asks for one
    nbformat.write(notebook, path)


def open_notebook(page: Page, lab: Lab, cells: Sequence[str] | Path, *, run: bool = True) -> Path:
    """Open a notebook made of these cell sources (or one that is in the lab's root already), and run all of it."""
    if isinstance(cells, Path):
        path = cells
    else:
        path = lab.new_path()
        write_notebook(path, cells)
        lab.hand_on_kernel(path)
    page.goto(f"{lab.url}/{lab.notebooks}/{path.relative_to(lab.root).as_posix()}?token={lab.token}&reset")
    page.wait_for_selector(".jp-NotebookPanel .jp-Cell", timeout=60_000)
    wait_idle(page)
    if run:
        run_all(page)
    return path


def run_command(page: Page, command: str, **arguments: object) -> object:
    """Execute a JupyterLab command by its id and wait for it."""
    return page.evaluate("([id, given]) => window.jupyterapp.commands.execute(id, given)", [command, arguments])


def run_all(page: Page) -> None:
    """Run all cells; a cell that raises fails the test with its traceback."""
    run_command(page, "notebook:run-all-cells")
    wait_idle(page)
    errors = page.locator(CELL_ERROR).all_inner_texts()
    assert not errors, "\n".join(errors)


def wait_idle(page: Page, seconds: float = 120) -> None:
    """Wait until the open notebook has a kernel that does nothing."""
    page.wait_for_function(IDLE, timeout=seconds * 1000)


def save(page: Page) -> None:
    """Save the open notebook, with the state of its widgets."""
    run_command(page, "docmanager:save")


def restart_kernel(page: Page) -> None:
    """Restart the kernel without running a cell: what is on the page stays and loses its other half."""
    page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.restartKernel()")
    wait_idle(page)


def set_theme(page: Page, theme: str) -> None:
    """Change to "light" or "dark"."""
    run_command(page, "apputils:change-theme", theme=f"JupyterLab {theme.title()}")
    light = json.dumps(theme == "light")
    page.wait_for_function(f"document.body.dataset.jpThemeLight === '{light}'")
    # While the splash fades, JupyterLab throws at the next change.
    page.wait_for_selector("#jupyterlab-splash", state="detached")


def screenshot(target: Page | Locator, name: str, *, needed: bool = False) -> Path:
    """Write build/shots/<name>.png (or below $SHOTS); where nobody looks, in CI, only what is `needed`."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    path = SHOTS / f"{name}.png"
    if needed or not os.environ.get("CI"):
        target.screenshot(path=path)
    return path


def pixels(canvas: Locator) -> np.ndarray:
    """What a 2-D canvas shows now: (height, width, 4) uint8, in its own pixels."""
    height, width, data = canvas.evaluate(
        """canvas => {
          const { width, height } = canvas;
          const data = canvas.getContext("2d").getImageData(0, 0, width, height).data;
          let text = "";
          for (let i = 0; i < data.length; i += 16384) text += String.fromCharCode(...data.subarray(i, i + 16384));
          return [height, width, btoa(text)];
        }"""
    )
    return np.frombuffer(base64.b64decode(data), np.uint8).reshape(height, width, 4)


def drag(slider: Locator, to: float, steps: int = 20) -> float:
    """Drag a range input's thumb with the mouse to a fraction of its track; return the value it has then."""
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    assert box, "the slider is not visible"
    start = slider.evaluate("s => (s.value - (s.min || 0)) / ((s.max || 100) - (s.min || 0))")
    thumb = min(16, box["width"] / 4)  # the thumb's middle never reaches the track's ends
    x_of = lambda part: box["x"] + thumb / 2 + part * (box["width"] - thumb)  # noqa: E731
    y = box["y"] + box["height"] / 2
    mouse = slider.page.mouse
    mouse.move(x_of(start), y)
    mouse.down()
    mouse.move(x_of(to), y, steps=steps)
    mouse.up()
    return float(slider.input_value())


def comes_to_print(page: Page, source: str, expected: str, seconds: float = 30) -> None:
    """Wait until code in the kernel prints a text: what the page has asked for may still be on its way to it."""
    end = time.monotonic() + seconds
    while (printed := run_code(page, source).strip()) != expected:
        assert time.monotonic() < end, f"{source} prints {printed}, not {expected}"


def run_code(page: Page, source: str) -> str:
    """Run a new cell below the last one, and return what it prints."""
    run_command(page, "notebook:insert-cell-below")
    page.evaluate(
        "source => window.jupyterapp.shell.currentWidget.content.activeCell.model.sharedModel.setSource(source)", source
    )
    return str(
        page.evaluate(
            """async () => {
              const cell = window.jupyterapp.shell.currentWidget.content.activeCell;
              await window.jupyterapp.commands.execute("notebook:run-cell");
              return cell.model.sharedModel.outputs.map(output => output.text ?? "").flat().join("");
            }"""
        )
    )
