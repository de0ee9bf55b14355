"""Work that takes seconds, in the background: shared by all sessions, watched, and cancelled.

A job is a thread of low priority with a name that says all it depends on. Whoever asks for the
same name gets the same job. It reports how far it is, and ends at its next report when cancelled.
Where others wait, it hands its place on at a report after TURN_S, and goes on when its turn comes.

``polled`` is the part of a page that asks again while work goes on. ``start_button`` and ``watch``
show a job: its button, its progress and its result.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass, field

import streamlit as st

from genlib import background, environment
from genlib.environment import LimitError
from genlib.ui.kit import guard, rights
from genlib.ui.kit.plain import plain

LOG = logging.getLogger(__name__)
THREAD = "genlib-job"
KEPT = 24  # finished jobs whose results are remembered
PATIENCE = 0.1  # seconds between two looks of a waiting job at whether it is still wanted
TURN_S = 2.0  # seconds that a job keeps its place while others wait for one


class Places:
    """A bounded number of places; who waits longest gets the next that is free."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._queue: deque[object] = deque()
        self._changed = threading.Condition()

    def take(self, unwanted: threading.Event) -> bool:
        """Wait for a place; False when it is no longer wanted, and then none is taken."""
        ticket = object()
        with self._changed:
            self._queue.append(ticket)
            try:
                while self._free == 0 or self._queue[0] is not ticket:
                    if unwanted.is_set() or background.ending.is_set():
                        return False
                    self._changed.wait(PATIENCE)
                self._free -= 1
                return True
            finally:
                self._queue.remove(ticket)
                self._changed.notify_all()

    def give_back(self) -> None:
        """Let the next one have the place."""
        with self._changed:
            self._free += 1
            self._changed.notify_all()

    @property
    def awaited(self) -> bool:
        """Whether anybody waits."""
        return bool(self._queue)


_slots = Places(max(1, (os.cpu_count() or 2) // 2))
_processes = Places(1)  # of jobs that only wait for a process of their own
_lock = threading.Lock()
_jobs: OrderedDict[str, Job] = OrderedDict()


class Cancelled(Exception):
    """Raised inside the work of a job that is no longer needed."""


@dataclass
class Job:
    """One piece of work: how far it is, what came out, or why it failed.

    state: "waiting" for a free core, "running", "done", "cancelled" or "failed" (see ``error``).
    ``result`` may already hold a part while the work goes on.
    """

    name: str
    work: Callable[[Job], object]
    state: str = "waiting"
    share: float = 0.0
    text: str = ""
    result: object = None
    error: str = ""
    slots: Places = field(default_factory=lambda: _slots)
    owner: str = ""  # the visitor who started it, "" for what pages start by themselves
    clock: Callable[[], float] = time.monotonic
    _unwanted: threading.Event = field(default_factory=threading.Event)
    _since: float | None = None  # when it took its place; None without one

    @property
    def busy(self) -> bool:
        """Whether it waits or runs."""
        return self.state in ("waiting", "running")

    def cancel(self) -> None:
        """Ask it to end; it does at its next report."""
        self._unwanted.set()

    def report(self, share: float, text: str = "", result: object = None) -> None:
        """Say how far the work is, 0 to 1; raises Cancelled when it is to end."""
        if self._unwanted.is_set() or background.ending.is_set():
            raise Cancelled
        self.share, self.text = share, text
        if result is not None:
            self.result = result
        self._take_turns()

    def _take_turns(self) -> None:
        """Hand the place on where it is awaited, and go on in a later turn."""
        # A process of its own would go on computing without its place.
        if self._since is None or self.slots is _processes or not self.slots.awaited:
            return
        if self.clock() - self._since >= TURN_S:
            self._give_back()
            if not self._take():
                raise Cancelled

    def _take(self) -> bool:
        taken = self.slots.take(self._unwanted)
        self._since = self.clock() if taken else None
        return taken

    def _give_back(self) -> None:
        if self._since is not None:
            self._since = None
            self.slots.give_back()

    def run(self) -> None:
        """Do the work; never raises."""
        if not self._take():
            self.state = "cancelled"
            return
        try:
            self.state = "running"
            self.report(0.0)
            self.result = self.work(self)
            self.share, self.state = 1.0, "done"
        except Cancelled:
            self.state = "cancelled"
        except ValueError as error:
            self.error, self.state = str(error), "failed"
        except Exception:  # a thread has no caller to tell
            LOG.exception("%s failed", self.name)
            self.error = "It stopped with an error; the log holds the details."
            self.state = "failed"
        finally:
            self._give_back()


def find(name: str) -> Job | None:
    """The job of that name, if there is one."""
    return _jobs.get(name)


def request(
    name: str, work: Callable[[Job], object], process: bool = False, owner: str = ""
) -> Job:
    """The job of that name; its work starts where it has not, or where it did not come to an end.

    A job that failed stays failed until ``restart``. ``process``: the work waits for a process of
    its own, which is nice to the pages by itself; it takes no place of those that compute here.
    ``owner``: the visitor who starts it; raises LimitError when theirs are too many.
    """
    with _lock:
        job = _jobs.get(name)
        if job is None or job.state == "cancelled":
            _check(owner)
            job = Job(name, work, slots=_processes if process else _slots, owner=owner)
            _jobs[name] = job
            _start(job)
        _jobs.move_to_end(name)
        for old in [n for n, j in _jobs.items() if not j.busy][:-KEPT]:
            del _jobs[old]
        return job


def restart(
    name: str, work: Callable[[Job], object], process: bool = False, owner: str = ""
) -> Job:
    """Start the work again, unless it is under way; see ``request``."""
    with _lock:
        job = _jobs.get(name)
        if job is not None and job.busy and not job._unwanted.is_set():
            return job
        _check(owner)  # before the old result is dropped
        _jobs.pop(name, None)
    return request(name, work, process, owner)


def _check(owner: str) -> None:
    if owner:
        environment.check_jobs(sum(job.busy and job.owner == owner for job in _jobs.values()))


def _start(job: Job) -> None:
    # Cached loaders look for a page to show a spinner on; this thread has no page.
    log = logging.getLogger("streamlit.runtime.scriptrunner_utils.script_run_context")
    if not any(f is _quiet for f in log.filters):
        log.addFilter(_quiet)
    background.start(job.run, THREAD)


def _quiet(record: logging.LogRecord) -> bool:
    return record.threadName != THREAD


POLL = 0.5  # seconds


def polled(key: str, part: Callable[..., bool], *given: object) -> None:
    """Show a part in a fragment that asks again as long as the part says that work goes on."""
    polling = bool(st.session_state.get(key, False))

    @st.fragment(key=key, run_every=POLL if polling else None)
    def live() -> None:
        rights.show_what_was_said()  # by a callback of this part: the router isn't run again
        busy = part(*given)
        if busy != polling:  # guarded by a change, so that it happens once
            st.session_state[key] = busy
            st.rerun()

    live()


POLL_S = 0.5


def start_button(name: str, key: str, label: str, work: Callable[[Job], object]) -> None:
    """Start the job of that name, or cancel it while it is under way."""
    job = find(name)
    if job is not None and job.busy:
        st.button("Cancel", icon=":material/stop:", key=f"{key}.cancel", on_click=job.cancel)
        return

    def begin() -> None:
        within_limits(lambda: restart(name, work, owner=guard.visitor()))

    icon = ":material/play_arrow:"
    st.button(label, icon=icon, type="primary", key=f"{key}.go", on_click=begin)


def within_limits(start: Callable[[], object]) -> None:
    """Start a job from a callback; where a limit forbids it, say so on the page."""
    try:
        start()
    except LimitError as error:
        rights.say(str(error))


def watch(name: str, show: Callable[[object], None], before: str) -> None:
    """Progress and newest result of a job, looked at again and again while it is under way.

    before: what to say before such a job exists.
    """
    job = find(name)
    if job is None:
        st.info(before, icon=":material/play_arrow:")
        return
    busy = job.busy

    def look() -> None:
        if job.busy:
            waiting = "Waiting for a free core" if job.state == "waiting" else plain(job.text)
            st.progress(job.share, waiting or "Starting")
        elif busy:
            st.rerun()
        if job.state == "cancelled":
            st.caption(f"Cancelled at {job.share:.0%}.")
        if job.state == "failed":
            st.error(plain(job.error))
        if job.result is not None:
            show(job.result)

    st.fragment(run_every=POLL_S if busy else None)(look)()
