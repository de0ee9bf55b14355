"""Write files so that half of one is never seen, not even after a crash or a power cut.

A file is written in a temporary folder next to its place, flushed to the disk, and moved there::

    runs/vae-3/.status.json.1f0c92ab.k3x9q2wz.tmp/new  ->  runs/vae-3/status.json

The writer keeps the temporary folder locked. The kernel releases the lock when the writer ends,
however it ends, so a temporary folder without a lock was left by a killed writer: the next write
in the same place removes it. On a shared disk the locks of other machines may not be seen. The name
says which machine writes, and only what is more than a day old is removed for another one.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import shutil
import socket
import tempfile
import time
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from genlib.environment import DiskFullError

SUFFIX = ".tmp"
STAGED = "new"  # the file inside the temporary folder
SPARED_S = 86_400.0  # for how long the unfinished work of another machine is left alone


@lru_cache
def machine() -> str:
    """This machine since it was started. Processes that agree on it see each other's locks."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:  # not Linux
        boot = f"{uuid.getnode():x}"
    return f"{boot}@{socket.gethostname()}"


def tag(of: str) -> str:
    """Eight hexadecimal digits that stand for a ``machine`` in the name of a temporary folder."""
    return hashlib.sha256(of.encode(errors="replace")).hexdigest()[:8]


def is_full(error: BaseException) -> bool:
    """Whether an error says that a disk, or somebody's share of it, is full."""
    return isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def full_disk_said(path: Path) -> Iterator[None]:
    """Turn the error of a full disk while ``path`` is written into a DiskFullError."""
    try:
        yield
    except OSError as error:
        if not is_full(error):
            raise
        raise DiskFullError(
            f"The disk is full: {path.name} could not be written. Delete runs or uploads that are "
            "no longer needed, or free some space on the server."
        ) from error


@contextmanager
def staged(path: Path, name: str = STAGED) -> Iterator[Path]:
    """Yield a place, called ``name``, for the new content of ``path``; the block's end moves it.

    Readers see the old file or the new one, whole. If the block raises, nothing has changed. Raises
    DiskFullError when the disk is full.
    """
    sweep(path.parent)
    with full_disk_said(path):
        folder, lock = _locked_folder(path)
        try:
            new = folder / name
            yield new
            sync(new)
            os.replace(new, path)
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            os.close(lock)
        sync(path.parent)


def _locked_folder(path: Path) -> tuple[Path, int]:
    prefix = f".{path.name}.{tag(machine())}."
    while True:
        folder = tempfile.mkdtemp(dir=path.parent, prefix=prefix, suffix=SUFFIX)
        # A sweep may come between making the folder and locking it: then there is another one.
        try:
            lock = os.open(folder, os.O_RDONLY)
        except FileNotFoundError:
            continue
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.path.isdir(folder):
            return Path(folder), lock
        os.close(lock)


def write_bytes(path: Path, data: bytes) -> None:
    """Replace ``path`` by ``data``, whole or not at all."""
    with staged(path) as new:
        new.write_bytes(data)


def move(source: Path, target: Path) -> None:
    """Move a file or folder, replacing a file at ``target``, and see to it that the move lasts."""
    os.replace(source, target)
    for folder in {source.parent, target.parent}:
        sync(folder)


def sync(path: Path) -> None:
    """Flush a file, or a folder's list of names, to the disk.

    A rename lasts through a power cut only after its folder was flushed as well. File systems that
    can't flush folders (some network shares) are left to do it in their own time.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError:
        if not path.is_dir():
            raise
    finally:
        os.close(descriptor)


def sweep(folder: Path) -> None:
    """Remove what killed writers of this machine left in ``folder``, and what others did more than
    ``SPARED_S`` ago; the work of living ones is left alone."""
    with os.scandir(folder) as entries:
        left = [e for e in entries if e.name.startswith(".") and e.name.endswith(SUFFIX)]
    for entry in left:
        with suppress(OSError):  # finished or swept by somebody else meanwhile
            age = time.time() - entry.stat(follow_symlinks=False).st_mtime
            if f".{tag(machine())}." in entry.name or age > SPARED_S:
                _remove_if_abandoned(entry.path)


def _remove_if_abandoned(path: str) -> None:
    lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # BlockingIOError: its writer lives
        shutil.rmtree(path, ignore_errors=True)
    finally:
        os.close(lock)


def open_file(path: Path) -> BinaryIO:
    """Open a file to read its bytes. Raises OSError for anything else that can be opened: a pipe
    would wait for ever, and a device may never end."""
    if path.exists() and not path.is_file():
        raise OSError(errno.EINVAL, "Not a file", str(path))
    return path.open("rb")


def end_of(path: Path, most: int) -> str:
    """The last ``most`` bytes of a text; raises OSError as ``open_file`` does."""
    with open_file(path) as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - most))
        return file.read(most).decode(errors="replace")


MOST_JSON = 1_000_000  # bytes


def write_json(path: Path, value: Mapping[str, object]) -> None:
    """Replace ``path`` by a JSON object."""
    write_bytes(path, json.dumps(value, indent=1).encode())


def read_json(path: Path) -> dict[str, object]:
    """Read a JSON object; raises ValueError when the file holds something else, OSError if none."""
    odd = ValueError(f"{path.name} does not hold a JSON object of at most {MOST_JSON:,} bytes.")
    if path.exists() and not path.is_file():
        raise odd
    with open_file(path) as file:
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
    except OSError:  # there is none, or something that can't be locked
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
