"""Checkpoints that people bring are checked before anything is kept of them."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from genlib.data import datasets
from genlib.models import Model
from genlib.models.capabilities import (
    Classifies,
    Decodes,
    Encodes,
    HasEnergy,
    HasLikelihood,
    Reconstructs,
    Samples,
)
from genlib.settings import file_name
from genlib.store.checkpoint import CheckpointError, Info, load, peek

MAX_UPLOAD = 64_000_000  # bytes
SUFFIX = ".safetensors"


def check_upload(data: bytes, filename: str) -> Info:
    """Check an uploaded file before anything is kept; return what it describes.

    Raises CheckpointError with one sentence for a wrong, truncated, foreign, oversized or hostile
    file. The returned ``path`` is only the file's name: the caller decides where to store it.
    """
    name = file_name(filename, "upload")
    if not name.endswith(SUFFIX):
        raise CheckpointError(f"{name} is not a {SUFFIX} file; only those can be loaded.")
    if len(data) > MAX_UPLOAD:
        raise CheckpointError(
            f"{name} has {len(data) / 1e6:.0f} MB; at most {MAX_UPLOAD / 1e6:.0f} MB are allowed."
        )
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / name
        path.write_bytes(data)
        info = peek(path)
        model = load(info)
        _check_data(info, model)
        _try_out(name, model)
    return replace(info, path=Path(name))


@torch.no_grad()
def _try_out(name: str, model: Model) -> None:
    """Raise CheckpointError unless what the pages ask of the model gives finite numbers.

    Finite weights may be so large, or a variance so negative, that nothing after them is.
    """
    if not all(bool(out.isfinite().all()) for out in _outputs(model)):
        raise CheckpointError(
            f"{name} gives numbers that are not finite: its weights can't be right."
        )


def _outputs(model: Model) -> Iterator[Tensor]:
    """What a model makes of noise, by each of its quick capabilities."""
    rng = torch.Generator().manual_seed(0)
    x = torch.rand(2, *model.config.shape, generator=rng)
    if isinstance(model, Encodes):
        yield model.embed(x)
    if isinstance(model, Decodes):
        yield model.decode(torch.randn((2, model.latent_dim), generator=rng))
    if isinstance(model, Reconstructs):
        yield model.reconstruct(x)
    if isinstance(model, Classifies):
        yield model.logits(x)
    if isinstance(model, HasEnergy):
        yield model.energy(x)
    if isinstance(model, Samples) and not isinstance(model, HasLikelihood):  # pixel by pixel: slow
        yield model.sample(1, rng)


def _check_data(info: Info, model: Model) -> None:
    """Raise CheckpointError unless a dataset here has images and classes as the model needs.

    No picture is decoded for it.
    """
    try:
        about = datasets.about(info.dataset)
    except ValueError:
        about = datasets.about("mnist")  # of another machine: digits may do
    if model.config.shape != about.shape:
        shape = "×".join(map(str, model.config.shape))
        raise CheckpointError(
            f"{info.path.name} works on {shape} images; no dataset here has images of that shape."
        )
    try:
        datasets.class_indices(str(info.train.get("classes", "")), about.classes)
    except ValueError as error:
        raise CheckpointError(
            f"{info.path.name} names classes that are not there: {error}."
        ) from None
