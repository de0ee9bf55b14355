"""Datasets: whole sets of images in memory as uint8, by name.

MNIST (LeCun, Cortes & Burges) is looked for in ``$GENLIB_DATA``, ``data/`` and the user cache, in
torchvision's layout. Where it is nowhere, scikit-learn's embedded digits (1,797 digits of 8x8,
UCI "Optical recognition of handwritten digits") serve, brought to 28x28 the way MNIST was made.
CIFAR-10 (Krizhevsky 2009) is taken from ``cifar10-images.zip``, train/<class>/*.jpg and test/...,
in the same places; your own folders and zips are listed in ``genlib.data.pictures.registry``.

No DataLoader: an epoch is a shuffled ``index_select`` on one tensor. AUGMENTS are other views of
the training images that keep their meaning, drawn again each epoch: whole batches at once, all
choices from the training's own random numbers.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from genlib.data import mnist
from genlib.data.mnist import frame_digit
from genlib.data.pictures import decode, registry
from genlib.data.pictures.photographs import scikit_learns
from genlib.data.pictures.registry import Entry
from genlib.data.pictures.source import look, stamp_of
from genlib.data.toys import bars_and_stripes
from genlib.environment import root, user_cache
from genlib.settings import shown

CIFAR_ZIP = "cifar10-images.zip"
CIFAR_CLASSES = (
    *("airplane", "automobile", "bird", "cat", "deer"),
    *("dog", "frog", "horse", "ship", "truck"),
)
CIFAR = {"cifar10": 32, "cifar10-64": 64}  # -> side in pixels


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
        indices = class_indices(classes, self.classes)
        if not indices:
            return self
        wanted = torch.tensor(indices)
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


def class_indices(wanted: str, classes: tuple[str, ...]) -> list[int]:
    """Places in ``classes`` of those named in a text such as "1,5,6".

    Raises ValueError for a class that is not among them.
    """
    names = [c.strip() for c in wanted.split(",") if c.strip()]
    for c in names:
        if c not in classes:
            raise ValueError(f"class {shown(c)} is not one of {_some(classes)}")
    return [classes.index(c) for c in names]


def _some(names: Sequence[str]) -> str:
    """The first names of a list that may be long, for a message."""
    return ", ".join(names[:10]) + (f" and {len(names) - 10} others" if len(names) > 10 else "")


def to_float(x: Tensor) -> Tensor:
    """uint8 [0, 255] -> float32 [0, 1], same shape."""
    return x.float().mul_(1 / 255)


def batch_sizes(n: int, size: int) -> list[int]:
    """Sizes of an epoch's batches of ``n`` images: ``size`` each, the last with what is left over.

    None is of one image unless there is only one (or ``size`` is 1): batch norm can't learn from a
    single image, whose values all equal their own mean.
    """
    whole, left = divmod(n, size)
    if left == 1 and whole:
        return [size] * (whole - 1) + [size + 1]
    return [size] * whole + [left] * (left > 0)


def batches(
    x: Tensor, y: Tensor, size: int, rng: torch.Generator | None
) -> Iterator[tuple[Tensor, Tensor]]:
    """One epoch: float32 images in [0, 1] and labels, shuffled by ``rng`` (None: in order).

    The last, smaller batch is kept, except that a single leftover image joins the batch before it.
    """
    order = torch.arange(len(x)) if rng is None else torch.randperm(len(x), generator=rng)
    for part in order.to(x.device).split(batch_sizes(len(x), size)):
        yield to_float(x.index_select(0, part)), y.index_select(0, part)


def folders() -> list[Path]:
    """Where data is looked for, in this order."""
    given = os.environ.get("GENLIB_DATA")
    return [*([Path(given)] if given else []), root() / "data", user_cache()]


def find_mnist() -> Path | None:
    """The first folder that holds MNIST in torchvision's layout, or None."""
    return next((folder for folder in folders() if mnist.is_in(folder)), None)


def download_mnist(progress: Callable[[float], None] = lambda share: None) -> None:
    """Fetch MNIST into the user cache; see ``mnist.download``."""
    mnist.download(folders()[-1] / "MNIST" / "raw", progress)
    known.cache_clear()


def _mnist() -> Dataset:
    folder = find_mnist()
    if folder is None:
        return replace(
            _digits(),
            note="MNIST was not found, so scikit-learn's 1,797 small digits are used "
            "instead. To download MNIST, run `python -m genlib download mnist`.",
        )
    train_x, train_y, test_x, test_y = map(torch.from_numpy, mnist.read(folder))
    return Dataset(
        name="mnist",
        title="MNIST",
        train_x=train_x[:, None],
        train_y=train_y.long(),
        test_x=test_x[:, None],
        test_y=test_y.long(),
        classes=tuple("0123456789"),
    )


def _digits() -> Dataset:
    """scikit-learn's digits at 28x28; the last 360, by other writers than most, are the test."""
    rows = np.loadtxt(scikit_learns("data/digits.csv.gz"), delimiter=",")  # 64 pixels and a digit
    framed = np.stack([frame_digit(image / 16) for image in rows[:, :64].reshape(-1, 8, 8)])
    x = torch.from_numpy((framed * 255).round().astype(np.uint8))[:, None]
    y = torch.from_numpy(rows[:, 64].astype(np.int64))
    return Dataset(
        name="digits",
        title="scikit-learn digits",
        train_x=x[:-360],
        train_y=y[:-360],
        test_x=x[-360:],
        test_y=y[-360:],
        classes=tuple("0123456789"),
    )


def _bars() -> Dataset:
    """The 30 pictures of 4x4 bars and stripes, 64 times for training and once for the test."""
    x, y = bars_and_stripes(4)
    x = x[:, None].to(torch.uint8) * 255
    return Dataset(
        name="bars",
        title="Bars and stripes",
        train_x=x.repeat(64, 1, 1, 1),
        train_y=y.repeat(64),
        test_x=x,
        test_y=y,
        classes=("bars", "stripes"),
    )


DATASETS: dict[str, Callable[[], Dataset]] = {"mnist": _mnist, "digits": _digits, "bars": _bars}


@lru_cache(maxsize=4)
def known(name: str) -> Dataset:
    return DATASETS[name]()


def load(name: str = "mnist", classes: str = "") -> Dataset:
    """The dataset of that name. Raises ValueError for an unknown name or class.

    Pictures that were not decoded yet, or have changed, are decoded first; ``prepare`` does it with
    progress.
    """
    if name in DATASETS:
        return known(name).only(classes)
    entry = entry_of(name)
    if classes:
        return _some_classes(entry, classes)
    return _pictures(entry, stamp_of(entry.path))


@dataclass(frozen=True)
class About:
    """What is known of a dataset without decoding it: (C, H, W) of an image, and the classes."""

    shape: tuple[int, int, int]
    classes: tuple[str, ...]


def about(name: str) -> About:
    """Shape and classes of a dataset; unlike ``load`` it never decodes a picture.

    Raises ValueError for an unknown name, or a source of pictures that cannot be used.
    """
    if name in DATASETS:
        data = known(name)
        return About(data.shape, data.classes)
    entry = entry_of(name)
    classes = CIFAR_CLASSES if name in CIFAR else look(entry.path).classes
    return About((3 if entry.colour == "colour" else 1, entry.size, entry.size), classes)


def available() -> list[str]:
    """Names of the datasets that can be loaded here without a download."""
    found = [name for name in DATASETS if name != "mnist" or find_mnist()]
    found += CIFAR if _find_cifar() else []
    return found + [name for name, e in registry.entries().items() if e.path.exists()]


def entry_of(name: str) -> Entry:
    """Where a dataset of pictures is and how it is decoded.

    Raises ValueError with one sentence where there is none of that name here.
    """
    if name in CIFAR:
        path = _find_cifar()
        if path is None:
            raise ValueError(
                f"the dataset {name} is not here: put {CIFAR_ZIP} into data/ or $GENLIB_DATA"
            )
        return Entry(name, "CIFAR-10", path, CIFAR[name])
    entry = registry.entries().get(name)
    if entry is None:
        raise ValueError(f"unknown dataset {shown(name)}; choose one of {_some(available())}")
    if not entry.path.exists():
        raise ValueError(f"the pictures of {name} are no longer at {entry.path}")
    return entry


def _find_cifar() -> Path | None:
    return next((f / CIFAR_ZIP for f in folders() if (f / CIFAR_ZIP).is_file()), None)


def is_ready(name: str) -> bool:
    """False where pictures must be decoded first. Raises ValueError as ``entry_of`` does."""
    return name in DATASETS or decode.cache_file(entry_of(name)).exists()


def prepare(
    name: str,
    progress: Callable[[int, int], None] = lambda done, total: None,
    cancelled: Callable[[], bool] = lambda: False,
) -> None:
    """Decode the pictures of a dataset into the user's cache, where they are not there yet.

    ``progress`` is told how many pictures are done, and of how many. Raises ValueError for what
    can't be used, ``background.Cancelled`` when ``cancelled`` says so.
    """
    if name not in DATASETS:
        decode.split(entry_of(name), progress, cancelled)


@lru_cache(maxsize=4)
def _pictures(entry: Entry, stamp: str) -> Dataset:
    return _open(entry)


def _open(entry: Entry) -> Dataset:
    split = decode.split(entry)
    note = split.note
    if entry.name in CIFAR and entry.size > 32:
        note = f"CIFAR-10's pictures of 32×32 pixels, enlarged: blurry by nature. {note}"
    tensors = (split.train_x, split.train_y, split.test_x, split.test_y)
    return Dataset(entry.name, entry.title, *tensors, split.classes, note.strip())


def _some_classes(entry: Entry, classes: str) -> Dataset:
    """Some classes of an entry. Of all the pictures only the labels are looked at in the mapping:
    what was touched there stays in memory as long as the mapping does."""
    data = _open(entry)
    indices = class_indices(classes, data.classes)
    if not indices:
        return data
    wanted = torch.tensor(indices)
    train, test = (torch.isin(y, wanted).nonzero()[:, 0] for y in (data.train_y, data.test_y))
    try:
        train_x, test_x = (
            decode.chosen(entry, name, rows)
            for name, rows in (("train_x", train), ("test_x", test))
        )
    except OSError:  # decoded, and no place to keep it: it is in memory
        return data.only(classes)
    ys = (data.train_y[train], data.test_y[test])
    return replace(data, train_x=train_x, train_y=ys[0], test_x=test_x, test_y=ys[1])


SHIFT = 16  # images move by at most a sixteenth of their side: 2 pixels of 32


def none(x: Tensor, rng: torch.Generator) -> Tensor:
    """The images as they are."""
    return x


def flip(x: Tensor, rng: torch.Generator) -> Tensor:
    """Mirror every image left to right with probability 1/2: (B, C, H, W) -> (B, C, H, W)."""
    mirrored = torch.rand(len(x), generator=rng, device=rng.device) < 0.5
    return torch.where(mirrored.to(x.device)[:, None, None, None], x.flip(3), x)


def flip_shift(x: Tensor, rng: torch.Generator) -> Tensor:
    """Mirror, then move by up to a sixteenth of the side each way; what comes in is a reflection.

    (B, C, H, W) -> (B, C, H, W).
    """
    n, channels, height, width = x.shape
    reach = max(1, height // SHIFT)
    wide = F.pad(flip(x, rng), (reach,) * 4, mode="reflect")
    moves = torch.randint(0, 2 * reach + 1, (2, n), generator=rng, device=rng.device).to(x.device)
    rows = moves[0][:, None] + torch.arange(height, device=x.device)
    columns = moves[1][:, None] + torch.arange(width, device=x.device)
    image = torch.arange(n, device=x.device)[:, None, None, None]
    channel = torch.arange(channels, device=x.device)[None, :, None, None]
    return wide[image, channel, rows[:, None, :, None], columns[:, None, None, :]]


AUGMENTS: dict[str, Callable[[Tensor, torch.Generator], Tensor]] = {
    "none": none,
    "flip": flip,
    "flip_shift": flip_shift,
}
