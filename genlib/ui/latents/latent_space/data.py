"""What the Latent space page knows of a model: its codes, its sliders, its decoder as data."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
import streamlit as st
import torch
from numpy.typing import NDArray
from streamlit.runtime.caching.hashing import HashFuncsDict

from genlib.data.datasets import Dataset, to_float
from genlib.explore.latents import Axes, axes, kl_per_dimension
from genlib.export.network import Exported, export
from genlib.models.capabilities import Bounds, Decodes, Encodes
from genlib.store.checkpoint import Info
from genlib.ui.components.decoder_store import browser_refusal, to_cloud
from genlib.ui.components.latent_pad import Dimension
from genlib.ui.kit import loading

if TYPE_CHECKING:
    from genlib.explore.density import Density

Array = NDArray[np.float32]
CLOUD = 1500  # codes of real digits shown as dots
FOR_KL = 2000  # test images that the KL per latent is averaged over
FOR_DENSITY = 10_000  # training images whose codes densities are fitted to


class Autocodes(Encodes, Decodes, Protocol):
    """A model that goes both ways."""


@dataclass(frozen=True)
class Space:
    """A model with its codes of the test images.

    codes: (n, d); axes: ranges and order; exported: None where the browser cannot decode, and
    then refusal says why; name: of the decoder in the browser.
    """

    info: Info
    model: Autocodes
    codes: torch.Tensor
    labels: torch.Tensor
    axes: Axes
    exported: Exported | None
    refusal: str
    name: str
    shape: tuple[int, ...]

    @property
    def latent_dim(self) -> int:
        """Numbers in z."""
        return self.codes.shape[1]

    @property
    def has_prior(self) -> bool:
        """Whether the model was trained to have codes like N(0, I)."""
        return self.axes.kl is not None

    def decode(self, z: Array) -> Array:
        """(n, d) -> (n, C, H, W) in [0, 1], on the server's device."""
        device = self.model.device  # type: ignore[attr-defined]
        with torch.no_grad():
            return loading.cpu(self.model.decode(torch.from_numpy(z).to(device)))

    def encode(self, image: torch.Tensor) -> Array:
        """(C, H, W) in [0, 1] -> code (d,)."""
        device = self.model.device  # type: ignore[attr-defined]
        with torch.no_grad():
            return loading.cpu(self.model.embed(image[None].to(device)))[0]

    def label(self, i: int) -> str:
        """How latent i is called on the page, counted from 1 as in z_1 ... z_d."""
        return f"z{i + 1}"


@st.cache_resource(
    max_entries=12, show_spinner="Looking at the latents …", hash_funcs=loading.BY_FILE
)
def space(info: Info) -> Space:
    """Read a model's latent space, cached."""
    model = loading.model(info)
    assert isinstance(model, Encodes) and isinstance(model, Decodes)
    data = loading.pictures_of(info)
    codes = torch.from_numpy(loading.test_latents(info))
    device = model.device
    kl = None
    if isinstance(model, Bounds):
        kl = kl_per_dimension(model, to_float(data.test_x[:FOR_KL]).to(device)).cpu()
    exported, refusal = _export(model)
    with torch.no_grad():
        shape = tuple(model.decode(codes[:1].to(device)).shape[1:])
    name = f"{info.name}-{exported.digest if exported else info.mtime_ns}"
    labels = data.test_y[: len(codes)]
    return Space(info, model, codes, labels, axes(codes, kl), exported, refusal, name, shape)


def _export(model: Decodes) -> tuple[Exported | None, str]:
    try:
        exported = export(model.decoder_layers())
    except ValueError as error:
        return None, str(error)
    problem = browser_refusal(exported)
    return (None if problem else exported), problem


def cloud(found: Space) -> tuple[bytes, bytes]:
    """Codes of the first test digits for the pad, and their labels, one byte a number."""
    codes = found.codes[:CLOUD].numpy()
    packed = to_cloud(codes, found.axes.low.numpy(), found.axes.high.numpy())
    return packed, found.labels[:CLOUD].numpy().astype(np.uint8).tobytes()


def dimensions(found: Space) -> list[Dimension]:
    """The sliders, from the latent that says most to the one that says least."""
    a, prior = found.axes, found.has_prior
    weights = a.kl if a.kl is not None else a.std**2
    said = "KL {:.2f} nats" if prior else "variance {:.3f}"
    return [
        Dimension(
            i=i,
            label=found.label(i),
            low=float(a.low[i]),
            high=float(a.high[i]),
            mean=0.0 if prior else float(a.mean[i]),
            std=1.0 if prior else float(a.std[i]),
            weight=float(weights[i]),
            active=bool(a.active[i]),
            note=said.format(float(weights[i])),
        )
        for i in a.order.tolist()
    ]


BY_MODEL: HashFuncsDict = {Space: lambda found: found.info.stamp}


@st.cache_data(max_entries=8, show_spinner="Encoding training images …", hash_funcs=BY_MODEL)
def _train_codes(found: Space) -> Array:
    data = loading.pictures_of(found.info)
    device = found.model.device  # type: ignore[attr-defined]
    with torch.no_grad():
        parts = [
            loading.cpu(found.model.embed(to_float(part).to(device)))
            for part in data.train_x[:FOR_DENSITY].split(1000)
        ]
    return np.concatenate(parts)


@st.cache_resource(max_entries=24, show_spinner="Fitting the density …", hash_funcs=BY_MODEL)
def density(found: Space, name: str) -> Density:
    """The density `name` of DENSITIES, fitted to codes of training images."""
    from genlib.explore.density import DENSITIES

    return DENSITIES[name](_train_codes(found))


def digits(found: Space) -> Dataset:
    """The images that the model was trained for."""
    return loading.pictures_of(found.info)


def start_code(found: Space, rng: np.random.Generator) -> Array:
    """A place of the kind the model knows: N(0, I) with a prior, else one real digit's code."""
    if found.has_prior:
        return rng.standard_normal(found.latent_dim).astype(np.float32)
    return found.codes[rng.integers(len(found.codes))].numpy()
