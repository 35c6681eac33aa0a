"""The worker in a real kernel, beside messages of a page that has gone."""

import time
from collections.abc import Iterator
from typing import Any

import pytest
from jupyter_client import BlockingKernelClient
from jupyter_client.manager import start_new_kernel

# A job that publishes all the time, from the thread of all widgets.
WIDGET = """import time, ipywidgets
from xai_widgets.worker import WORKER
slider = ipywidgets.IntSlider()
def job():
    for count in range(100_000):
        slider.description = str(count)
        time.sleep(0.01)
        yield
WORKER.submit("slider", job)
print(slider.comm.comm_id, end="")"""


@pytest.fixture
def client() -> Iterator[BlockingKernelClient]:
    manager, client = start_new_kernel()
    yield client
    client.stop_channels()
    manager.shutdown_kernel(now=True)


def said(client: BlockingKernelClient, code: str) -> str:
    """What a cell prints."""
    text: list[str] = []

    def note(message: dict[str, Any]) -> None:
        if message["msg_type"] == "stream":
            text.append(message["content"]["text"])

    reply = client.execute_interactive(code, timeout=60, output_hook=note)
    assert reply["content"]["status"] == "ok", reply["content"]
    return "".join(text)


def asked(client: BlockingKernelClient, message: str, **content: Any) -> dict[str, Any]:
    """The answer to a request on the control channel."""
    client.control_channel.send(client.session.msg(message, content))
    return client.control_channel.get_msg(timeout=30)["content"]


def tell(client: BlockingKernelClient, comm: str, subshell: str | None, **state: Any) -> None:
    """Change a widget as a page does."""
    data = {"method": "update", "state": state, "buffer_paths": []}
    message = client.session.msg("comm_msg", {"comm_id": comm, "data": data})
    message["header"]["subshell_id"] = subshell
    client.shell_channel.send(message)


def test_what_is_published_while_a_page_goes_does_not_cut_the_next_one_off(client: BlockingKernelClient):
    if "kernel subshells" not in client.kernel_info(reply=True, timeout=30)["content"].get("supported_features", ()):
        pytest.skip("this kernel has no subshells")
    comm = said(client, WIDGET)
    subshell = asked(client, "create_subshell_request")["subshell_id"]
    tell(client, comm, subshell, value=1)
    time.sleep(0.5)  # a cell would become the last message
    assert asked(client, "delete_subshell_request", subshell_id=subshell)["status"] == "ok"
    time.sleep(0.5)
    tell(client, comm, None, value=2)
    wait_for(client, "slider.value", "2")


def wait_for(client: BlockingKernelClient, expression: str, value: str) -> None:
    end = time.monotonic() + 20
    while (found := said(client, f"print({expression}, end='')")) != value:
        assert time.monotonic() < end, f"{expression} stays {found}"
        time.sleep(0.05)
