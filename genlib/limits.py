"""How much visitors may use: the queue, the disk, the memory. Each number can be set.

::

    GENLIB_MAX_QUEUE=20       runs that wait
    GENLIB_MAX_OWN_RUNS=15    runs of one visitor that train or wait
    GENLIB_MAX_DISK=20        GB that runs and uploads take together
    GENLIB_MIN_FREE=1         GB that stay free on their disk
    GENLIB_MAX_MEMORY=1       GB of uploaded files that are held in memory
    GENLIB_MAX_JOBS=3         measurements and small trainings of one visitor at a time

A bad value counts as the default.
"""

from __future__ import annotations

import math
import os
import shutil
from pathlib import Path

DEFAULTS = {
    "GENLIB_MAX_QUEUE": 20.0,
    "GENLIB_MAX_OWN_RUNS": 15.0,
    "GENLIB_MAX_DISK": 20.0,
    "GENLIB_MIN_FREE": 1.0,
    "GENLIB_MAX_MEMORY": 1.0,
    "GENLIB_MAX_JOBS": 3.0,
}
GB = 1e9


class LimitError(ValueError):
    """A limit is reached; the message is one sentence about what, and one about what to do."""


class DiskFullError(LimitError):
    """A file could not be written because its disk is full."""


def limit(name: str) -> float:
    """The value of one of DEFAULTS, from the environment where it is a number of at least 0."""
    try:
        value = float(os.environ[name])
    except (KeyError, ValueError):
        return DEFAULTS[name]
    return value if math.isfinite(value) and value >= 0 else DEFAULTS[name]


def check_queue(waiting: int, more: int = 1) -> None:
    """Raise LimitError unless ``more`` runs may join those that wait."""
    most = int(limit("GENLIB_MAX_QUEUE"))
    if waiting + more > most:
        raise LimitError(
            f"The queue is full: {waiting} runs wait, and at most {most} may. Wait for one to "
            "finish, or stop one on the Train page."
        )


def check_own_runs(unfinished: int, more: int = 1) -> None:
    """Raise LimitError unless a visitor with so many unfinished runs may start ``more``."""
    most = int(limit("GENLIB_MAX_OWN_RUNS"))
    if unfinished + more > most:
        have = "1 run that isn't" if unfinished == 1 else f"{unfinished} runs that aren't"
        raise LimitError(
            f"You have {have} finished, and at most {most} are allowed, so {more} more can't be "
            "started: wait for one to finish, or stop one on the Train page."
        )


def check_disk(folder: Path, more: int = 0) -> None:
    """Raise LimitError unless ``more`` bytes may be written below ``folder``."""
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    free, least = shutil.disk_usage(there).free, limit("GENLIB_MIN_FREE")
    if free - more < least * GB:
        raise LimitError(
            f"The disk is nearly full: {free / GB:.1f} GB are free, and {least:g} GB must stay "
            "free. Delete runs or uploads, or free some space on the server."
        )
    used, most = used_by(folder), limit("GENLIB_MAX_DISK")
    if used + more > most * GB:
        raise LimitError(
            f"Runs and uploads take {used / GB:.1f} GB, and at most {most:g} GB are allowed. "
            "Delete some that are no longer needed."
        )


def used_by(folder: Path) -> int:
    """Bytes of all files below a folder; links aren't followed."""
    total = 0
    for where, _, names in os.walk(folder):
        for name in names:
            try:
                total += os.lstat(os.path.join(where, name)).st_size
            except FileNotFoundError:
                continue  # a run at work replaces its files
    return total


def check_memory(held: int, more: int) -> None:
    """Raise LimitError unless ``more`` bytes of uploads may join the ``held`` ones in memory."""
    most = limit("GENLIB_MAX_MEMORY")
    if held + more > most * GB:
        raise LimitError(
            f"Uploads of all visitors take {held / GB:.1f} GB of memory, and at most {most:g} GB "
            "are allowed. Try again in a few minutes."
        )


def check_jobs(under_way: int) -> None:
    """Raise LimitError unless a visitor with so many jobs under way may start another."""
    most = int(limit("GENLIB_MAX_JOBS"))
    if under_way >= most:
        raise LimitError(
            f"You have {under_way} calculation{'s' * (under_way != 1)} under way, and at most "
            f"{most} {'is' if most == 1 else 'are'} allowed: wait "
            "for one to finish, or cancel it."
        )
