"""Pictures of any size and format -> one uint8 tensor; broken ones are left out and named."""

from __future__ import annotations

import io
import lzma
import math
import struct
import threading
import warnings
import zipfile
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from torch import Tensor

from genlib.background import Cancelled
from genlib.data.pictures import room
from genlib.data.pictures.photographs import as_seen
from genlib.data.pictures.room import Room
from genlib.data.pictures.source import (
    MAX_PICTURE,
    FolderError,
    Progress,
    Source,
    formats,
    title_of,
)

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
PART = 512  # pictures between two reports
THREADS = 2  # Pillow decodes without Python's lock
NAMED = 3  # pictures left out that the note names


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

    They wait in a file in ``folder`` where that works, see ``room``.

    Raises FolderError when more than half cannot be used, or when too few or too many are left.
    """
    found = _room(source, size, colour, folder)
    shown, total = found.x.numpy(), len(found.x)
    reasons: dict[int, str] = {}
    budget = Budget(title_of(source.path))
    with source.reader() as read, ThreadPoolExecutor(THREADS) as pool, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow warns of odd metadata; pixels are what counts

        def one(index: int) -> None:
            if cancelled():
                return  # the pictures of a part may be large
            try:
                data = read(source.pictures[index].name)
                shown[index] = read_picture(data, size, colour, budget.spend)
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
    return room.make(shape, folder)


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
