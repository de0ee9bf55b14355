"""The two primitives a run's directory rests on: whole JSON files, and locks that die with us.

Several processes read and write one run: the pages, the command line, and the training process.
They agree without talking because every file is replaced as a whole, and because "is it alive?"
is answered by the kernel: a training process holds ``flock`` on its ``lock`` file, and the kernel
lets go when the process ends, however it ends. A process number could be given to somebody else
after a crash; a lock cannot.

``flock`` exists on Linux and macOS; Windows needs WSL.
"""

import fcntl
import json
import os
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from genlib.files import write_bytes

MOST_JSON = 1_000_000  # bytes


def write_json(path: Path, value: Mapping[str, object]) -> None:
    """Replace ``path`` by a JSON object."""
    write_bytes(path, json.dumps(value, indent=1).encode())


def read_json(path: Path) -> dict[str, object]:
    """Read a JSON object; raises ValueError when the file holds something else, OSError if none."""
    odd = ValueError(f"{path.name} does not hold a JSON object of at most {MOST_JSON:,} bytes.")
    if path.exists() and not path.is_file():
        raise odd  # opening a pipe would wait for ever
    with path.open("rb") as file:
        data = file.read(MOST_JSON + 1)
    if len(data) > MOST_JSON:
        raise odd
    try:
        value = json.loads(data)
    except (ValueError, RecursionError):
        raise odd from None
    if not isinstance(value, dict):
        raise odd
    return value


def is_held(path: Path) -> bool:
    """Say whether a living process holds the lock file ``path``."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except OSError:  # there is none, or something that nobody can hold
        return False
    try:
        # A shared lock, so that two askers do not take each other for the owner.
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(descriptor)
    return False


def take(path: Path, patience: float = 0.3) -> int | None:
    """Lock ``path``; returns the descriptor to keep open, or None when another process holds it.

    ``patience`` (seconds) outlasts an ``is_held`` that is asking at this very moment.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    until = time.monotonic() + patience
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return descriptor
        except BlockingIOError:
            if time.monotonic() > until:
                os.close(descriptor)
                return None
            time.sleep(0.01)


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """Wait for the lock file ``path``, hold it for the block."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)
