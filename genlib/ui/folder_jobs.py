"""Decoding pictures in the background: one thread a dataset, its progress for whoever watches.

The thread has lower priority than the pages. Decoded pictures go to the user's cache, so that a
dataset is decoded once, and training processes find it there.
"""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field

from genlib import background, datasets
from genlib.folders_decode import Cancelled

LOG = logging.getLogger(__name__)

_lock = threading.Lock()
_jobs: dict[str, Job] = {}


@dataclass
class Job:
    """One decoding. state: "running", "done", "cancelled" or "failed", with the reason in error."""

    name: str
    done: int = 0
    total: int = 0
    state: str = "running"
    error: str = ""
    _cancel: threading.Event = field(default_factory=threading.Event)

    def cancel(self) -> None:
        """Ask the thread to end; it does within some hundred pictures."""
        self._cancel.set()

    def run(self) -> None:
        """Decode to the end or until cancelled; never raises."""
        try:
            datasets.prepare(self.name, self._progress, self._cancelled)
            self.state = "done"
        except Cancelled:
            self.state = "cancelled"
        except (ValueError, OSError) as error:
            self.state, self.error = "failed", str(error)
        except Exception:  # a thread has nobody above it to tell
            LOG.exception("decoding %s failed", self.name)
            self.state = "failed"
            self.error = "Decoding stopped with an error of the program; the log holds the details."

    def _cancelled(self) -> bool:
        return self._cancel.is_set() or background.ending.is_set()

    def _progress(self, done: int, total: int) -> None:
        self.done, self.total = done, total


def find(name: str) -> Job | None:
    """The newest decoding of a dataset, running or ended, if there was one."""
    return _jobs.get(name)


def start(name: str) -> Job:
    """Start to decode a dataset, or join the decoding that runs already."""
    with _lock:
        job = _jobs.get(name)
        if job is None or job.state != "running":
            job = _jobs[name] = Job(name)
            background.start(job.run, "genlib-decode")
        return job


def waits(job: Job) -> bool:
    """Whether a decoding waits for another one's end: one is done at a time."""
    others = [other for other in list(_jobs.values()) if other is not job]
    return not job.total and any(other.state == "running" and other.total for other in others)


def forget(name: str) -> None:
    """Drop what is known of a decoding that has ended; the next look starts anew."""
    with _lock:
        if name in _jobs and _jobs[name].state != "running":
            del _jobs[name]
