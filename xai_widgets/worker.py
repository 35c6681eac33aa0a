"""One thread does the work of all widgets: the newest job of each wins, and they take turns step by step."""

from __future__ import annotations

import atexit
import itertools
import sys
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass, field

from xai_widgets.engine.checkpoint import ASK


@dataclass
class _Job:
    number: int
    start: Callable[[], Iterator[float | None]]
    steps: Iterator[float | None] | None = field(default=None)
    rests_until: float = 0.0


class _Superseded(BaseException):
    """A job ends in the middle of a step: no error, and nothing that `except Exception` may take for one."""


class Worker:
    """A daemon thread that advances jobs.

    A job is a function that gives an iterator; each of its steps does a little work and publishes it, and may give the
    seconds after which the next one may begin. A job ends when its iterator does, or at its next step once a newer job
    of the same owner, or `cancel`, has taken its place; a step that takes long has a `checkpoint` here and there. What
    a job raises is the job's own to catch: here it would be seen by nobody.
    """

    def __init__(self) -> None:
        self._ready = threading.Condition()
        self._jobs: OrderedDict[object, _Job] = OrderedDict()
        self._numbers = itertools.count(1)
        self._thread: threading.Thread | None = None
        self._stopping = self._busy = False
        self._running: tuple[object, _Job] | None = None

    def submit(self, owner: object, start: Callable[[], Iterator[float | None]]) -> None:
        """Run a job for an owner, instead of whatever it has waiting or running."""
        with self._ready:
            self._jobs[owner] = _Job(next(self._numbers), start)
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, name="xai_widgets", daemon=True)
                self._thread.start()
            self._ready.notify_all()

    def cancel(self, owner: object) -> None:
        """Drop the job of an owner; one that is running ends at its next step."""
        with self._ready:
            self._jobs.pop(owner, None)

    def wait_idle(self, timeout: float | None = None) -> bool:
        """Wait until nothing runs or waits, a job that was cancelled in the middle of a step included."""
        with self._ready:
            return self._ready.wait_for(lambda: not self._jobs and not self._busy, timeout)

    def wait_done(self, owners: Iterable[object], timeout: float | None = None) -> bool:
        """Wait until none of some owners has a job."""
        owners = list(owners)
        with self._ready:
            return self._ready.wait_for(lambda: not any(owner in self._jobs for owner in owners), timeout)

    def is_current(self) -> bool:
        """Whether the calling thread is the worker's own."""
        return threading.current_thread() is self._thread

    def _end_superseded(self) -> None:
        """End the job that runs where it has been replaced or cancelled."""
        if self._running is not None:
            owner, job = self._running
            if self._jobs.get(owner) is not job:
                raise _Superseded

    def stop(self, timeout: float = 5.0) -> None:
        """End the thread at the next step, for the end of the process."""
        with self._ready:
            self._stopping = True
            self._jobs.clear()
            self._ready.notify_all()
            thread = self._thread
        if thread is not None and thread is not threading.current_thread():
            thread.join(timeout)

    def _run(self) -> None:
        _answer_nobody()
        ASK.set(self._end_superseded)
        while True:
            with self._ready:
                while (owner := self._next()) is None and not self._stopping:
                    ends = [job.rests_until for job in self._jobs.values()]
                    self._ready.wait(min(ends) - time.monotonic() if ends else None)
                if self._stopping:
                    return
                job = self._jobs[owner]
                self._jobs.move_to_end(owner)
                self._busy, self._running = True, (owner, job)
            done = self._step(job)
            with self._ready:
                self._busy, self._running = False, None
                newer = self._jobs.get(owner) is not job
                if done and not newer:
                    del self._jobs[owner]
                self._ready.notify_all()
            if newer and not done:
                _close(job.steps)
            del owner, job

    def _next(self) -> object | None:
        """Whose turn it is: the first that does not rest."""
        now = time.monotonic()
        return next((owner for owner, job in self._jobs.items() if job.rests_until <= now), None)

    @staticmethod
    def _step(job: _Job) -> bool:
        try:
            if job.steps is None:
                job.steps = job.start()
            rest = next(job.steps)
            job.rests_until = time.monotonic() + (rest or 0.0)
        except (StopIteration, _Superseded):
            return True
        except Exception:
            # A job catches its own errors; one that slips through must not end everyone's thread.
            return True
        return False


def _close(steps: Iterator[float | None] | None) -> None:
    close = getattr(steps, "close", None)
    if close is not None:
        close()


def _answer_nobody() -> None:
    """What this thread publishes answers no message of a page.

    Else ipykernel (7.4) takes it for an answer to the last one that came, and hands what the page sends next to the
    subshell of that one. A page that goes, or has just come, ends subshells: nothing would reach the widget any more.
    """
    ipykernel = sys.modules.get("ipykernel.kernelbase")
    if ipykernel is not None and ipykernel.Kernel.initialized():
        parent = getattr(ipykernel.Kernel.instance(), "_shell_parent", None)
        if isinstance(parent, ContextVar):
            parent.set({"header": {"subshell_id": None}})


WORKER = Worker()
atexit.register(WORKER.stop)
