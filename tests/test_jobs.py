"""Work beside the pages: shared, in turns, cancelled while it runs and while it waits."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from genlib.ui import jobs


@pytest.fixture(autouse=True)
def one_place(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """One place only; what still works when a test ends may go home."""
    monkeypatch.setattr(jobs, "_slots", threading.Semaphore(1))
    home = threading.Event()
    yield home
    home.set()


def until(holds: Callable[[], bool]) -> bool:
    end = time.monotonic() + 20
    while time.monotonic() < end and not holds():
        time.sleep(0.01)
    return holds()


def patient(home: threading.Event) -> Callable[[jobs.Job], object]:
    """Work that goes on until it is cancelled or the test is over."""

    def work(job: jobs.Job) -> object:
        while not home.wait(0.01):
            job.report(0.5, "at it")
        return "done"

    return work


def test_a_job_that_waits_for_a_place_can_be_cancelled(one_place: threading.Event) -> None:
    first = jobs.request("test jobs: first", patient(one_place))
    assert until(lambda: first.state == "running")
    second = jobs.request("test jobs: second", lambda job: "never")
    time.sleep(3 * jobs.PATIENCE)
    assert second.state == "waiting"
    second.cancel()
    assert until(lambda: second.state == "cancelled") and second.result is None
    assert first.state == "running"
    third = jobs.request("test jobs: third", lambda job: "mine")
    first.cancel()
    assert until(lambda: third.state == "done") and third.result == "mine"
    assert first.state == "cancelled"


def test_a_process_takes_no_place_of_those_that_compute_here(one_place: threading.Event) -> None:
    first = jobs.request("test jobs: here", patient(one_place))
    assert until(lambda: first.state == "running")
    outside = jobs.restart("test jobs: outside", lambda job: "heard", process=True)
    assert until(lambda: outside.state == "done") and outside.result == "heard"


def test_a_failed_job_stays_failed_until_it_is_restarted() -> None:
    def fail(job: jobs.Job) -> object:
        raise ValueError("no room")

    job = jobs.request("test jobs: failing", fail)
    assert until(lambda: job.state == "failed") and job.error == "no room"
    assert jobs.request("test jobs: failing", lambda job: 1) is job
    again = jobs.restart("test jobs: failing", lambda job: 1)
    assert until(lambda: again.state == "done") and again.result == 1
