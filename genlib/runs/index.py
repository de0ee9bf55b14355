"""What a list of runs needs to know of each, without reading every file again.

A run's own files are the truth, and the index is only a memory of them: each entry holds the stamps
(time of change, size and number in the file system) of the two files it was read from, and counts
only while they are the same. It is kept in this process and, for the next one, in ``.index.json``.
That file may be deleted, damaged or edited at any time; it is rebuilt from the runs.

Measured in benchmarks/sweep.py: reading 10,000 runs takes seconds, comparing their stamps doesn't.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Callable
from dataclasses import astuple, dataclass
from functools import lru_cache
from pathlib import Path

from genlib.environment import DiskFullError
from genlib.files import write_bytes
from genlib.runs.directory import STATES, Run

LOG = logging.getLogger(__name__)
FILE = ".index.json"
VERSION = 1
MOST_BYTES = 100_000_000
WORTH_WRITING = 100  # new entries, or a fifth of all where that is more
MOST_REASON = 200  # characters in the log of why a directory is skipped
Stamp = tuple[int, int, int]
NONE: Stamp = (0, 0, 0)  # of a file that isn't there


@dataclass(frozen=True)
class Known:
    """A run as it was when its two files had these stamps; ``state`` is what its status says, so
    that "running" may mean that it was lost."""

    run: Stamp
    status: Stamp
    created: float
    sweep: str
    state: str
    since: float


_known: dict[str, dict[str, Known]] = {}  # folder -> run -> entry
_lock = threading.Lock()


def entries(folder: Path) -> dict[str, Known]:
    """Every sound run below ``folder`` by its id, as its files are now. A directory that does not
    hold one is left out, and the log says once why."""
    with _lock:
        place = str(folder.resolve())
        old = _known.get(place)
        if old is None:
            old = _stored(folder)
        found: dict[str, Known] = {}
        fresh = 0
        for name, run, status in _stamps(folder):
            entry = old.get(name)
            if entry is None or entry.run != run or entry.status != status:
                entry = _read(folder / name, run, status)
                fresh += 1
            if entry is not None:
                found[name] = entry
        _known[place] = found
    if fresh > max(WORTH_WRITING, len(found) // 5):
        _store(folder, found)
    return found


def _stamps(folder: Path) -> list[tuple[str, Stamp, Stamp]]:
    """Every directory with a run.json, and the stamps of its two files."""
    found = []
    try:
        with os.scandir(folder) as places:
            names = [place.name for place in places if not place.name.startswith(".")]
    except (FileNotFoundError, NotADirectoryError):
        return []
    for name in names:
        run = _stamp(f"{folder}/{name}/run.json")
        if run != NONE:
            found.append((name, run, _stamp(f"{folder}/{name}/status.json")))
    return found


def _stamp(path: str) -> Stamp:
    try:
        about = os.stat(path)
    except OSError:
        return NONE
    return about.st_mtime_ns, about.st_size, about.st_ino


def _read(path: Path, run: Stamp, status: Stamp) -> Known | None:
    one = Run(path)
    try:
        spec, now = one.spec, one.status
    except FileNotFoundError:
        return None  # deleted meanwhile
    except (OSError, ValueError) as error:
        say_skipped(path, str(error))
        return None
    return Known(run, status, spec.created, spec.sweep, now.state, now.since)


@lru_cache(maxsize=256)  # once for each directory and reason: pages list the runs all the time
def say_skipped(path: Path, why: str) -> None:
    """Log why the run in a directory is left out."""
    LOG.warning("skipped the run in %s: %s", path, why[:MOST_REASON])


# -------------------------------------------------------------------------- for the next process


def _store(folder: Path, found: dict[str, Known]) -> None:
    values = {"version": VERSION, "runs": {name: astuple(e) for name, e in found.items()}}
    try:
        write_bytes(folder / FILE, json.dumps(values, separators=(",", ":")).encode())
    except (DiskFullError, OSError) as error:  # the next process reads the runs themselves
        say_skipped(folder / FILE, str(error))


def _stored(folder: Path) -> dict[str, Known]:
    """What an earlier process left; nothing where that isn't entirely as we write it."""
    path = folder / FILE
    try:
        if not path.is_file() or path.stat().st_size > MOST_BYTES:
            return {}
        values = json.loads(path.read_bytes())
        if values["version"] != VERSION:
            return {}
        return {name: _checked(fields) for name, fields in values["runs"].items()}
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return {}


def _checked(fields: list[object]) -> Known:
    run, status, created, sweep, state, since = fields
    stamps = [tuple(stamp) for stamp in (run, status) if isinstance(stamp, list)]
    sound: list[Callable[[], bool]] = [
        lambda: len(stamps) == 2 and all(len(s) == 3 for s in stamps),
        lambda: all(type(n) is int for stamp in stamps for n in stamp),
        lambda: all(type(x) in (int, float) for x in (created, since)),
        lambda: isinstance(sweep, str) and state in STATES,
    ]
    if not all(holds() for holds in sound):
        raise ValueError("an entry isn't one of ours")
    return Known(*stamps, created, sweep, state, since)  # type: ignore[call-arg, arg-type]
