"""Write files so that nobody ever sees half of one, not even after a crash or a power cut.

A file is written in a temporary folder next to its place, flushed to the disk, and moved there::

    runs/vae-3/.status.json.k3x9q2.tmp/new  ->  runs/vae-3/status.json

The writer keeps the temporary folder locked. The kernel releases the lock when the writer ends,
however it ends, so a temporary folder that nobody holds was left by a killed writer: the next write
in the same place removes it.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from genlib.limits import DiskFullError

SUFFIX = ".tmp"
STAGED = "new"  # the file inside the temporary folder


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
    DiskFullError where there is no room.
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
    while True:
        folder = tempfile.mkdtemp(dir=path.parent, prefix=f".{path.name}.", suffix=SUFFIX)
        lock = os.open(folder, os.O_RDONLY)
        fcntl.flock(lock, fcntl.LOCK_EX)
        if os.path.isdir(folder):  # else a sweep came between making the folder and locking it
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
    """Remove what killed writers left in ``folder``; the work of living ones is left alone."""
    with os.scandir(folder) as entries:
        left = [e.path for e in entries if e.name.startswith(".") and e.name.endswith(SUFFIX)]
    for path in left:
        with suppress(OSError):  # finished or swept by somebody else meanwhile
            _remove_if_abandoned(path)


def _remove_if_abandoned(path: str) -> None:
    lock = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # BlockingIOError: its writer lives
        shutil.rmtree(path, ignore_errors=True)
    finally:
        os.close(lock)
