"""Work that takes seconds, beside the pages: shared by all sessions, watched, and cancelled.

A job is a thread of low priority with a name that says all it depends on. Whoever asks for the
same name gets the same job. It reports how far it is, and ends at its next report when cancelled.
"""

from __future__ import annotations

import logging
import os
import sys
import threading
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field

LOG = logging.getLogger(__name__)
THREAD = "genlib-job"
KEPT = 24  # finished jobs whose results are remembered
PATIENCE = 0.1  # seconds between two looks of a waiting job at whether it is still wanted

_slots = threading.Semaphore(max(1, (os.cpu_count() or 2) // 2))
_processes = threading.Semaphore(1)  # of jobs that only wait for a process of their own
_lock = threading.Lock()
_jobs: OrderedDict[str, Job] = OrderedDict()


class Cancelled(Exception):
    """Raised inside the work of a job that nobody wants any more."""


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
    slots: threading.Semaphore = _slots
    _unwanted: threading.Event = field(default_factory=threading.Event)

    @property
    def busy(self) -> bool:
        """Whether it waits or runs."""
        return self.state in ("waiting", "running")

    def cancel(self) -> None:
        """Ask it to end; it does at its next report."""
        self._unwanted.set()

    def report(self, share: float, text: str = "", result: object = None) -> None:
        """Say how far the work is, 0 to 1; raises Cancelled when it is to end."""
        if self._unwanted.is_set():
            raise Cancelled
        self.share, self.text = share, text
        if result is not None:
            self.result = result

    def run(self) -> None:
        """Do the work; never raises."""
        if sys.platform == "linux":  # there, and only there, this is the thread's own priority
            os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 10)
        while not self.slots.acquire(timeout=PATIENCE):
            if self._unwanted.is_set():
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
        except Exception:  # a thread has nobody above it to tell
            LOG.exception("%s failed", self.name)
            self.error = "It stopped with an error; the log holds the details."
            self.state = "failed"
        finally:
            self.slots.release()


def find(name: str) -> Job | None:
    """The job of that name, if there is one."""
    return _jobs.get(name)


def request(name: str, work: Callable[[Job], object], process: bool = False) -> Job:
    """The job of that name; its work starts where it has not, or where it did not come to an end.

    A job that failed stays failed until ``restart``. ``process``: the work waits for a process of
    its own, which is nice to the pages by itself; it takes no place of those that compute here.
    """
    with _lock:
        job = _jobs.get(name)
        if job is None or job.state == "cancelled":
            job = Job(name, work, slots=_processes if process else _slots)
            _jobs[name] = job
            _start(job)
        _jobs.move_to_end(name)
        for old in [n for n, j in _jobs.items() if not j.busy][:-KEPT]:
            del _jobs[old]
        return job


def restart(name: str, work: Callable[[Job], object], process: bool = False) -> Job:
    """Start the work anew, unless it is under way; see ``request``."""
    with _lock:
        job = _jobs.get(name)
        if job is not None and job.busy and not job._unwanted.is_set():
            return job
        _jobs.pop(name, None)
    return request(name, work, process)


def _start(job: Job) -> None:
    # Cached loaders look for a page to show a spinner on; this thread has none, on purpose.
    log = logging.getLogger("streamlit.runtime.scriptrunner_utils.script_run_context")
    if not any(f is _quiet for f in log.filters):
        log.addFilter(_quiet)
    threading.Thread(target=job.run, name=THREAD, daemon=True).start()


def _quiet(record: logging.LogRecord) -> bool:
    return record.threadName != THREAD
