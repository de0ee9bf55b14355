"""t-SNE in the background: one thread an optimisation, its newest frame for whoever watches.

The same map (same codes, same settings) is computed once and watched by every session that wants
it. A session that cancels only stops watching; when no one watches any longer, the thread ends by
itself. Threads run at lower priority, at most half as many at a time as there are cores, and
openTSNE leaves Python's lock while it computes, so pages stay quick.
"""

from __future__ import annotations

import logging
import os
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass, field

from genlib import background
from genlib.explore.projection import TSNE, Array, Frame

LOG = logging.getLogger(__name__)

THREAD = "genlib-tsne"
FORGOTTEN_SECONDS = 20.0  # a hidden browser tab asks rarely; this long without asking is gone
KEPT = 10  # finished maps; each holds its codes and neighbour lists, some MB

_slots = threading.Semaphore(max(1, (os.cpu_count() or 2) // 2))
_lock = threading.Lock()
_jobs: OrderedDict[str, Job] = OrderedDict()


@dataclass
class Job:
    """One optimisation: its newest frame, and how it ended.

    state: "waiting" for a free core, "running", "done", "stopped" (no one watched) or "failed",
    with the reason in `error`.
    """

    key: str
    codes: Array
    perplexity: float
    seed: int
    anchor: Job | None = None
    frame: Frame | None = None
    state: str = "waiting"
    error: str = ""
    tsne: TSNE | None = None
    _watchers: dict[str, float] = field(default_factory=dict)

    @property
    def busy(self) -> bool:
        """Whether frames are still to come."""
        return self.state in ("waiting", "running")

    def watch(self, who: str) -> None:
        """Say that `who` still wants this map; to be repeated while it is computed."""
        self._watchers[who] = time.monotonic()
        if self.anchor is not None:
            self.anchor.watch(who)

    def leave(self, who: str) -> None:
        """Say that `who` does not want it any more."""
        self._watchers.pop(who, None)
        if self.anchor is not None:
            self.anchor.leave(who)

    def watched(self) -> bool:
        """Whether someone asked for it lately; false when the process ends."""
        newest = max(self._watchers.copy().values(), default=0.0)
        gone = time.monotonic() - newest >= FORGOTTEN_SECONDS
        return not gone and not background.ending.is_set()

    def run(self) -> None:
        """Optimise to the end, or until no one watches; never raises."""
        if self.anchor is not None and not _wait_for(self.anchor, self):
            self.state = "failed" if self.anchor.state == "failed" else "stopped"
            self.error = self.anchor.error
            return
        with _slots:
            if not self.watched():
                self.state = "stopped"
                return
            self.state = "running"
            try:
                self.state = "done" if self._optimise() else "stopped"
            except ValueError as error:
                self.state, self.error = "failed", str(error)
            except Exception:  # a thread has no caller to tell
                LOG.exception("t-SNE failed")
                self.state = "failed"
                self.error = "t-SNE stopped with an error; the log holds the details"

    def _optimise(self) -> bool:
        start = self.anchor.frame.positions if self.anchor and self.anchor.frame else None
        self.tsne = TSNE(self.codes, self.perplexity, self.seed, start)
        for frame in self.tsne.frames():
            self.frame = frame
            if not self.watched():
                return frame.iteration == frame.total
        return True


def _wait_for(anchor: Job, job: Job) -> bool:
    while anchor.busy and job.watched():
        time.sleep(0.05)
    return anchor.state == "done"


def request(
    key: str,
    codes: Array,
    *,
    perplexity: float,
    seed: int,
    who: str,
    anchor: Job | None = None,
    finished: Frame | None = None,
) -> Job:
    """Get the map of that key, starting its optimisation if it isn't under way.

    key: must say all that the map depends on. codes: (n, d). anchor: a map to start from and to
    be aligned with; it is waited for. finished: the end of an optimisation that was made earlier;
    then there is nothing to do.
    """
    with _lock:
        job = _jobs.get(key)
        if finished is not None and (job is None or job.state != "done"):
            tsne = TSNE.settled(codes, finished.positions, perplexity, seed)
            job = Job(key, codes, perplexity, seed, frame=finished, state="done", tsne=tsne)
            _jobs[key] = job
        elif job is None or job.state in ("stopped", "failed"):
            job = Job(key, codes, perplexity, seed, anchor)
            _jobs[key] = job
            job.watch(who)
            background.start(job.run, THREAD)
        _jobs.move_to_end(key)
        job.watch(who)
        for old in [k for k, j in _jobs.items() if not j.busy][:-KEPT]:
            del _jobs[old]
        return job
