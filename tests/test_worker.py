"""One thread, the newest job of each owner, turns between owners."""

import itertools
import threading
import time

import pytest

from xai_widgets.engine.checkpoint import checkpoint
from xai_widgets.worker import Worker


@pytest.fixture
def worker():
    worker = Worker()
    yield worker
    worker.stop()


def steps(count, log, name, gate=None, closed=None, begun=None):
    def start():
        try:
            for step in range(count):
                if begun:
                    begun.set()
                if gate:
                    gate.wait(5)
                log.append((name, step))
                yield
        finally:
            if closed is not None:
                closed.set()

    return start


def wait(condition, seconds=5.0):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.002)


def test_the_newest_job_of_an_owner_wins(worker):
    log, closed, gate, begun = [], threading.Event(), threading.Event(), threading.Event()
    worker.submit("a", steps(1000, log, "old", gate, closed, begun))
    assert begun.wait(5)
    for number in range(50):
        worker.submit("a", steps(1, log, number))
    worker.submit("a", steps(3, log, "new"))
    gate.set()
    wait(lambda: ("new", 2) in log)
    assert [name for name, _ in log] == ["old", "new", "new", "new"]
    assert closed.wait(5)


def test_owners_take_turns(worker):
    log, gate = [], threading.Event()
    worker.submit("a", steps(20, log, "a", gate))
    worker.submit("b", steps(20, log, "b", gate))
    gate.set()
    wait(lambda: len(log) == 40)
    middle = [name for name, _ in log[4:36]]
    assert middle.count("a") == middle.count("b") == 16
    assert all(first != second for first, second in itertools.pairwise(middle))


def test_cancel_ends_a_job_at_its_next_step(worker):
    log, closed = [], threading.Event()
    worker.submit("a", steps(10**9, log, "a", closed=closed))
    wait(lambda: len(log) > 3)
    worker.cancel("a")
    assert closed.wait(5)


@pytest.mark.parametrize("end", [lambda worker: worker.cancel("a"), lambda worker: worker.submit("a", steps(0, [], 0))])
def test_a_checkpoint_ends_a_job_in_the_middle_of_a_step(worker, end):
    closed, inside, caught = threading.Event(), threading.Event(), []

    def start():
        try:
            while True:
                checkpoint()
                inside.set()
                time.sleep(0.001)
        except Exception as error:
            caught.append(error)
        finally:
            closed.set()
        yield

    worker.submit("a", start)
    assert inside.wait(5)
    end(worker)
    assert closed.wait(5)
    assert worker.wait_idle(5)
    assert not caught
    checkpoint()  # of no job: nothing


def test_a_job_that_raises_does_not_end_the_thread(worker):
    def broken():
        raise RuntimeError("broken")
        yield

    log = []
    worker.submit("a", broken)
    worker.submit("b", steps(2, log, "b"))
    wait(lambda: len(log) == 2)


def test_stop_ends_the_thread():
    worker, log = Worker(), []
    worker.submit("a", steps(10**9, log, "a"))
    wait(lambda: bool(log))
    thread = worker._thread
    worker.stop()
    assert not thread.is_alive()


def test_a_job_may_rest_while_others_work_and_a_newer_one_does_not_wait_for_it(worker):
    log = []

    def resting():
        log.append("before")
        yield 0.3
        log.append("after")

    started = time.monotonic()
    worker.submit("a", resting)
    worker.submit("b", steps(3, log, "b"))
    assert worker.wait_idle(5)
    assert log == ["before", ("b", 0), ("b", 1), ("b", 2), "after"]
    assert time.monotonic() - started > 0.3
    log.clear()
    worker.submit("a", resting)
    wait(lambda: log)
    worker.submit("a", steps(1, log, "newer"))
    assert worker.wait_idle(0.25)
    assert log == ["before", ("newer", 0)]
