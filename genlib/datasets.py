"""Datasets: whole sets of images in memory as uint8, by name.

MNIST (LeCun, Cortes & Burges) is looked for in ``$GENLIB_DATA``, ``data/`` and the user cache, in
torchvision's layout. Where it is nowhere, scikit-learn's embedded digits (1,797 digits of 8x8,
UCI "Optical recognition of handwritten digits") serve, brought to 28x28 the way MNIST was made.

No DataLoader: an epoch is a shuffled ``index_select`` on one tensor.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

MNIST_FILES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


@dataclass(frozen=True)
class Dataset:
    """Images uint8 (N, C, H, W) and labels int64 (N,), split in two."""

    name: str
    title: str
    train_x: Tensor
    train_y: Tensor
    test_x: Tensor
    test_y: Tensor
    classes: tuple[str, ...]
    note: str = ""  # one line that a page must show, or empty

    @property
    def shape(self) -> tuple[int, int, int]:
        """(C, H, W) of one image."""
        _, c, h, w = self.train_x.shape
        return (c, h, w)

    def only(self, classes: str) -> Dataset:
        """Keep the classes named in a text such as "1,5,6"; empty keeps all.

        Raises ValueError for a class that is not in the set.
        """
        names = [c.strip() for c in classes.split(",") if c.strip()]
        if not names:
            return self
        for c in names:
            if c not in self.classes:
                raise ValueError(f"class {c!r} is not one of {', '.join(self.classes)}")
        wanted = torch.tensor([self.classes.index(c) for c in names])
        train, test = torch.isin(self.train_y, wanted), torch.isin(self.test_y, wanted)
        return replace(
            self,
            train_x=self.train_x[train],
            train_y=self.train_y[train],
            test_x=self.test_x[test],
            test_y=self.test_y[test],
        )

    def first(self, n: int) -> Dataset:
        """Keep the first n training images; 0 keeps all."""
        return replace(self, train_x=self.train_x[:n], train_y=self.train_y[:n]) if n else self


def to_float(x: Tensor) -> Tensor:
    """uint8 [0, 255] -> float32 [0, 1], same shape."""
    return x.float().mul_(1 / 255)


def batches(
    x: Tensor, y: Tensor, size: int, rng: torch.Generator | None
) -> Iterator[tuple[Tensor, Tensor]]:
    """One epoch: float32 images in [0, 1] and labels, shuffled by ``rng`` (None: in order).

    The last, smaller batch is kept.
    """
    order = torch.arange(len(x)) if rng is None else torch.randperm(len(x), generator=rng)
    for part in order.to(x.device).split(size):
        yield to_float(x.index_select(0, part)), y.index_select(0, part)


def folders() -> list[Path]:
    """Where data is looked for, in this order."""
    root = Path(__file__).parents[1]
    given = os.environ.get("GENLIB_DATA")
    cache = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "genlib"
    return [*([Path(given)] if given else []), root / "data", cache]


def find_mnist() -> Path | None:
    """The first folder that holds MNIST in torchvision's layout, or None."""
    for folder in folders():
        raw = folder / "MNIST" / "raw"
        if all((raw / name).is_file() for name in MNIST_FILES):
            return folder
    return None


def download_mnist(progress: Callable[[float], None] = lambda share: None) -> None:
    """Fetch MNIST (11 MB) into the user cache, MD5 sums checked by torchvision.

    ``progress`` is told the share done, 0 to 1. Raises ConnectionError where no mirror answers
    within 20 s.
    """
    import socket

    from torchvision.datasets import MNIST
    from torchvision.datasets.utils import download_and_extract_archive

    raw = folders()[-1] / "MNIST" / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    patience = socket.getdefaulttimeout()
    socket.setdefaulttimeout(20)
    try:
        for done, (archive, md5) in enumerate(MNIST.resources):
            progress(done / len(MNIST.resources))
            for mirror in MNIST.mirrors:
                url = mirror + archive
                try:
                    download_and_extract_archive(url, str(raw), filename=archive, md5=md5)
                    break
                except (OSError, RuntimeError):
                    continue  # the next mirror may answer
            else:
                raise ConnectionError(
                    "MNIST could not be downloaded: no mirror answered. Check the network, or put "
                    f"the files into {raw}."
                )
    finally:
        socket.setdefaulttimeout(patience)
    progress(1.0)
    _load.cache_clear()


def _mnist() -> Dataset:
    folder = find_mnist()
    if folder is None:
        return replace(
            _digits(),
            note="MNIST was not found, so scikit-learn's 1,797 small digits serve instead. "
            "Run `python -m genlib download mnist` where the network allows.",
        )
    from torchvision.datasets import MNIST

    train, test = MNIST(str(folder), train=True), MNIST(str(folder), train=False)
    return Dataset(
        name="mnist",
        title="MNIST",
        train_x=train.data[:, None],
        train_y=train.targets,
        test_x=test.data[:, None],
        test_y=test.targets,
        classes=tuple("0123456789"),
    )


def _digits() -> Dataset:
    """scikit-learn's digits at 28x28; the last 360, by other writers than most, are the test."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    framed = np.stack([frame_digit(image / 16) for image in bunch.images])
    x = torch.from_numpy((framed * 255).round().astype(np.uint8))[:, None]
    y = torch.from_numpy(bunch.target.astype(np.int64))
    return Dataset(
        name="digits",
        title="scikit-learn digits",
        train_x=x[:-360],
        train_y=y[:-360],
        test_x=x[-360:],
        test_y=y[-360:],
        classes=tuple("0123456789"),
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


DATASETS: dict[str, Callable[[], Dataset]] = {"mnist": _mnist, "digits": _digits}


@lru_cache(maxsize=4)
def _load(name: str) -> Dataset:
    return DATASETS[name]()


def load(name: str = "mnist", classes: str = "") -> Dataset:
    """The dataset of that name. Raises ValueError for an unknown name or class."""
    if name not in DATASETS:
        raise ValueError(f"unknown dataset {name!r}; known are {', '.join(DATASETS)}")
    return _load(name).only(classes)


def available() -> list[str]:
    """Names of the datasets that can be loaded here without a download."""
    return [name for name in DATASETS if name != "mnist" or find_mnist()]
