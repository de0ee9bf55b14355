"""What the latent map shows, computed once and shared: points, codes, flat maps, accuracies.

Every cache is bounded and keyed by the checkpoint's file and the settings.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import streamlit as st
import torch
from numpy.typing import NDArray

from genlib.data.datasets import to_float
from genlib.explore import maps, neighbours, projection
from genlib.explore.projection import Array, Frame, Linear
from genlib.export.operations import Exported
from genlib.models.capabilities import Decodes, Encodes, Reconstructs, Samples
from genlib.store.checkpoint import CheckpointError, Info, peek
from genlib.ui.components import latent_map
from genlib.ui.components.decoder_store import browser_refusal
from genlib.ui.kit import loading

NEIGHBOURS = 10  # of the accuracy
LINEAR = {"PCA": projection.pca, "Latents": projection.plain}


@dataclass(frozen=True)
class Points:
    """Test images of the classes that a model knows.

    rows (n,): where they are among the images that `loading.test_latents` encodes; numbers (n,):
    where they are in the whole test set; labels uint8 (n,); pictures uint8 (n, C, H, W);
    name: says which they are.
    """

    rows: NDArray[np.int64]
    numbers: NDArray[np.int32]
    labels: NDArray[np.uint8]
    pictures: NDArray[np.uint8]
    classes: tuple[str, ...]
    name: str
    note: str

    def images(self, chosen: list[int]) -> torch.Tensor:
        """Images float32 (k, C, H, W) in [0, 1] of the chosen points."""
        return to_float(torch.from_numpy(self.pictures[chosen]))


def points(info: Info, n: int) -> Points:
    """n test images, spread over the test set; fewer where there are fewer."""
    return _points(info, n, loading.dataset().title)


@st.cache_resource(max_entries=16, show_spinner="Choosing the points …", hash_funcs=loading.BY_FILE)
def _points(info: Info, n: int, source: str) -> Points:
    data = loading.pictures_of(info)
    chosen = maps.choose(data, loading.all_pictures_of(info), n)
    return Points(
        rows=chosen.rows,
        numbers=chosen.numbers,
        labels=data.test_y.numpy()[chosen.rows].astype(np.uint8),
        pictures=chosen.pictures,
        classes=data.classes,
        name=f"{data.name}:{info.train.get('classes', '')}:{len(chosen.rows)}",
        note=data.note,
    )


def codes(info: Info, some: Points) -> Array:
    """Codes (n, d) of the points."""
    return loading.test_latents(info)[some.rows]


@st.cache_resource(max_entries=6, show_spinner="Laying out the pictures …")
def pictures_message(name: str, _pictures: NDArray[np.uint8]) -> bytes:
    """The pictures of the points of that name, for the map's store."""
    return latent_map.pictures_message(name, _pictures)


@st.cache_resource(max_entries=8, show_spinner=False, hash_funcs=loading.BY_FILE)
def codes_message(name: str, info: Info, _z: Array) -> bytes:
    """The decoder and the codes for the map's store; b"" where the browser cannot decode."""
    exported = _decoder(info)
    return b"" if exported is None else latent_map.codes_message(name, exported, _z)


def epochs(info: Info) -> dict[int, Info]:
    """Epoch -> checkpoint, for those of the model's snapshots that can be read; last comes last."""
    found: dict[int, Info] = {}
    for epoch, path in info.snapshots:
        if path == info.path:
            found[epoch] = info
            continue
        try:
            found[epoch] = peek(path)
        except CheckpointError:
            continue  # damaged: the others still show
    return found


def stored_map(
    epoch: int, info: Info, last: Info, some: Points, perplexity: float, seed: int
) -> Frame | None:
    """The t-SNE map of an epoch from the file that comes with the model; None where there is none
    of just these weights, points and settings."""
    file = maps.file_of(last.path)
    if not file.is_file():
        return None
    return _stored_map(file, epoch, info, last, some, perplexity, seed)


@st.cache_data(
    max_entries=64,
    show_spinner=False,
    hash_funcs={**loading.BY_FILE, Points: lambda some: some.name},
)
def _stored_map(
    file: Path, epoch: int, info: Info, last: Info, some: Points, perplexity: float, seed: int
) -> Frame | None:
    found = maps.read(last.path)
    chosen = maps.Chosen(some.rows, some.numbers, some.pictures)
    if found is None or not found.suits(chosen, perplexity, seed):
        return None
    return found.frame(epoch, info.path, last.path)


@st.cache_data(max_entries=32, show_spinner="Finding the plane …", hash_funcs=loading.BY_FILE)
def linear_map(kind: str, info: Info, last: Info, n: int) -> Linear:
    """The PCA map, or the latents themselves; PCA is turned onto that of the last epoch."""

    def flat(of: Info) -> Linear:
        return LINEAR[kind](codes(of, points(of, n)))

    found = flat(info)
    # The latents' own axes mean something: never turned.
    if info.path == last.path or kind != "PCA":
        return found
    return found.aligned(flat(last).positions)


@st.cache_data(
    max_entries=64, show_spinner="Asking each code's neighbours …", hash_funcs=loading.BY_FILE
)
def accuracy(info: Info, n: int) -> neighbours.Accuracy:
    """Leave-one-out 10-nearest-neighbour accuracy among the n codes."""
    some = points(info, n)
    return neighbours.knn_accuracy(codes(info, some), some.labels.astype(np.int64), NEIGHBOURS)


@st.cache_data(max_entries=16, show_spinner="Asking each picture's neighbours …")
def pixel_accuracy(name: str, _some: Points) -> neighbours.Accuracy:
    """The same among the pictures themselves, for comparison."""
    flat = (_some.pictures.reshape(len(_some.pictures), -1) / 255).astype(np.float32)
    return neighbours.knn_accuracy(flat, _some.labels.astype(np.int64), NEIGHBOURS)


@st.cache_data(max_entries=32, show_spinner=False)
def map_accuracy(key: str, _positions: Array, _labels: NDArray[np.uint8]) -> neighbours.Accuracy:
    """The same on the flat map of that key: what flattening has cost."""
    return neighbours.knn_accuracy(_positions, _labels.astype(np.int64), NEIGHBOURS)


def _decoder(info: Info) -> Exported | None:
    """The decoder as the browser can run it; None where it cannot."""
    from genlib.export.network import export

    model = loading.model(info)
    if not isinstance(model, Decodes):
        return None
    try:
        exported = export(model.decoder_layers())
    except ValueError:  # a layer that no browser knows: the map does without hovering
        return None
    return None if browser_refusal(exported) else exported


def embed(info: Info, images: torch.Tensor) -> Array:
    """Codes (m, d) of images (m, C, H, W) in [0, 1]."""
    model = loading.model(info)
    assert isinstance(model, Encodes)
    with torch.no_grad():
        return loading.cpu(model.embed(images.to(model.device)))


def reconstruct(info: Info, images: torch.Tensor) -> Array | None:
    """Reconstructions (m, C, H, W), or None where the model makes none."""
    model = loading.model(info)
    if not isinstance(model, Reconstructs):
        return None
    with torch.no_grad():
        return loading.cpu(model.reconstruct(images.to(model.device)))


def decode(info: Info, z: Array) -> Array | None:
    """Pictures (m, C, H, W) of codes (m, d), or None where the model decodes nothing."""
    model = loading.model(info)
    if not isinstance(model, Decodes):
        return None
    with torch.no_grad():
        return loading.cpu(model.decode(torch.from_numpy(z).to(model.device)))


@st.cache_data(max_entries=16, show_spinner="Drawing samples …", hash_funcs=loading.BY_FILE)
def samples(info: Info, count: int, seed: int) -> Array:
    """Images (count, C, H, W) that the model makes up. Raises TypeError where it cannot."""
    model = loading.model(info)
    if not isinstance(model, Samples):
        raise TypeError(f"{info.name} draws no samples")
    with torch.no_grad():
        return loading.cpu(model.sample(count, torch.Generator().manual_seed(seed)))
