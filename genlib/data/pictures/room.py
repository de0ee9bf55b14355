"""Room for all pictures of a source while they are decoded: in a file, so that memory stays free.

CIFAR-10 at 64 pixels is 737 MB, and a server that has to decode it serves pages meanwhile. Decoded
pictures aren't looked at again until they are written to the cache, so they wait in a file without
a name, which the system removes with the process. Where no such file can be had (no folder, a full
disk, a system that can't reserve a file's blocks), they wait in memory.
"""

from __future__ import annotations

import math
import mmap
import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor


@dataclass(frozen=True)
class Room:
    """x: uint8, not yet filled; ``rest`` lets go of the memory, not of what is written there."""

    x: Tensor
    rest: Callable[[], None]


def make(shape: tuple[int, ...], folder: Path | None) -> Room:
    """Room of that shape, in a file in ``folder`` if that works."""
    try:
        return _in_file(shape, folder) if folder else _in_memory(shape)
    except OSError:
        return _in_memory(shape)


def _in_memory(shape: tuple[int, ...]) -> Room:
    return Room(torch.empty(shape, dtype=torch.uint8), lambda: None)


def _in_file(shape: tuple[int, ...], folder: Path) -> Room:
    size = math.prod(shape)
    if not (size and hasattr(os, "posix_fallocate") and hasattr(mmap, "MADV_DONTNEED")):
        return _in_memory(shape)
    with tempfile.TemporaryFile(dir=folder) as file:
        # Reserved: writing to a mapping of a file that the disk has no blocks for ends the process.
        os.posix_fallocate(file.fileno(), 0, size)
        mapping = mmap.mmap(file.fileno(), size)
    x = torch.frombuffer(mapping, dtype=torch.uint8).view(shape)
    # Of a shared mapping of a file: what was written stays, in the file.
    return Room(x, lambda: mapping.madvise(mmap.MADV_DONTNEED))
