"""Places in the middle of long work where it may be ended: whoever runs the work says how."""

from collections.abc import Callable
from contextvars import ContextVar

ASK: ContextVar[Callable[[], None] | None] = ContextVar("ASK", default=None)


def checkpoint() -> None:
    """Let whoever runs this end it here, by an exception."""
    ask = ASK.get()
    if ask is not None:
        ask()
