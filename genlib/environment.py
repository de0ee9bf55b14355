"""What the environment variables set: forced choices, places and limits.

Choices that are otherwise measured, or made by the machine::

    GENLIB_PRECISION  auto, float32, bfloat16         ascents, and the default for training
    GENLIB_THREADS    0 (measured) to 64              default for training
    GENLIB_LAYOUT     auto, channels_last, contiguous memory order of images in convolutions
    GENLIB_DECODER    auto, browser, server           who decodes while a latent is dragged

Unset and empty mean auto. torch isn't imported here: settings read this before anything computes.

Where things live::

    GENLIB_CHECKPOINTS, GENLIB_RUNS, GENLIB_DATA

How much visitors may use of the queue, the disk and the memory::

    GENLIB_MAX_QUEUE=20       runs that wait
    GENLIB_MAX_OWN_RUNS=15    runs of one visitor that train or wait
    GENLIB_MAX_DISK=20        GB that runs and uploads take together
    GENLIB_MIN_FREE=1         GB that stay free on their disk
    GENLIB_MAX_MEMORY=1       GB of uploaded files that are held in memory
    GENLIB_MAX_JOBS=3         measurements and small training jobs of one visitor at a time

A bad value counts as the default.
"""

from __future__ import annotations

import math
import os
import shutil
from pathlib import Path

CHOICES: dict[str, tuple[str, ...]] = {
    "GENLIB_PRECISION": ("auto", "float32", "bfloat16"),
    "GENLIB_LAYOUT": ("auto", "channels_last", "contiguous"),
    "GENLIB_DECODER": ("auto", "browser", "server"),
}
FOLDERS = ("GENLIB_RUNS", "GENLIB_CHECKPOINTS", "GENLIB_DATA")
MAX_THREADS = 64


def precision() -> str:
    """``GENLIB_PRECISION``: auto, float32 or bfloat16. Raises ValueError for anything else."""
    return _choice("GENLIB_PRECISION")


def threads() -> int:
    """``GENLIB_THREADS``, 0 where they are to be measured. Raises ValueError for a bad number."""
    text = os.environ.get("GENLIB_THREADS", "").strip().lower()
    if text in ("", "auto"):
        return 0
    if not (text.isascii() and text.isdigit() and int(text[:9]) <= MAX_THREADS):
        raise ValueError(
            f"GENLIB_THREADS must be a whole number from 0 (measured) to {MAX_THREADS}, "
            f"got {text[:40]!r}"
        )
    return int(text)


def channels_last(device: str) -> bool:
    """Whether convolutions on a kind of device ("cpu", "cuda", "mps") get channels-last images."""
    wish = _choice("GENLIB_LAYOUT")
    return device == "cpu" if wish == "auto" else wish == "channels_last"


def decoder() -> str:
    """``GENLIB_DECODER``: auto (by the decoder's size), browser or server."""
    return _choice("GENLIB_DECODER")


def check() -> None:
    """Raise ValueError naming the first variable with a value that isn't allowed."""
    threads()
    for name in CHOICES:
        _choice(name)
    for name in FOLDERS:
        value = os.environ.get(name, "")
        if value and Path(value).exists() and not Path(value).is_dir():
            raise ValueError(f"{name} must be a folder, but {value[:80]} is a file.")


def _choice(name: str) -> str:
    value = os.environ.get(name, "").strip().lower() or "auto"
    if value not in CHOICES[name]:
        allowed = ", ".join(CHOICES[name])
        raise ValueError(f"{name} must be one of {allowed}, got {value[:40]!r}")
    return value


def root() -> Path:
    """The project's folder."""
    return Path(__file__).parents[1]


def shipped_dir() -> Path:
    """Checkpoints that come with the project; ``$GENLIB_CHECKPOINTS`` overrides."""
    return Path(os.environ.get("GENLIB_CHECKPOINTS") or root() / "checkpoints")


def runs_dir() -> Path:
    """Training runs; ``$GENLIB_RUNS`` overrides."""
    return Path(os.environ.get("GENLIB_RUNS") or root() / "runs")


def uploads_dir() -> Path:
    """Checkpoints that were uploaded in the app."""
    return runs_dir() / "uploads"


def user_cache() -> Path:
    """Where this user's caches of genlib are."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "genlib"


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


def check_disk(folder: Path, more: int = 0) -> int:
    """Raise LimitError unless ``more`` bytes may be written below ``folder``; returns how many may
    be written after them."""
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
    return int(min(free - least * GB, most * GB - used)) - more


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
