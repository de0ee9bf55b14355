"""What the adversarial pages show of a model, measured once: samples, scores, coverage, copies."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import streamlit as st
import torch
from numpy.typing import NDArray
from torch import Tensor

from genlib.data.datasets import Dataset, to_float
from genlib.data.pictures.registry import PREFIX, entries
from genlib.evaluate import energy, frechet
from genlib.explore import coverage
from genlib.export.network import export
from genlib.export.operations import Exported
from genlib.models import Model
from genlib.models.capabilities import Decodes, HasEnergy, Judges, Samples
from genlib.store.checkpoint import Info, peek
from genlib.ui.components.decoder_store import browser_refusal
from genlib.ui.kit import links, loading

N = 1000  # images of each group behind a histogram, and samples behind a coverage
TYPICAL = 200  # test images behind the typical distance to the training set

Floats = NDArray[np.float64]
Pixels = NDArray[np.uint8]


def new_z(key: str, help: str, disabled: bool = False) -> None:
    """The button that draws other z: the seed of the link, at ``key``.seed, goes up by one."""
    st.button(
        "New z",
        icon=":material/casino:",
        key=f"{key}.new",
        on_click=links.count_up,
        args=(f"{key}.seed",),
        disabled=disabled,
        help=help,
    )


def sampler(path: Path) -> Samples:
    """The model of a checkpoint, which must be able to draw. Raises TypeError otherwise."""
    model = loading.model(path)
    if not isinstance(model, Samples):
        raise TypeError(f"{path.name} does not draw images")
    return model


def pixels(x: Tensor) -> Pixels:
    """float in [0, 1] -> uint8 of the same shape."""
    return (x.detach().float().clamp(0, 1) * 255).round().to(torch.uint8).cpu().numpy()


@st.cache_data(max_entries=80, show_spinner="Drawing samples …", hash_funcs=loading.BY_FILE)
def samples(path: Path, n: int, seed: int) -> Pixels:
    """Draw n images of a checkpoint from a seed: uint8 (n, C, H, W)."""
    with torch.no_grad():
        return pixels(drawn(sampler(path), n, seed))


def drawn(model: Samples, n: int, seed: int) -> Tensor:
    """n images in [0, 1] on the CPU; z follows from the seed alone."""
    rng = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        parts = [model.sample(min(500, n - i), rng).float().cpu() for i in range(0, n, 500)]
    return torch.cat(parts)


def _real(data: Dataset, model: Samples, rng: torch.Generator) -> Tensor:
    return to_float(data.test_x[torch.randperm(len(data.test_x), generator=rng)[:N]])


def _generated(data: Dataset, model: Samples, rng: torch.Generator) -> Tensor:
    return drawn(model, N, 1)


def _merged(data: Dataset, model: Samples, rng: torch.Generator) -> Tensor:
    x, y = data.test_x, data.test_y
    if len(x) < 2:  # nothing to merge it with but training images
        x, y = torch.cat([x, data.train_x]), torch.cat([y, data.train_y])
    chosen = torch.randperm(len(x), generator=rng)[:N]
    y = y[chosen]
    if len(y.unique()) < 2:  # a single class: any two images make a merge
        y = torch.arange(len(chosen))
    return energy.merge_pairs(to_float(x[chosen]), y, "alpha", len(chosen), rng)


def _noise(data: Dataset, model: Samples, rng: torch.Generator) -> Tensor:
    return torch.rand((N, *data.shape), generator=rng)


GROUPS: dict[str, Callable[[Dataset, Samples, torch.Generator], Tensor]] = {
    "Test images": _real,
    "Generated": _generated,
    "Merged": _merged,
    "Noise": _noise,
}


def verdict(model: Model, x: Tensor) -> Tensor:
    """Logit of D(x), (B,). Raises TypeError for a model without a discriminator."""
    if not isinstance(model, Judges):
        raise TypeError(f"{model.title} has no discriminator")
    return model.verdict(x)


def cost(model: Model, x: Tensor) -> Tensor:
    """The model's energy, (B,). Raises TypeError for a model without one."""
    if not isinstance(model, HasEnergy):
        raise TypeError(f"{model.title} has no energy")
    return model.energy(x)


SCORES: dict[str, Callable[[Model, Tensor], Tensor]] = {"verdict": verdict, "energy": cost}


def score(path: Path, kind: str, x: Tensor) -> Floats:
    """One score of images (B, C, H, W) by the model of a checkpoint; ``kind`` is one of SCORES."""
    model = loading.model(path)
    device = model.device
    with torch.no_grad():
        parts = [SCORES[kind](model, part.to(device)) for part in x.split(500)]
    return torch.cat(parts).cpu().double().numpy()


@st.cache_data(max_entries=200, show_spinner="Measuring 1,000 images …", hash_funcs=loading.BY_FILE)
def group_scores(path: Path, kind: str, group: str) -> Floats:
    """Scores of up to N images of one of GROUPS."""
    data = loading.pictures_of(peek(path))
    x = GROUPS[group](data, sampler(path), torch.Generator().manual_seed(0))
    return score(path, kind, x)


@dataclass(frozen=True)
class Judge:
    """The classifier that counts classes."""

    info: Info
    names: tuple[str, ...]


def source_of(dataset: str) -> str:
    """Where a dataset's pictures come from, whatever their size and colour.

    "cifar10-64" -> "cifar10"; datasets of folders and zips: the path on the shelf, for what their
    names have in common proves nothing.
    """
    if dataset.startswith(PREFIX):
        entry = entries().get(dataset)
        return dataset if entry is None else str(entry.path)
    return dataset.removesuffix("-grey").removesuffix("-64")


def judge_of(info: Info) -> Judge | None:
    """A judge that was trained on this checkpoint's kind of images, of any size, or None.

    None also below two test images, against which the variety of samples could be measured.
    """
    data = loading.pictures_of(info)
    if len(data.test_x) < 2:
        return None
    ours = {source_of(info.dataset), source_of(data.name)}
    wanted = (data.shape[0], len(data.classes))
    for found in loading.checkpoints("Classifies"):
        has = tuple(int(str(found.config.get(k, 0))) for k in ("channels", "n_classes"))
        if frechet.may_judge(found) and has == wanted and source_of(found.dataset) in ours:
            return Judge(found, data.classes)
    return None


@st.cache_data(
    max_entries=80,
    show_spinner="Counting the classes of 1,000 samples …",
    hash_funcs={**loading.BY_FILE, Judge: lambda judge: judge.info.stamp},
)
def coverage_of(path: Path, judge: Judge, seed: int) -> coverage.Coverage:
    """What N samples of a checkpoint cover."""
    x = drawn(sampler(path), N, seed)
    return covered(judge.info.path, x, loading.pictures_of(peek(path)))


@dataclass(frozen=True)
class Seen:
    """What a judge sees, features and classes, in what every count of samples is compared with:
    N real images, and as many of uniform noise."""

    real: tuple[Tensor, Tensor]
    uniform: tuple[Tensor, Tensor]


def _digest(x: Tensor) -> str:
    return hashlib.sha256(f"{tuple(x.shape)}\0".encode() + x.numpy().tobytes()).hexdigest()


def _extractor(judge: Path, data: Dataset) -> frechet.Extractor:
    info = peek(judge)
    return frechet.Extractor(info.name, loading.model(judge), len(data.classes), info.dataset)


@st.cache_resource(
    max_entries=8,
    show_spinner=False,
    hash_funcs={**loading.BY_FILE, Dataset: lambda data: _digest(data.test_x[:N])},
)
def _seen(judge: Path, data: Dataset, binary: bool) -> Seen:
    extractor = _extractor(judge, data)
    rng = torch.Generator().manual_seed(0)
    real = to_float(data.test_x[:N])
    real = torch.bernoulli(real, generator=rng) if binary else real
    return Seen(extractor.see(real), extractor.see(frechet.noises(real, binary, rng)[0]))


def covered(judge: Path, x: Tensor, data: Dataset) -> coverage.Coverage:
    """What images (N, C, H, W) in [0, 1] cover of a dataset's classes, as ``genlib evaluate``
    counts: those that look more like noise than like real images are left out.
    """
    extractor = _extractor(judge, data)
    binary = bool(((x == 0) | (x == 1)).all())
    seen = _seen(judge, data, binary)
    rng = torch.Generator().manual_seed(0)
    if binary:  # drawn as in ``_seen``: the same noise comes next
        torch.bernoulli(to_float(data.test_x[:N]), generator=rng)
    uniform, shuffled = frechet.noises(x, binary, rng)
    # A thousand colour images of 64 pixels are 49 MB: each set goes once it was looked at.
    known = uniform.shape == data.test_x[:N].shape
    of_uniform = seen.uniform if known else extractor.see(uniform)
    del uniform
    noises = [of_uniform, extractor.see(shuffled)]
    del shuffled
    real_seen = seen.real[0]

    def counted(features: Tensor, classes: Tensor) -> tuple[Tensor, Tensor]:
        """Images of each class: those that look like it, and all."""
        like = frechet.recognised(features, real_seen, [seen for seen, _ in noises])
        k = len(data.classes)
        return classes[like].bincount(minlength=k), classes.bincount(minlength=k)

    like, judged = counted(*extractor.see(x))
    chance = torch.stack([counted(*noise)[0] / len(x) for noise in noises]).amax(0)
    return coverage.Coverage(
        tuple(like.tolist()),
        coverage.variety(x, to_float(data.test_x[:N])),
        tuple(data.train_y.unique().tolist()),
        tuple((judged - like).tolist()),
        tuple(chance.tolist()),
    )


@st.cache_data(
    max_entries=200,
    show_spinner="Looking through the training images …",
    hash_funcs={
        Info: lambda info: (info.dataset, str(info.train.get("classes", ""))),
        Tensor: lambda x: _digest(x),
    },
)
def nearest(info: Info, x: Tensor, k: int = 5) -> coverage.Nearest:
    """The k training images, or all if there are fewer, nearest to each of x (M, C, H, W)."""
    train_x = loading.pictures_of(info).train_x
    return coverage.nearest_images(x, train_x, min(k, len(train_x)))


@st.cache_data(
    max_entries=8,
    show_spinner="Looking through the training images …",
    hash_funcs={Info: lambda info: (info.dataset, str(info.train.get("classes", "")))},
)
def typical_distance(info: Info) -> float:
    """Median distance of a test image, which cannot be a copy, to its nearest training image."""
    x = to_float(loading.pictures_of(info).test_x[:TYPICAL])
    return float(np.median(nearest(info, x, 1).distance))


@dataclass(frozen=True)
class Browser:
    """A generator for the browser; None where the server has to decode."""

    name: str
    exported: Exported | None


@st.cache_resource(max_entries=12, show_spinner=False, hash_funcs=loading.BY_FILE)
def for_browser(info: Info) -> Browser:
    """A checkpoint's decoder as the browser wants it."""
    model = loading.model(info)
    assert isinstance(model, Decodes)
    on_the_server = Browser(f"{info.name}-{info.mtime_ns}", None)
    try:
        exported = export(model.decoder_layers())
    except ValueError:  # a layer that the browser can't execute
        return on_the_server
    if browser_refusal(exported):
        return on_the_server
    return Browser(f"{info.name}-{exported.digest}", exported)
