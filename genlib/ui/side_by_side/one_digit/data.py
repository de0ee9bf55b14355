"""What every model says of one digit, and how real test digits rank: the data of the page."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

import numpy as np
import streamlit as st
import torch
from numpy.typing import NDArray
from torch import Tensor

from genlib import background
from genlib.background import Job
from genlib.data.datasets import to_float
from genlib.explore import dossier
from genlib.explore.dossier import Floats, Reading
from genlib.models import FAMILIES, Model
from genlib.models.capabilities import (
    Autoregressive,
    Classifies,
    Encodes,
    HasComponents,
    Reconstructs,
)
from genlib.store.checkpoint import CheckpointError, Info
from genlib.ui.kit import images, loading

N_REAL = 500  # test digits behind every rank
N_CODES = 2000  # test digits among which the nearest are looked for
CHUNK = 20  # of them measured at once
Picture = NDArray[np.uint8]
Known = dict[str, dict[str, Floats]]  # path of a checkpoint -> its readings of real digits
HEAT = np.array([[13, 8, 60], [120, 20, 110], [215, 70, 60], [252, 170, 50], [252, 253, 190]])


@dataclass(frozen=True)
class Said:
    """One number of one model; ``strange`` is its rank among real digits, None while unknown."""

    reading: Reading
    value: float
    strange: float | None


@dataclass
class Dossier:
    """All that one model says of a digit, and the seconds it took."""

    name: str
    title: str
    said: list[Said] = field(default_factory=list)
    pictures: list[tuple[str, Picture]] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    seconds: float = 0.0


def models_for(shape: tuple[int, ...]) -> list[Info]:
    """Checkpoints that say something of images of this (C, H, W): shipped first, by name."""
    return [info for info in loading.checkpoints() if loading.takes(info, shape)]


def real_digits(infos: list[Info]) -> Job:
    """The job that measures real test digits with every model; its result grows: a ``Known``."""
    stamp = " ".join(info.stamp for info in infos)
    return background.request(f"one-digit {N_REAL} {stamp}", lambda job: _measure(job, infos))


def real_of(info: Info) -> Tensor:
    """The test digits behind a model's ranks, of the classes that it knows: (N_REAL, C, H, W)."""
    data = loading.pictures_of(info)
    order = torch.randperm(len(data.test_x), generator=torch.Generator().manual_seed(0))
    return to_float(data.test_x[order[:N_REAL]])


def _measure(job: Job, infos: list[Info]) -> Known:
    known: Known = {}
    for done, info in enumerate(sorted(infos, key=lambda info: info.parameters)):
        try:
            model = loading.model(info)
        except CheckpointError:
            continue  # deleted meanwhile; the page says so itself
        x = real_of(info).to(model.device)
        parts = []
        for begin in range(0, len(x), CHUNK):
            job.report((done + begin / len(x)) / len(infos), info.name, known)
            parts.append(dossier.measure(model, x[begin : begin + CHUNK]))
        numbers = {n: np.concatenate([part[n] for part in parts]) for n in parts[0]}
        known = {**known, str(info.path): numbers}
    return known


def dossiers(infos: list[Info], x: Tensor, known: Known) -> list[Dossier]:
    """What every model says of one image (C, H, W)."""
    # One image is little work: a second thread would only wait for a core that the browser uses.
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        return [_dossier(info, x, known.get(str(info.path), {})) for info in infos]
    finally:
        torch.set_num_threads(threads)


def _dossier(info: Info, x: Tensor, real: dict[str, Floats]) -> Dossier:
    model = loading.model(info)
    began = time.perf_counter()
    found = Dossier(info.name, FAMILIES[info.family].title)
    if classes := str(info.train.get("classes", "")):
        found.words.append(f"Trained only on {classes.replace(',', ', ')}")
    image = x[None].to(model.device)
    values = dossier.measure(model, image)
    for reading in dossier.readings_of(model):
        value = float(values[reading.name][0])
        rank = real.get(reading.name)
        strange = None if rank is None else dossier.strangeness(value, rank, reading)
        found.said.append(Said(reading, value, strange))
    _draw(found, info, model, image)
    found.seconds = time.perf_counter() - began
    return found


@torch.no_grad()
def _draw(found: Dossier, info: Info, model: Model, image: Tensor) -> None:
    if isinstance(model, Reconstructs):
        found.pictures.append(("reconstruction", _grey(model.reconstruct(image)[0, 0])))
    if isinstance(model, Autoregressive):
        nll = dossier.surprise(model, image)[0]
        found.pictures.append(("nats per pixel, 0 to 3", heat(loading.cpu(nll) / 3)))
    if isinstance(model, Classifies):
        p = model.logits(image).softmax(1)[0]
        order = p.argsort(descending=True)[:3].tolist()
        names = loading.class_names(info)
        found.words.append(" · ".join(f"{names[c]}: {float(p[c]):.1%}" for c in order))
        shown = loading.cpu(dossier.saliency(model, image, p.argmax()[None])[0])
        label = f"pixels that move the {names[order[0]]}"
        found.pictures.append((label, heat(shown / max(float(shown.max()), 1e-12))))
    if isinstance(model, HasComponents):
        k, p_k, mean = dossier.nearest_component(model, image)
        found.pictures.append((f"component {k}", _grey(mean[0])))
        found.words.append(f"Belongs to component {k} with p = {p_k:.2f}")
    if isinstance(model, Encodes):
        _place(found, info, loading.cpu(model.embed(image)))


@dataclass(frozen=True)
class Atlas:
    """Real digits in a model's latent space: codes (N, d), their squared lengths (N,), pixels
    uint8 (N, H, W), class names.

    With two latents also their map as a picture (112, 112, 3) and its low and high corner.
    """

    codes: NDArray[np.float32]
    lengths: NDArray[np.float32]
    pixels: Picture
    labels: list[str]
    ground: Picture | None
    corners: NDArray[np.floating]

    def nearest(self, code: NDArray[np.float32], k: int) -> list[int]:
        """The k nearest codes of one code (1, d), nearest first; lengths are known already."""
        distances = self.lengths - 2 * (self.codes @ code[0])
        return [int(row) for row in distances.argsort(kind="stable")[:k]]


@st.cache_resource(max_entries=64, show_spinner=False, hash_funcs=loading.BY_FILE)
def _atlas(info: Info, n: int) -> Atlas:
    """Kept as it is, not copied at every call: it is asked for ten times a second."""
    codes, data = loading.test_latents(info, n), loading.pictures_of(info)
    labels = [data.classes[int(c)] for c in data.test_y[: len(codes)]]
    corners = np.quantile(codes, [0.01, 0.99], axis=0)
    ground = None
    if codes.shape[1] == 2:
        classes = data.test_y[: len(codes)].numpy()
        ground = _ground(_cells(codes, corners), classes)
    lengths = np.einsum("nd,nd->n", codes, codes)
    return Atlas(codes, lengths, data.test_x[: len(codes), 0].numpy(), labels, ground, corners)


def _cells(codes: NDArray[np.float32], corners: NDArray[np.floating]) -> NDArray[np.int64]:
    """Columns and rows on the map of 112 pixels, row 0 on top: (N, 2) -> (N, 2)."""
    share = (codes - corners[0]) / np.maximum(corners[1] - corners[0], 1e-6)
    cells = (share * 103 + 4).round().clip(4, 107).astype(np.int64)
    cells[:, 1] = 111 - cells[:, 1]
    return cells


def _ground(cells: NDArray[np.int64], classes: NDArray[np.int64]) -> Picture:

    canvas = np.full((112, 112, 3), images.INK, np.uint8)
    colours = np.array([[int(c[i : i + 2], 16) for i in (1, 3, 5)] for c in images.DIGIT_COLOURS])
    canvas[cells[:, 1], cells[:, 0]] = colours[classes % 10]
    return canvas


def _place(found: Dossier, info: Info, code: NDArray[np.float32]) -> None:
    """The nearest real digits in latent space and, with two latents, the place on the map."""
    atlas = _atlas(info, N_CODES)
    rows = atlas.nearest(code, 3)
    found.pictures.append(("nearest real digit", atlas.pixels[rows[0]]))
    labels = ", ".join(atlas.labels[row] for row in rows)
    found.words.append(f"Nearest in latent space: {labels}")
    if atlas.ground is not None:
        canvas = atlas.ground.copy()
        ((column, row),) = _cells(code, atlas.corners)
        canvas[row - 4 : row + 5, column] = canvas[row, column - 4 : column + 5] = 255
        found.pictures.append(("place in the latent map", canvas))


def heat(values: NDArray[np.floating]) -> Picture:
    """Numbers in [0, 1] (H, W) -> colours from dark violet to pale yellow (H, W, 3)."""
    v = np.clip(values, 0, 1) * (len(HEAT) - 1)
    channels = [np.interp(v, np.arange(len(HEAT)), HEAT[:, c]) for c in range(3)]
    return np.stack(channels, axis=-1).astype(np.uint8)


def _grey(x: Tensor) -> Picture:
    return (loading.cpu(x).clip(0, 1) * 255).round().astype(np.uint8)
