"""What the latent map shows, computed once and shared: points, codes, flat maps, accuracies.

Every cache is bounded and keyed by (checkpoint path, modification time) and the settings.
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
    return _points(str(info.path), info.mtime_ns, n, loading.dataset().title)


@st.cache_resource(max_entries=16, show_spinner="Choosing the points …")
def _points(path: str, mtime_ns: int, n: int, source: str) -> Points:
    info = peek(Path(path))
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


def codes_message(name: str, info: Info, z: Array) -> bytes:
    """The decoder and the codes for the map's store; b"" where the browser cannot decode."""
    return _codes_message(name, str(info.path), info.mtime_ns, z)


@st.cache_resource(max_entries=8, show_spinner=False)
def _codes_message(name: str, path: str, mtime_ns: int, _z: Array) -> bytes:
    exported = _decoder(path)
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
    stamps = [info.mtime_ns, last.mtime_ns, file.stat().st_mtime_ns if file.is_file() else 0]
    return _stored_map(epoch, str(info.path), str(last.path), stamps, perplexity, seed, some)


@st.cache_data(max_entries=64, show_spinner=False, hash_funcs={Points: lambda some: some.name})
def _stored_map(
    epoch: int,
    path: str,
    last: str,
    stamps: list[int],
    perplexity: float,
    seed: int,
    some: Points,
) -> Frame | None:
    found = maps.read(Path(last))
    chosen = maps.Chosen(some.rows, some.numbers, some.pictures)
    if found is None or not found.suits(chosen, perplexity, seed):
        return None
    return found.frame(epoch, Path(path), Path(last))


def linear_map(kind: str, info: Info, last: Info, n: int) -> Linear:
    """The PCA map, or the latents themselves; PCA is turned onto that of the last epoch."""
    stamp = (str(last.path), last.mtime_ns)
    return _linear_map(kind, str(info.path), info.mtime_ns, *stamp, n)


@st.cache_data(max_entries=32, show_spinner="Finding the plane …")
def _linear_map(kind: str, path: str, mtime_ns: int, last: str, last_ns: int, n: int) -> Linear:
    def flat(of: str) -> Linear:
        info = peek(Path(of))
        return LINEAR[kind](codes(info, points(info, n)))

    found = flat(path)
    if path == last or kind != "PCA":  # the latents' own axes mean something: never turned
        return found
    return found.aligned(flat(last).positions)


def accuracy(info: Info, n: int) -> neighbours.Accuracy:
    """Leave-one-out 10-nearest-neighbour accuracy among the n codes."""
    return _accuracy(str(info.path), info.mtime_ns, n)


@st.cache_data(max_entries=64, show_spinner="Asking each code's neighbours …")
def _accuracy(path: str, mtime_ns: int, n: int) -> neighbours.Accuracy:
    info = peek(Path(path))
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


def _decoder(path: str) -> Exported | None:
    """The decoder as the browser can run it; None where it cannot."""
    from genlib.export.network import export

    model = loading.model(Path(path))
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


@st.cache_data(max_entries=16, show_spinner="Drawing samples …")
def samples(path: str, mtime_ns: int, count: int, seed: int) -> Array:
    """Images (count, C, H, W) that the model makes up. Raises TypeError where it cannot."""
    model = loading.model(Path(path))
    if not isinstance(model, Samples):
        raise TypeError(f"{path} draws no samples")
    with torch.no_grad():
        return loading.cpu(model.sample(count, torch.Generator().manual_seed(seed)))
