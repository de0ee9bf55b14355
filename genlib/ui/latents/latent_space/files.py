"""What the Latent space page exports: picture, film, script, a page of its own."""

from __future__ import annotations

import numpy as np
import streamlit as st
import torch

from genlib.explore.latents import walk
from genlib.ui.components.decoder_store import model_data
from genlib.ui.components.packet import as_text
from genlib.ui.kit import standalone
from genlib.ui.kit.images import to_gif, to_png
from genlib.ui.kit.pickers import download
from genlib.ui.latents.latent_space.data import Array, Space, cloud, digits, dimensions, start_code
from genlib.ui.latents.latent_space.start import place

WALK_STOPS = 4
WALK_STEPS = 16


def take_away(space: Space) -> None:
    """Buttons for the files, and the Python that makes the same picture."""
    z, name = place(space), space.info.name
    with st.container(horizontal=True):
        download(
            "Picture (PNG)",
            to_png(space.decode(z[None])[0], scale=16),
            f"{name}.png",
            "The picture of the pad, every pixel 16 by 16.",
        )
        download(
            "Walk (GIF)",
            lambda: walk_gif(space, z),
            f"{name}-walk.gif",
            "From here through four random places and back, endlessly.",
        )
        download(
            "Explorer (HTML)",
            (lambda: explorer_html(space, z)) if space.exported else "",
            f"{name}.html",
            "Sliders, pad and decoder in one file that needs no server and no network."
            if space.exported
            else f"The browser cannot decode this model: {space.refusal}",
            disabled=space.exported is None,
        )
    st.markdown("The same picture in Python:")
    st.code(python_lines(space, z), language="python", wrap_lines=True)


def walk_gif(space: Space, z: Array) -> bytes:
    """A closed walk from z through random places, as an endless GIF."""
    rng = np.random.default_rng(0)
    stops = torch.from_numpy(np.stack([start_code(space, rng) for _ in range(WALK_STOPS)]))
    codes = walk(torch.from_numpy(z), stops, WALK_STEPS)
    return to_gif(torch.from_numpy(space.decode(codes.numpy())))


def python_lines(space: Space, z: Array) -> str:
    """A script that makes the pad's picture with genlib."""
    numbers = ", ".join(f"{v:.4f}" for v in z)
    return (
        "import torch\n"
        "from torchvision.utils import save_image\n"
        "from genlib.store import checkpoint\n\n"
        f'model = checkpoint.load("{_relative(space)}")\n'
        f"z = torch.tensor([[{numbers}]])\n"
        f'save_image(model.decode(z), "{space.info.name}.png")\n'
    )


def _relative(space: Space) -> str:
    from genlib.environment import root

    path = space.info.path
    return str(path.relative_to(root()) if path.is_relative_to(root()) else path)


def explorer_html(space: Space, z: Array) -> str:
    """The latent pad of this model as one page: the same modules, the weights inside.

    Raises ValueError where the decoder cannot run in a browser.
    """
    if space.exported is None:
        raise ValueError(f"{space.info.name} cannot run in a browser: {space.refusal}")
    codes, labels = cloud(space)
    pad = {
        "name": space.name,
        "dims": dimensions(space),
        "shape": list(space.shape),
        "classes": list(digits(space).classes),
        "z": [float(v) for v in z],
        "version": 1,
        "path": "browser",
    }
    data = {
        **pad,
        "saved": {
            "model": model_data(space.exported),
            "weights": as_text(space.exported.weights),
            "cloud": as_text(codes),
            "labels": as_text(labels),
        },
    }
    return standalone.page(
        "latent_pad",
        f"{space.info.name}: latent space",
        "Move a slider, or drag in the square. The dots are codes of real test digits, coloured by "
        "class. Press M for milliseconds and frames per second.",
        data,
        modules=("shared/decoder.js",),
        script=_SHARE,
    )


_SHARE = """
import { compileDecoder } from "shared/decoder.js"
import { fromText } from "shared/packet.js"
import { share } from "shared/store.js"
const { saved } = data
share(data.name, { decoder: compileDecoder(saved.model, fromText(saved.weights)),
  cloud: fromText(saved.cloud), labels: fromText(saved.labels) })
"""
