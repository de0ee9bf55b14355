"""Hand waiting runs to clusters, and again when their process was lost with its node.

Like the queue this has no owner: whoever starts, ends or watches a run looks after all of them. One
looks at a time; a cluster that doesn't answer is asked again later, and its runs keep their place.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from genlib.files import is_held, take
from genlib.runs import index, launch
from genlib.runs.directory import ACTIVE, Run
from genlib.runs.launch import HERE, LaunchError
from genlib.store.checkpoint import CheckpointError, peek

LOG = logging.getLogger(__name__)
EVERY_S = 2.0  # seconds between two looks of one process
AFTER_TROUBLE_S = 15.0  # the same after a cluster didn't answer
LOST = ("ended", "forgotten")  # what a cluster says of a job whose run may still want to go on
MOST_TRIES = 3  # starts without a new epoch between them
WAITING_S = 10.0  # for somebody else's look, where a run has just been queued

_next: dict[str, float] = {}  # launcher -> when this process asks it again
_trouble: dict[str, str] = {}  # launcher -> what it said last, "" when it answered


def trouble(run: Run) -> str:
    """Why the cluster of a run can't be asked, in one sentence; "" when it answered last time."""
    return _trouble.get(launch.remembered(run).launcher, "")


def advance(folder: Path, now: bool = False) -> list[Run]:
    """Hand over the waiting runs below ``folder``, and those that were lost; returns them."""
    handed: list[Run] = []
    due = _due(folder, now)
    if not due:
        return handed
    lock = take(folder / ".clusters.lock", WAITING_S if now else 0.0)
    if lock is None:
        return handed
    try:
        for name, runs in due.items():
            _next[name] = time.monotonic() + EVERY_S
            try:
                handed += _look_after(name, runs)
                _trouble[name] = ""
            except LaunchError as error:
                if _trouble.get(name) != str(error):
                    LOG.warning("%s", error)
                _trouble[name] = str(error)
                _next[name] = time.monotonic() + AFTER_TROUBLE_S
    finally:
        os.close(lock)
    return handed


def _due(folder: Path, now: bool) -> dict[str, list[Run]]:
    """Unfinished runs of the launchers that are to be asked, first in line first."""
    found: dict[str, list[Run]] = {}
    for run in sorted(_unfinished(folder), key=lambda run: run.status.since):
        found.setdefault(launch.remembered(run).launcher, []).append(run)
    found.pop(HERE, None)
    clock = time.monotonic()
    return {name: runs for name, runs in found.items() if now or clock >= _next.get(name, 0.0)}


def _unfinished(folder: Path) -> Iterator[Run]:
    open_ = ("queued", *ACTIVE, "stopped")
    names = [name for name, entry in index.entries(folder).items() if entry.state in open_]
    for run in (Run(folder / name) for name in names):
        if not (run.path / "launch.json").exists():
            continue
        try:
            state, unasked = run.status.state, not run.control.stop
        except (OSError, ValueError):
            continue  # deleted meanwhile, or edited: ``listing`` says so
        if state in ("queued", *ACTIVE) or (state == "stopped" and unasked):
            yield run


def _look_after(name: str, runs: list[Run]) -> list[Run]:
    """Start what waits and isn't handed over; see what became of the others."""
    engine = launch.launcher(name)
    waiting = []
    for run in runs:
        launched = launch.remembered(run)
        if run.status.state == "queued" and not launched.job:
            waiting.append(run)
        elif launched.job and not is_held(run.lock):
            state = engine.state(run)
            if state in LOST and not run.alive and _again(run, state, engine.log(run)):
                waiting.append(run)
            elif state == "stopped":
                run.ask(stop=True)
                run.set_status(
                    "stopped", time.time(), "It was stopped with the cluster's own tools."
                )
            elif state == "waiting" and run.status.state != "queued":
                run.set_status("queued", time.time())  # sent back to the cluster's queue
    allowed = _allowed(waiting, runs)
    return engine.start(*allowed) if allowed else []


def _again(run: Run, state: str, log: str) -> bool:
    """Queue a run whose job ended without a word; False where that doesn't help.

    A job that was forgotten while it waited is not the run's failure: that isn't counted.
    """
    if run.status.state not in ("queued", *ACTIVE, "stopped"):
        return False  # it has ended properly between the two looks
    launched, reached = launch.remembered(run), _epoch(run)
    waited = state == "forgotten" and run.status.state == "queued"
    tries = 0 if reached > launched.epoch else launched.tries
    tries += not waited
    if tries > MOST_TRIES:
        last = next((line for line in reversed(log.splitlines()) if line.strip()), "")
        why = f" The last that was printed: {last[:300]}" if last else ""
        run.set_status(
            "failed",
            time.time(),
            f"Its process on {launched.launcher} ended {tries} times without a new epoch.{why}",
        )
        return False
    launch.remember(run, replace(launched, job="", tries=tries, epoch=reached))
    said = f"Its process was lost after epoch {reached}; it was started again."
    if waited:
        said = "The cluster lost this waiting run; it was queued again."
    run.set_status("queued", time.time(), said)
    return True


def _epoch(run: Run) -> int:
    """The last complete epoch."""
    try:
        return (peek(run.model).epoch or 0) if run.model else 0
    except CheckpointError:
        return 0


def _allowed(waiting: list[Run], unfinished: list[Run]) -> list[Run]:
    """Of the waiting runs those that their sweep may have at once."""
    working: dict[str, int] = {}
    for run in unfinished:
        if run not in waiting:
            sweep = run.spec.sweep
            working[sweep] = working.get(sweep, 0) + 1
    chosen = []
    for run in waiting:
        sweep, most = run.spec.sweep, launch.remembered(run).at_once
        if not most or working.get(sweep, 0) < most:
            working[sweep] = working.get(sweep, 0) + 1
            chosen.append(run)
    return chosen


def goes_on(run: Run, state: str) -> bool:
    """Whether a run in this state waits or works, or will be handed over again by itself.

    Between a time limit and the cluster's queue it is stopped, and lost after a crash.
    """
    if state in ("queued", *ACTIVE):
        return True
    if state not in ("stopped", "lost") or run.control.stop:
        return False
    launched = launch.remembered(run)
    return launched.launcher != HERE and bool(launched.job)


def withdraw(run: Run) -> None:
    """Take a waiting run out of its cluster's queue. Where the cluster can't be asked the job is
    left there: when it begins it reads that the run was stopped."""
    launched = launch.remembered(run)
    if launched.launcher == HERE or not launched.job:
        return
    try:
        launch.launcher(launched.launcher).stop(run)
    except LaunchError as error:
        LOG.warning("%s is still in the cluster's queue: %s", run.id, error)
