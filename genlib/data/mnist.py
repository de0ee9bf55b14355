"""What is particular to MNIST: where it is fetched from, and how its digits were framed."""

from __future__ import annotations

import socket
from collections.abc import Callable
from math import prod
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from genlib.files import full_disk_said, is_full

FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


def is_in(folder: Path) -> bool:
    """Whether a folder holds MNIST in torchvision's layout."""
    return all((folder / "MNIST" / "raw" / name).is_file() for name in FILES)


def read(folder: Path) -> tuple[NDArray[np.uint8], ...]:
    """Images (N, 28, 28) and labels (N,) for training, the same for tests: uint8.

    The files are mapped: of the training images, 47 MB, few pages need many. What is written to the
    arrays stays in this process. torchvision reads them too, but importing it takes 165 MB, for
    compilers that aren't used here. Raises ValueError for a damaged file.
    """
    return tuple(_idx(folder / "MNIST" / "raw" / name) for name in FILES)


def _idx(path: Path) -> NDArray[np.uint8]:
    """An IDX file of bytes: 0, 0, 8, number of axes; each axis' length, big-endian; the data."""
    with path.open("rb") as file:
        head = file.read(4 + 4 * 255)
    axes = head[3] if head[:3] == b"\0\0\x08" else 0
    shape = tuple(int.from_bytes(head[4 + 4 * k : 8 + 4 * k], "big") for k in range(axes))
    if not axes or path.stat().st_size != 4 + 4 * axes + prod(shape) or not prod(shape):
        raise ValueError(f"{path} is damaged: delete it and download MNIST again.")
    return np.memmap(path, np.uint8, "c", 4 + 4 * axes, shape).view(np.ndarray)


def download(raw: Path, progress: Callable[[float], None]) -> None:
    """Fetch MNIST (11 MB) into the folder ``raw``, MD5 sums checked by torchvision.

    ``progress`` is told the share done, 0 to 1. Raises ConnectionError where no mirror answers
    within 20 s, DiskFullError when the disk is full.
    """
    from torchvision.datasets import MNIST

    patience = socket.getdefaulttimeout()
    socket.setdefaulttimeout(20)
    try:
        with full_disk_said(raw):
            raw.mkdir(parents=True, exist_ok=True)
            for done, (archive, md5) in enumerate(MNIST.resources):
                progress(done / len(MNIST.resources))
                _fetch(archive, md5, MNIST.mirrors, raw)
    finally:
        socket.setdefaulttimeout(patience)
    progress(1.0)


def _fetch(archive: str, md5: str, mirrors: list[str], raw: Path) -> None:
    from torchvision.datasets.utils import download_and_extract_archive

    for mirror in mirrors:
        try:
            download_and_extract_archive(mirror + archive, str(raw), filename=archive, md5=md5)
            return
        except (OSError, RuntimeError) as error:
            if is_full(error):
                raise
            continue  # the next mirror may answer
    raise ConnectionError(
        "MNIST could not be downloaded: no mirror answered. Check the network, or put the files "
        f"into {raw}."
    )


def frame_digit(image: NDArray[np.floating]) -> NDArray[np.float32]:
    """Frame ink as MNIST was made: fit into a 20x20 box, centre by mass in 28x28.

    ``image`` (H, W) in [0, 1], ink bright on 0; an empty image stays empty.
    Source: LeCun, Cortes & Burges, "The MNIST database of handwritten digits".
    """
    from PIL import Image

    out = np.zeros((28, 28), np.float32)
    rows, cols = np.nonzero(image > 0.02)
    if not len(rows):
        return out
    box = image[rows.min() : rows.max() + 1, cols.min() : cols.max() + 1].astype(np.float32)
    scale = 20 / max(box.shape)
    size = (max(1, round(box.shape[1] * scale)), max(1, round(box.shape[0] * scale)))
    small = np.asarray(Image.fromarray(box).resize(size, Image.Resampling.BICUBIC)).clip(0, 1)
    mass = small.sum() or 1.0
    row = (small.sum(1) @ np.arange(size[1])) / mass
    col = (small.sum(0) @ np.arange(size[0])) / mass
    top = int(np.clip(round(13.5 - row), 0, 28 - size[1]))
    left = int(np.clip(round(13.5 - col), 0, 28 - size[0]))
    out[top : top + size[1], left : left + size[0]] = small
    return out
