"""Pictures of any size and format -> uint8 tensors, decoded once.

Broken pictures are left out and named. What was decoded is kept: one safetensors file for each
source and choice of options, in the user's cache (``~/.cache/genlib/pictures``). It is read as it
is touched, and so shared between processes.
"""

from __future__ import annotations

import fcntl
import hashlib
import io
import json
import lzma
import math
import mmap
import os
import struct
import tempfile
import threading
import time
import warnings
import zipfile
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from safetensors import SafetensorError, safe_open
from torch import Tensor

from genlib.background import Cancelled
from genlib.data.pictures.photographs import as_seen
from genlib.data.pictures.registry import Entry
from genlib.data.pictures.source import (
    MAX_PICTURE,
    FolderError,
    Progress,
    Source,
    formats,
    look,
    stamp_of,
    title_of,
)
from genlib.environment import DiskFullError, user_cache
from genlib.files import staged

COLOURS: dict[str, str] = {"colour": "RGB", "grey": "L"}  # -> Pillow's mode
MAX_PIXELS = 50_000_000  # in one picture
MAX_ALL_PIXELS = 50_000_000_000  # of all pictures, as decoded: some minutes of work
# Pillow itself stops at twice this, also where a picture inside a picture (ICO) is larger than
# the outer one says.
Image.MAX_IMAGE_PIXELS = MAX_PIXELS // 2
MIN_SIDE = 4  # pixels
MAX_BYTES = 2_500_000_000  # of all pictures, decoded and resized
# What zipfile's readers raise on damaged entries; whatever it is, it is this entry's fault.
UNREADABLE = (
    *(OSError, EOFError, KeyError, ValueError, NotImplementedError, RuntimeError, MemoryError),
    *(zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error),
)
PART = 512  # pictures between two reports, or written at once
THREADS = 2  # Pillow decodes without Python's lock
NAMED = 3  # pictures left out that the note names
MAX_CACHED = 8  # decoded sources; the oldest go
VERSION = 1  # of the decoding; another number makes every cache stale


class Unusable(Exception):
    """One picture cannot be used; the message says why in a few words."""


@dataclass(frozen=True)
class Decoded:
    """The pictures of a source: uint8 (N, C, S, S), labels int64 (N,), and which are for tests.

    ``rest`` lets go of the memory of pictures that were looked at; they can be looked at again.
    """

    x: Tensor
    y: Tensor
    test: Tensor  # bool (N,)
    classes: tuple[str, ...]
    note: str  # what was left out; empty when nothing was
    rest: Callable[[], None]


def square(picture: Image.Image, size: int, colour: str) -> NDArray[np.uint8]:
    """Cut the largest square from the middle and resize it: -> (C, size, size).

    Lanczos in both directions; transparency is laid on white; turned as the camera says.
    Raises Unusable for a picture that is too small.
    """
    width, height = picture.size
    if min(width, height) < MIN_SIDE:
        raise Unusable(f"only {width}×{height} pixels")
    picture = as_seen(picture, COLOURS[colour])
    side = min(picture.size)
    left, top = (picture.width - side) // 2, (picture.height - side) // 2
    picture = picture.crop((left, top, left + side, top + side))  # nothing around it bleeds in
    if side != size:
        picture = picture.resize((size, size), Image.Resampling.LANCZOS)
    pixels = np.asarray(picture, np.uint8)
    return pixels[None] if pixels.ndim == 2 else pixels.transpose(2, 0, 1)


class Budget:
    """The pixels that the pictures of one source may have together; threads share it."""

    def __init__(self, title: str) -> None:
        self.title = title
        self.left = MAX_ALL_PIXELS
        self.lock = threading.Lock()

    def spend(self, pixels: int) -> None:
        """Count a picture that is about to be decoded; raise FolderError when that is too much."""
        with self.lock:
            self.left -= pixels
        if self.left < 0:
            raise FolderError(
                f"{self.title}: its pictures have more than {MAX_ALL_PIXELS / 1e9:g} billion "
                "pixels: use a part of them, or smaller ones."
            )


def read_picture(
    data: bytes, size: int, colour: str, spend: Callable[[int], None] = lambda pixels: None
) -> NDArray[np.uint8]:
    """Decode one file: bytes -> (C, size, size). Raises Unusable.

    ``spend`` is told the number of pixels before they are decoded, and may object.
    """
    if len(data) > MAX_PICTURE:
        raise Unusable(f"more than {MAX_PICTURE // 1_000_000} MB")
    try:
        with Image.open(io.BytesIO(data), formats=formats()) as picture:
            if picture.width * picture.height > MAX_PIXELS:
                raise Unusable(f"more than {MAX_PIXELS // 1_000_000} megapixels")
            if min(picture.size) >= 4 * size:
                picture.draft(COLOURS[colour], (2 * size, 2 * size))  # JPEG: decode a part only
            spend(picture.width * picture.height)
            return square(picture, size, colour)
    except FolderError:
        raise
    except Image.DecompressionBombError:
        raise Unusable(f"more than {MAX_PIXELS // 1_000_000} megapixels") from None
    except UnidentifiedImageError:
        raise Unusable("not a picture") from None
    # What Pillow's readers raise on damaged files; whatever it is, it is this picture's fault.
    except (OSError, ValueError, SyntaxError, EOFError, TypeError, struct.error, zlib.error):
        raise Unusable("damaged") from None
    except (IndexError, KeyError, OverflowError, MemoryError, AttributeError, RuntimeError):
        raise Unusable("damaged") from None


def decode(
    source: Source,
    size: int,
    colour: str,
    progress: Progress = lambda done, total: None,
    cancelled: Callable[[], bool] = lambda: False,
    folder: Path | None = None,
) -> Decoded:
    """Decode all pictures of a source; asked to cancel, raise Cancelled within PART pictures.

    They wait in a file in ``folder`` where that works, see ``make_room``. Raises FolderError when
    more than half cannot be used, or when too few or too many are left.
    """
    found = _room(source, size, colour, folder)
    shown, total = found.x.numpy(), len(found.x)
    reasons: dict[int, str] = {}
    spend = Budget(title_of(source.path)).spend
    with source.reader() as read, ThreadPoolExecutor(THREADS) as pool, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of odd metadata; pixels are what counts

        def one(index: int) -> None:
            if cancelled():
                return  # the pictures of a part may be large
            try:
                shown[index] = read_picture(read(source.pictures[index].name), size, colour, spend)
            except FolderError:
                raise
            except Unusable as why:
                reasons[index] = str(why)
            except UNREADABLE:
                reasons[index] = "unreadable"

        for start in range(0, total, PART):
            if cancelled():
                raise Cancelled
            progress(start, total)
            list(pool.map(one, range(start, min(start + PART, total))))
            found.rest()
    progress(total, total)
    return _kept(source, found, reasons)


def _room(source: Source, size: int, colour: str, folder: Path | None) -> Room:
    """Room for all pictures of a source: uint8 (N, C, size, size), not yet filled."""
    shape = (len(source.pictures), Image.getmodebands(COLOURS[colour]), size, size)
    if math.prod(shape) > MAX_BYTES:
        raise FolderError(
            f"{title_of(source.path)}: {shape[0]:,} pictures of {size} px would fill "
            f"{math.prod(shape) / 1e9:.1f} GB; at most {MAX_BYTES / 1e9:.1f} GB are allowed: "
            "choose a smaller size or grey, or use a part of them."
        )
    return make_room(shape, folder)


def _kept(source: Source, found: Room, reasons: dict[int, str]) -> Decoded:
    pictures, x = source.pictures, found.x
    names = [f"{_quoted(pictures[i].name)} ({why})" for i, why in sorted(reasons.items())]
    left_out = ", ".join(names[:NAMED]) + (" and others" if len(names) > NAMED else "")
    if 2 * len(reasons) > len(pictures):
        raise FolderError(
            f"{title_of(source.path)}: {len(reasons):,} of {len(pictures):,} pictures cannot be "
            f"used: {left_out}."
        )
    rows = torch.tensor([i for i in range(len(pictures)) if i not in reasons])
    y = torch.tensor([p.label for p in pictures], dtype=torch.int64)
    test = torch.tensor([p.test for p in pictures])
    if reasons:
        for place, part in zip(x[: len(rows)].split(PART), rows.split(PART), strict=True):
            place.copy_(x[part])  # each moves towards the front, where nothing is needed any more
            found.rest()
        x, y, test = x[: len(rows)], y[rows], test[rows]
    if len(x) < 2:
        raise FolderError(f"{title_of(source.path)} holds one picture only; at least 2 are needed.")
    if not test.any() or test.all():
        test = test.clone()
        test[-1] = not test[-1]  # a model is always shown something that it has not learned
    note = f"{len(reasons):,} of {len(pictures):,} pictures were left out: {left_out}."
    return Decoded(x, y, test, source.classes, note if reasons else "", found.rest)


def _quoted(name: str) -> str:
    """A stranger's file name as code, so that nothing in it is read as Markdown."""
    letters = "".join(c for c in name if c.isprintable() and c != "`")
    return f"`{letters if len(letters) <= 60 else '…' + letters[-60:]}`"


# ---------------------------------------------------------------------- room while they are decoded


@dataclass(frozen=True)
class Room:
    """x: uint8, not yet filled; ``rest`` lets go of the memory, not of what is written there."""

    x: Tensor
    rest: Callable[[], None]


def make_room(shape: tuple[int, ...], folder: Path | None) -> Room:
    """Room of that shape, in a file in ``folder`` if that works.

    CIFAR-10 at 64 pixels is 737 MB, and a server that has to decode it serves pages meanwhile.
    Decoded pictures aren't looked at again until they are written to the cache, so they wait in a
    file without a name, which the system removes with the process. Where no such file can be had
    (no folder, a full disk, a system that can't reserve a file's blocks), they wait in memory.
    """
    try:
        return _room_in_file(shape, folder) if folder else _room_in_memory(shape)
    except OSError:
        return _room_in_memory(shape)


def _room_in_memory(shape: tuple[int, ...]) -> Room:
    return Room(torch.empty(shape, dtype=torch.uint8), lambda: None)


def _room_in_file(shape: tuple[int, ...], folder: Path) -> Room:
    size = math.prod(shape)
    if not (size and hasattr(os, "posix_fallocate") and hasattr(mmap, "MADV_DONTNEED")):
        return _room_in_memory(shape)
    with tempfile.TemporaryFile(dir=folder) as file:
        # Reserved: writing to a mapping of a file that the disk has no blocks for ends the process.
        os.posix_fallocate(file.fileno(), 0, size)
        mapping = mmap.mmap(file.fileno(), size)
    x = torch.frombuffer(mapping, dtype=torch.uint8).view(shape)
    # Of a shared mapping of a file: what was written stays, in the file.
    return Room(x, lambda: mapping.madvise(mmap.MADV_DONTNEED))


# ---------------------------------------------------------------------------- keep what was decoded


@dataclass(frozen=True)
class Split:
    """Decoded pictures: uint8 (N, C, S, S) and labels int64 (N,), for training and for tests."""

    train_x: Tensor
    train_y: Tensor
    test_x: Tensor
    test_y: Tensor
    classes: tuple[str, ...]
    note: str


def cache_file(entry: Entry) -> Path:
    """Where the decoded tensors of an entry are, once they are: one name for one content."""
    what = f"{entry.path}\0{entry.size}\0{entry.colour}\0{VERSION}"
    stem, stamp = (
        hashlib.sha256(text.encode()).hexdigest()[:16] for text in (what, stamp_of(entry.path))
    )
    return user_cache() / "pictures" / f"{stem}-{stamp}.safetensors"


def cached(entry: Entry) -> Split | None:
    """The decoded pictures, read as they are touched; None when they must be decoded."""
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
    with cache_file(entry).open("rb") as file:
        about = json.loads(file.read(int.from_bytes(file.read(8), "little")))[name]
        begin, (total, *shape) = file.tell() + about["data_offsets"][0], about["shape"]
        found, done = make_room((len(rows), *shape), user_cache()), 0
        size = math.prod(shape)
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
