"""Pictures are decoded once: one safetensors file a source and choice of options, in the user's
cache (``~/.cache/genlib/pictures``), read as it is touched and so shared between processes."""

from __future__ import annotations

import fcntl
import hashlib
import json
import math
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from genlib.background import Cancelled
from genlib.data.pictures.registry import Entry
from genlib.data.pictures.source import Progress, look, stamp_of
from genlib.environment import DiskFullError
from genlib.files import staged

if TYPE_CHECKING:  # listing datasets must not wait for torch
    from torch import Tensor

    from genlib.data.pictures.decode import Decoded

MAX_CACHED = 8  # decoded sources; the oldest go
PART = 512  # pictures that are written at once
VERSION = 1  # of the decoding; another number makes every cache stale


@dataclass(frozen=True)
class Split:
    """Decoded pictures: uint8 (N, C, S, S) and labels int64 (N,), for training and for tests."""

    train_x: Tensor
    train_y: Tensor
    test_x: Tensor
    test_y: Tensor
    classes: tuple[str, ...]
    note: str


def user_cache() -> Path:
    """Where this user's caches of genlib are."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "genlib"


def cache_file(entry: Entry) -> Path:
    """Where the decoded tensors of an entry are, once they are: one name for one content."""
    what = f"{entry.path}\0{entry.size}\0{entry.colour}\0{VERSION}"
    stem, stamp = (
        hashlib.sha256(text.encode()).hexdigest()[:16] for text in (what, stamp_of(entry.path))
    )
    return user_cache() / "pictures" / f"{stem}-{stamp}.safetensors"


def cached(entry: Entry) -> Split | None:
    """The decoded pictures, read as they are touched; None when they must be decoded."""
    from safetensors import SafetensorError, safe_open

    file = cache_file(entry)
    try:
        with safe_open(file, framework="pt") as held:
            said = json.loads(held.metadata()["genlib"])
            found = {name: held.get_tensor(name) for name in held.keys()}  # noqa: SIM118
        return Split(**found, classes=tuple(said["classes"]), note=said["note"])
    except (SafetensorError, OSError, KeyError, TypeError, ValueError):
        return None


def chosen(entry: Entry, name: str, rows: Tensor) -> Tensor:
    """Some rows, in order, of "train_x" or "test_x" of a decoded entry: rows (n,) -> (n, C, S, S).

    Read a block at a time and laid into a file of their own: a mapping of all pictures comes into
    memory almost whole when one class is picked from it. Raises OSError without the file.
    """
    import torch

    from genlib.data.pictures import room

    with cache_file(entry).open("rb") as file:
        about = json.loads(file.read(int.from_bytes(file.read(8), "little")))[name]
        begin, (total, *shape) = file.tell() + about["data_offsets"][0], about["shape"]
        found, done, size = room.make((len(rows), *shape), user_cache()), 0, math.prod(shape)
        for start in range(0, total, PART):
            wanted = rows[(rows >= start) & (rows < start + PART)] - start
            file.seek(begin + start * size)
            block = torch.frombuffer(bytearray(file.read(PART * size)), dtype=torch.uint8)
            found.x[done : done + len(wanted)] = block.view(-1, *shape)[wanted]
            done += len(wanted)
            found.rest()
    return found.x


def split(
    entry: Entry,
    progress: Progress = lambda done, total: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> Split:
    """The decoded pictures of an entry: from the cache, or decoded now and put there.

    Raises FolderError for what cannot be used, Cancelled when asked to cancel.
    """
    if (found := cached(entry)) is not None:
        return found
    from genlib.data.pictures.decode import decode

    with _turn(cancelled):
        if (found := cached(entry)) is not None:
            return found  # whoever had the turn before decoded it
        source, folder = look(entry.path), user_cache()
        room = folder if folder.is_dir() else None
        decoded = decode(source, entry.size, entry.colour, progress, cancelled, room)
        return _keep(entry, decoded)


@contextmanager
def _turn(cancelled: Callable[[], bool]) -> Iterator[None]:
    """Wait until no thread or process of this user decodes pictures: it takes memory and time.

    Raises Cancelled when asked to cancel.
    """
    folder = user_cache()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = os.open(folder / "decoding.lock", os.O_RDWR | os.O_CREAT, 0o644)
    except OSError:  # nothing can be kept there either
        yield
        return
    try:
        while not _locked(lock):
            if cancelled():
                raise Cancelled
            time.sleep(0.05)
        yield
    finally:
        os.close(lock)


def _locked(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _keep(entry: Entry, decoded: Decoded) -> Split:
    file = cache_file(entry)
    # No room: the pictures are decoded again next time.
    with suppress(OSError, DiskFullError):
        file.parent.mkdir(parents=True, exist_ok=True)
        with staged(file) as new:
            _write(new, decoded)
        _tidy(file)
    # From the file where it could be written: images that are never looked at then take no memory.
    return cached(entry) or _in_memory(decoded)


def _in_memory(decoded: Decoded) -> Split:
    x, y, test = decoded.x, decoded.y, decoded.test
    return Split(x[~test], y[~test], x[test], y[test], decoded.classes, decoded.note)


def _write(file: Path, decoded: Decoded) -> None:
    """Write a safetensors file some pictures at a time: all at once take the memory twice."""
    rows = {"train": (~decoded.test).nonzero()[:, 0], "test": decoded.test.nonzero()[:, 0]}
    # Labels first: their eight bytes each stay aligned.
    content = {f"{part}_y": (decoded.y, which) for part, which in rows.items()}
    content |= {f"{part}_x": (decoded.x, which) for part, which in rows.items()}
    said = {"genlib": json.dumps({"classes": decoded.classes, "note": decoded.note})}
    header: dict[str, object] = {"__metadata__": said}
    end = 0
    for name, (tensor, which) in content.items():
        start, end = end, end + len(which) * tensor[0].numel() * tensor.element_size()
        shape = [len(which), *tensor.shape[1:]]
        kind = "I64" if name.endswith("_y") else "U8"
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [start, end]}
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 8)
    with file.open("wb") as out:
        out.write(len(head).to_bytes(8, "little") + head)
        for tensor, which in content.values():
            for part in which.split(PART):
                out.write(tensor[part].numpy().tobytes())
                decoded.rest()


def _tidy(file: Path) -> None:
    """Delete what was decoded of an earlier content of the same source, and the oldest."""
    stem = file.name.split("-")[0]
    others = [f for f in file.parent.glob("*.safetensors") if f != file]
    newest = sorted(others, key=lambda f: f.stat().st_mtime_ns, reverse=True)
    for number, old in enumerate(newest, 2):
        if number > MAX_CACHED or old.name.startswith(f"{stem}-"):
            old.unlink(missing_ok=True)
