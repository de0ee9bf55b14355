"""Work behind the pages: shared, in turns, cancelled while it runs and while it waits."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator

import pytest

from genlib import background as jobs
from genlib.background import Places
from genlib.environment import LimitError
from tests.helpers import until


@pytest.fixture(autouse=True)
def one_place(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """One place only; what still works when a test ends may go home."""
    monkeypatch.setattr(jobs, "HERE", Places(1))
    home = threading.Event()
    yield home
    home.set()


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
    outside = jobs.restart("test jobs: outside", lambda job: "heard", jobs.PROCESSES)
    assert until(lambda: outside.state == "done") and outside.result == "heard"


def test_a_failed_job_stays_failed_until_it_is_restarted() -> None:
    def fail(job: jobs.Job) -> object:
        raise ValueError("no room")

    job = jobs.request("test jobs: failing", fail)
    assert until(lambda: job.state == "failed") and job.error == "no room"
    assert jobs.request("test jobs: failing", lambda job: 1) is job
    again = jobs.restart("test jobs: failing", lambda job: 1)
    assert until(lambda: again.state == "done") and again.result == 1


def test_jobs_that_wait_take_turns_in_the_order_they_came(one_place: threading.Event) -> None:
    """Each job makes steps of one second; a turn is two of them."""
    told: list[str] = []
    begun = threading.Event()
    now = [0.0]
    place = Places(1, clock=lambda: now[0])

    def counting(name: str) -> jobs.Job:
        def work(job: jobs.Job) -> object:
            begun.wait(20)
            for _ in range(6):
                told.append(name)
                now[0] += 1.0
                job.report(0.5)
            return name

        return jobs.Job(name, work, place)

    first, second, third = made = [counting(name) for name in "abc"]

    threading.Thread(target=first.run, daemon=True).start()
    assert until(lambda: first.state == "running")
    threading.Thread(target=second.run, daemon=True).start()
    assert until(lambda: place.waiting == 1)
    threading.Thread(target=third.run, daemon=True).start()
    assert until(lambda: place.waiting == 2)
    begun.set()
    assert until(lambda: not any(job.busy for job in made))
    assert "".join(told) == "aabbcc" * 3
    assert [job.result for job in (first, second, third)] == ["a", "b", "c"]


def test_a_job_between_turns_can_be_cancelled(one_place: threading.Event) -> None:
    hold, go = threading.Event(), threading.Event()
    now = [0.0]
    place = Places(1, clock=lambda: now[0])

    def yields(job: jobs.Job) -> object:
        go.wait(20)
        now[0] += 10
        job.report(0.5)
        return "too far"

    def holds(job: jobs.Job) -> object:
        hold.wait(20)
        return "held"

    first = jobs.Job("first", yields, place)
    second = jobs.Job("second", holds, place)
    threading.Thread(target=first.run, daemon=True).start()
    assert until(lambda: first.state == "running")
    threading.Thread(target=second.run, daemon=True).start()
    assert until(lambda: place.waiting == 1)
    go.set()
    assert until(lambda: second.state == "running")
    first.cancel()
    assert until(lambda: first.state == "cancelled") and first.result is None
    hold.set()
    assert until(lambda: second.state == "done")
    assert jobs.request("test jobs: after", lambda job: "free", place, owner="me") is not None
    after = jobs.find("test jobs: after")
    assert until(lambda: after is not None and after.state == "done"), "its place is free again"


def test_a_visitor_starts_only_so_many(one_place: threading.Event) -> None:
    mine = [jobs.restart(f"test jobs: mine {n}", patient(one_place), owner="me") for n in range(3)]
    with pytest.raises(LimitError, match="3 calculations under way"):
        jobs.restart("test jobs: mine 4", patient(one_place), owner="me")
    assert jobs.find("test jobs: mine 4") is None
    assert jobs.restart("test jobs: mine 1", patient(one_place), owner="me") is mine[1]
    other = jobs.restart("test jobs: other", patient(one_place), owner="another")
    own = jobs.request("test jobs: a page's own", patient(one_place))
    mine[0].cancel()
    assert until(lambda: not mine[0].busy)
    fourth = jobs.restart("test jobs: mine 4", patient(one_place), owner="me")
    for job in (*mine, other, own, fourth):
        job.cancel()
    assert until(lambda: not any(job.busy for job in (*mine, other, own, fourth)))


def test_the_end_of_the_process_ends_its_jobs_first() -> None:
    script = """
import time
from genlib import background as jobs
def work(job):
    try:
        while True:
            job.report(0.5)
            time.sleep(0.01)
    except jobs.Cancelled:
        print("cancelled")
        raise
job = jobs.request("endless", work)
while job.share == 0:
    time.sleep(0.01)
"""
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert (ended.returncode, ended.stdout.strip()) == (0, "cancelled"), ended.stderr
