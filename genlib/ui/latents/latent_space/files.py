"""What the Latent space page exports: picture, film, script, a page of its own."""

from __future__ import annotations

import json
from html import escape

import numpy as np
import streamlit as st
import torch

from genlib.explore.latents import walk
from genlib.ui.components.decoder_store import model_data
from genlib.ui.components.packet import as_text
from genlib.ui.components.web import import_map, style_sheet
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
    contents = {
        "pad": pad,
        "model": model_data(space.exported),
        "weights": as_text(space.exported.weights),
        "cloud": as_text(codes),
        "labels": as_text(labels),
    }
    title = escape(f"{space.info.name}: latent space")
    # "</" would end the script element early if a name contained it.
    data = json.dumps(contents).replace("</", "<\\/")
    modules = json.dumps({"imports": import_map("latent_pad/view.js", "shared/decoder.js")})
    css = style_sheet("latent_pad/style.css")
    return _PAGE.format(title=title, css=css, modules=modules, data=data)


_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ --st-primary-color: #0b6b74; --st-background-color: #ffffff; --st-text-color: #10201f;
  --st-secondary-background-color: #eef3f3; --st-border-color: #c9d5d4; }}
@media (prefers-color-scheme: dark) {{
  :root {{ --st-primary-color: #12808a; --st-background-color: #0f1717; --st-text-color: #eef5f4;
    --st-secondary-background-color: #1b2727; --st-border-color: #344646; }} }}
body {{ background: var(--st-background-color); color: var(--st-text-color);
  font-family: system-ui, sans-serif; margin: 2rem; }}
{css}
</style></head><body>
<h1>{title}</h1>
<p>Move a slider, or drag in the square. The dots are codes of real test digits, coloured by class.
Press M for milliseconds and frames per second.</p>
<div id="here"></div>
<script type="importmap">{modules}</script>
<script type="module">
import latentPad from "latent_pad/view.js"
import {{ compileDecoder }} from "shared/decoder.js"
import {{ fromText }} from "shared/packet.js"
import {{ share }} from "shared/store.js"
const saved = {data}
share(saved.pad.name, {{ decoder: compileDecoder(saved.model, fromText(saved.weights)),
  cloud: fromText(saved.cloud), labels: fromText(saved.labels) }})
latentPad({{ parentElement: document.getElementById("here"), data: saved.pad }})
</script></body></html>
"""
