"""Work behind the pages: threads, the places that they share in turns, and jobs.

Python stops daemon threads wherever they are when the process ends, and inside torch, openTSNE or
scikit-learn that aborts the whole process ("terminate called without an active exception"). So
threads are started here only, ask ``ending`` between their steps, and the end waits for them.

``Places`` says who computes and who waits. A ``Job`` keeps its thread while it waits; an
``Attended`` (genlib/explore/attended.py) gets a new thread for each turn.

A job is work that takes seconds, with a name that says all it depends on. Whoever asks for the
same name gets the same job. It reports how far it is, and ends at its next report when cancelled
or when its last watcher has left.
"""

from __future__ import annotations

import atexit
import logging
import math
import os
import sys
import threading
import time
import weakref
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Protocol

from genlib import environment

LOG = logging.getLogger(__name__)
END_S = 10.0  # seconds that the end of the process waits for threads to end
NICE = 10  # of threads that may wait for the pages

ending = threading.Event()  # set when the process is about to end; threads then stop by themselves
_threads: weakref.WeakSet[threading.Thread] = weakref.WeakSet()


def start(work: Callable[[], None], name: str, *, polite: bool = True) -> threading.Thread:
    """Run ``work`` in a thread; it has to return soon after ``ending`` is set.

    polite: give way to the pages, where the system lets a thread have a priority of its own.
    """

    def run() -> None:
        if polite and sys.platform == "linux":  # there, and only there, a thread can have its own
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
        if not ending.is_set():
            work()

    # A daemon: one that doesn't end in time must not keep the process alive.
    thread = threading.Thread(target=run, name=name, daemon=True)
    _threads.add(thread)
    thread.start()
    return thread


@atexit.register
def end_all() -> None:
    """Ask every thread to end, and wait until they have, at most END_S."""
    ending.set()
    until = time.monotonic() + END_S
    for thread in list(_threads):
        thread.join(max(0.0, until - time.monotonic()))


# ------------------------------------------------------------------------------------- taking turns


class Guest(Protocol):
    """Something that takes turns and knows whether it is still wanted."""

    owner: str  # the visitor it belongs to; where that is "", it counts as a visitor of its own

    def wanted(self) -> bool:
        """Whether someone still wants it to run."""

    def begin_turn(self) -> None:
        """Run until ``Places.is_over`` or the end, then call ``Places.leave``."""


@dataclass(frozen=True)
class Company:
    """With whom a guest takes turns: how many of the same visitor's, how many other visitors."""

    own: int = 0
    people: int = 0


class Places:
    """A bounded number of places for what computes at once, over all sessions of the app.

    Visitors take turns, not their tabs: the next is a guest of the visitor who was served longest
    ago. While others wait, a turn lasts ``turn_s`` seconds, less where so many wait that a round
    would take longer than ``round_s``, and always at least one step.

    kept: how many finished jobs are remembered. polite: threads give way to the pages.
    """

    def __init__(
        self,
        limit: int,
        turn_s: float = 2.0,
        round_s: float = math.inf,
        *,
        kept: int = 24,
        polite: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.limit, self.turn_s, self.round_s = limit, turn_s, round_s
        self.kept, self.polite = kept, polite
        self._clock = clock
        self._lock = threading.Lock()
        self._running: dict[Guest, float] = {}  # since when
        self._waiting: list[Guest] = []
        self._served: dict[Hashable, int] = {}  # visitor -> number of the last turn
        self._turns = 0

    def enter(self, one: Guest) -> None:
        """Run now, or wait for a turn."""
        with self._lock:
            if one not in self._running and one not in self._waiting:
                self._waiting.append(one)
        self._fill()

    def leave(self, one: Guest, again: bool = False) -> None:
        """Give the place to the next one; with ``again``, wait for another turn."""
        with self._lock:
            self._running.pop(one, None)
            if one in self._waiting:
                self._waiting.remove(one)
            if again:
                self._waiting.append(one)
        self._fill()

    def withdraw(self, one: Guest) -> None:
        """Wait no longer; one that runs leaves by itself, when it sees that it is not wanted."""
        with self._lock:
            if one in self._waiting:
                self._waiting.remove(one)

    @property
    def waiting(self) -> int:
        """How many wait for a turn."""
        return len(self._waiting)

    def position(self, one: Guest) -> int:
        """How many turns until its own, at the latest; 0 when it does not wait."""
        with self._lock:
            return self._waiting.index(one) + 1 if one in self._waiting else 0

    def is_over(self, one: Guest) -> bool:
        """Whether the turn of one that runs is over: others wait, and it had its time."""
        with self._lock:
            since = self._running.get(one)
            if since is None or not self._waiting:
                return False
            turn = min(self.turn_s, self.round_s * max(1, self.limit) / len(self._waiting))
            return self._clock() - since >= turn

    def company(self, one: Guest) -> Company:
        """With whom it takes turns; no one while there is a place for each."""
        with self._lock:
            others = [o for o in (*self._running, *self._waiting) if o is not one and o.wanted()]
        if len(others) < self.limit:
            return Company()
        mine = [o for o in others if _visitor(o) == _visitor(one)]
        return Company(len(mine), len({_visitor(o) for o in others} - {_visitor(one)}))

    def share(self, one: Guest) -> float:
        """The part of the time that it runs, in (0, 1]: visitors share alike, then their tabs."""
        company = self.company(one)
        return min(1.0, self.limit / ((1 + company.people) * (1 + company.own)))

    def _fill(self) -> None:
        while True:
            with self._lock:
                self._waiting = [one for one in self._waiting if one.wanted()]
                if len(self._running) >= self.limit or not self._waiting:
                    return
                one = min(self._waiting, key=lambda o: self._served.get(_visitor(o), 0))
                self._waiting.remove(one)
                self._turns += 1
                present = {_visitor(o) for o in (one, *self._waiting, *self._running)}
                self._served = {p: n for p, n in self._served.items() if p in present}
                self._served[_visitor(one)] = self._turns
                self._running[one] = self._clock()
            one.begin_turn()


def _visitor(one: Guest) -> Hashable:
    return one.owner or id(one)


# --------------------------------------------------------------------------------------------- jobs

JOB_THREAD = "genlib-job"
PATIENCE = 0.1  # seconds between two looks of a waiting job at whether it is still wanted
GONE_S = 20.0  # a hidden browser tab asks rarely; a watcher who hasn't asked for so long is gone
HALF = max(1, (os.cpu_count() or 2) // 2)  # of the cores

HERE = Places(HALF)  # of jobs that compute in this process
# Of jobs that only wait for a process: that would go on computing without its place.
PROCESSES = Places(1, turn_s=math.inf)


class Cancelled(Exception):
    """Raised inside the work of a job that is no longer needed."""


@dataclass(eq=False)
class Job:
    """One piece of work: how far it is, what came out, or why it failed.

    state: "waiting" for a free core, "running", "done", "cancelled" or "failed" (see ``error``).
    ``result`` may already hold a part while the work goes on.
    """

    name: str
    work: Callable[[Job], object]
    places: Places = field(default_factory=lambda: HERE)
    owner: str = ""  # the visitor who started it, "" for what pages start by themselves
    state: str = "waiting"
    share: float = 0.0
    text: str = ""
    result: object = None
    error: str = ""
    _watchers: dict[str, float] | None = None  # when each last asked; None: it needs no watcher
    _unwanted: threading.Event = field(default_factory=threading.Event)
    _turn: threading.Event = field(default_factory=threading.Event)

    @property
    def busy(self) -> bool:
        """Whether it waits or runs."""
        return self.state in ("waiting", "running")

    def cancel(self) -> None:
        """Ask it to end, whoever watches; it does at its next report."""
        self._unwanted.set()

    def watch(self, who: str) -> None:
        """Say that ``who`` still wants it, to be repeated while it is busy.

        From then on it ends by itself once all watchers have left, or haven't asked for GONE_S.
        """
        if self._watchers is None:
            self._watchers = {}
        self._watchers[who] = time.monotonic()

    def leave(self, who: str) -> None:
        """Say that ``who`` no longer wants it."""
        if self._watchers is not None:
            self._watchers.pop(who, None)

    def wanted(self) -> bool:
        """Whether it is to go on: not cancelled, and watched if it needs to be."""
        if self._unwanted.is_set() or ending.is_set():
            return False
        if self._watchers is None:
            return True
        return any(time.monotonic() - at < GONE_S for at in tuple(self._watchers.values()))

    def report(self, share: float, text: str = "", result: object = None) -> None:
        """Say how far the work is, 0 to 1; raises Cancelled when it is to end.

        Where others wait it hands its place on once its turn is over, and returns in a later turn.
        """
        if not self.wanted():
            raise Cancelled
        self.share, self.text = share, text
        if result is not None:
            self.result = result
        if self.places.is_over(self):
            self._turn.clear()
            self.places.leave(self, again=True)
            self._wait_for_turn()

    def begin_turn(self) -> None:
        """Called when there is a place: go on."""
        self._turn.set()

    def _wait_for_turn(self) -> None:
        """Return once it has a place; raises Cancelled when it is no longer wanted before that."""
        while not self._turn.wait(PATIENCE):
            if not self.wanted():
                raise Cancelled
            self.places.enter(self)  # again: it may have been unwanted, and left out, for a moment

    def run(self) -> None:
        """Do the work; never raises."""
        try:
            self.places.enter(self)
            self._wait_for_turn()
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
            self.places.leave(self)


_lock = threading.Lock()
_jobs: OrderedDict[str, Job] = OrderedDict()


def find(name: str) -> Job | None:
    """The job of that name, if there is one."""
    return _jobs.get(name)


def request(
    name: str,
    work: Callable[[Job], object],
    places: Places | None = None,
    *,
    owner: str = "",
    watcher: str = "",
) -> Job:
    """The job of that name; its work starts where it has not, or where it was cancelled.

    A job that failed stays failed until ``restart``. ``places``: where it takes turns, HERE unless
    given. ``owner``: the visitor who starts it; raises LimitError when theirs are too many.
    ``watcher``: see ``Job.watch``.
    """
    with _lock:
        job = _jobs.get(name)
        if job is None or job.state == "cancelled":
            _check(owner)
            job = Job(name, work, places or HERE, owner)
            if watcher:
                job.watch(watcher)
            _keep(job)
            start(job.run, JOB_THREAD, polite=job.places.polite)
        elif watcher and job.busy:
            job.watch(watcher)
        _jobs.move_to_end(name)
        return job


def restart(
    name: str, work: Callable[[Job], object], places: Places | None = None, *, owner: str = ""
) -> Job:
    """Start the work again, unless it is under way; see ``request``."""
    with _lock:
        job = _jobs.get(name)
        if job is not None and job.busy and not job._unwanted.is_set():
            return job
        _check(owner)  # before the old result is dropped
        _jobs.pop(name, None)
    return request(name, work, places, owner=owner)


def known(name: str, result: Callable[[], object], places: Places) -> Job:
    """The job of that name, done: its result is known without any work."""
    with _lock:
        job = _jobs.get(name)
        if job is None or job.state != "done":
            job = Job(name, lambda job: job.result, places, state="done", result=result())
            _keep(job)
        _jobs.move_to_end(name)
        return job


def forget(name: str) -> None:
    """Drop what is known of a job that has ended; the next request starts it again."""
    with _lock:
        if name in _jobs and not _jobs[name].busy:
            del _jobs[name]


def _keep(job: Job) -> None:
    """Remember a job, and forget the oldest of its kind that have ended."""
    _jobs[job.name] = job
    _jobs.move_to_end(job.name)
    ended = [n for n, j in _jobs.items() if j.places is job.places and not j.busy]
    for old in ended[: -job.places.kept]:
        del _jobs[old]


def _check(owner: str) -> None:
    if owner:
        environment.check_jobs(sum(job.busy and job.owner == owner for job in _jobs.values()))
