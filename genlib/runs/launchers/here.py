"""Start a run as a process of this machine, in a session of its own so that it survives the app."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import lru_cache

from genlib import environment
from genlib.environment import DiskFullError
from genlib.files import end_of, full_disk_said, take
from genlib.runs.directory import Run
from genlib.runs.launchers import spare
from genlib.settings import Settings

LOG = logging.getLogger(__name__)
MOST_LOG = 20_000  # bytes at the end of log.txt


@dataclass(frozen=True)
class Options(Settings):
    """A process of this machine takes what it needs."""


def check(options: Settings) -> None:
    """Nothing is missing here."""


def start(*runs: Run) -> list[Run]:
    """Start the runs' processes; returns those that started."""
    return [run for run in runs if _start(run)]


def _start(run: Run) -> bool:
    """Start the run's process. The lock is taken here and inherited, so that a run
    that was started never looks dead. False when an old process still holds it."""
    try:
        lock = take(run.lock)
    except OSError as error:  # the next one may do better
        _say(str(run.path), str(error))
        return False
    if lock is None:
        return False
    try:
        run.set_status("running", time.time())
        file = run.path / "log.txt"
        with full_disk_said(file), file.open("ab") as log:
            if not spare.give(run.path, lock, log.fileno()):
                subprocess.Popen(
                    [*command(), "--run", str(run.path), "--lock-fd", str(lock)],
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=(lock,),
                    start_new_session=True,
                    env=environment_of_runs(),
                )
    except DiskFullError as error:  # it stays in the queue until there is room
        _say(str(run.path), str(error))
        return False
    except OSError as error:
        run.set_status("failed", time.time(), f"Python could not be started: {error.strerror}.")
        return False
    finally:
        os.close(lock)
    return True


def command() -> list[str]:
    """What starts a process that trains, without its options."""
    return [sys.executable, "-m", "genlib", "train"]


def environment_of_runs() -> dict[str, str]:
    """The variables of such a process: it finds this genlib from any directory."""
    path = (str(environment.root().resolve()), os.environ.get("PYTHONPATH"))
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, path))}


def warm() -> None:
    """Have a process wait that needs to import nothing, while this is called every
    ``spare.BEAT_S`` seconds: the next run starts at once."""
    spare.keep(command(), environment_of_runs())


@lru_cache(maxsize=256)  # once for each directory and reason: pages try again all the time
def _say(path: str, why: str) -> None:
    LOG.warning("%s could not be started: %s", path, why[:200])


def state(run: Run) -> str:
    """Running as long as a process holds the run's lock."""
    return "running" if run.alive else "waiting" if run.state == "queued" else "ended"


def stop(run: Run) -> None:
    """Tell the process to end after the step under way."""
    if run.alive and run.pid is not None:
        os.kill(run.pid, signal.SIGTERM)


def log(run: Run) -> str:
    """The end of log.txt: the process prints there."""
    try:
        return end_of(run.path / "log.txt", MOST_LOG)
    except OSError:
        return ""
