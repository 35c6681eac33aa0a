"""Shared: state that a cell, the page and the worker set, one at a time."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import anywidget
import traitlets

from xai_widgets.declare import nearest
from xai_widgets.worker import WORKER

COMPUTED_FROM = frozenset({"method", "target", "index"})
DISPLAY = frozenset({"opacity", "colormap", "sign", "clip", "threshold", "smooth", "mode"})
PAINTED = frozenset({"region"})
# What a page may set besides.
_OF_THE_HOST = frozenset({"layout", "tabbable", "tooltip", "_dom_classes", "_view_count"})

# Traitlets are not thread-safe: a cell, the page and the worker set traits one at a time. One lock for all widgets:
# observers run within it and may set traits of another widget, so that two locks could be taken crosswise.
STATE = threading.RLock()


class Shared(anywidget.AnyWidget):
    """Traits under one lock, of which a page may set some, and work beside the map."""

    # Traits of a subclass that its page may set.
    ASKED: ClassVar[frozenset[str]] = frozenset()

    _refused = traitlets.Unicode().tag(sync=True)

    # For a widget whose construction was refused: it is closed like any other.
    _owner: object | None = None
    _asides: dict[str, object]

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take state from the page: what is refused is said there, and answered with the value that holds."""
        with STATE:
            # Everything else is Python's to say.
            free = COMPUTED_FROM | DISPLAY | PAINTED | _OF_THE_HOST | self.ASKED
            allowed = {name: value for name, value in sync_data.items() if name in free}
            refused = [name for name in sync_data if name in self.keys and name not in allowed]
            try:
                super().set_state(allowed)
            except (TypeError, ValueError, traitlets.TraitError) as error:
                self._refused = str(error)
                refused += [name for name in allowed if name in self.keys]
            else:
                if allowed.keys() & (COMPUTED_FROM | PAINTED | self.ASKED):
                    self._refused = ""
            if refused:
                self.send_state(refused)

    def __setattr__(self, name: str, value: Any) -> None:
        if self.has_trait(name):
            with STATE:
                super().__setattr__(name, value)
        elif name.startswith("_") or hasattr(self, name):
            super().__setattr__(name, value)
        else:
            fields = [field.name for field in dataclasses.fields(self.method)] if self.has_trait("method") else []
            if name in fields:
                raise AttributeError(
                    f"{name!r} belongs to the method: set w.method, as in w.method = w.method.replace({name}=...)"
                )
            settable = [*COMPUTED_FROM, *DISPLAY, *PAINTED, *self.ASKED, "model", "inputs"]
            raise AttributeError(f"{type(self).__name__} has no {name!r}{nearest(name, settable)}")

    def _aside(self, name: str, work: Callable[[], Iterator[float | None]]) -> None:
        """Do something beside the map, such as what a click asks for, instead of what was asked by that name before.

        `work` runs in the worker, step by step; an error is shown as what was refused.
        """

        def steps() -> Iterator[float | None]:
            try:
                yield from work()
            except Exception as error:
                with STATE:
                    self._refused = str(error) or type(error).__name__

        with STATE:
            if self._owner is not None:
                WORKER.submit(self._asides.setdefault(name, object()), steps)
