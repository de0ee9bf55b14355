"""A way between two codes, under one slider: in latents, and beside it in pixels if asked for.

Decoded in the browser like the latent pad; `decoder_store` with the same name must be on the page.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import streamlit as st

from genlib.ui.components.decoder_store import source

SCRIPTS = ("decoder.js", "theme.js", "latent_walk.js")
STRIP = 11  # pictures in the filmstrip
FRAMES = 41  # pictures along the way where the server has to decode

_COMPONENT = st.components.v2.component(
    "genlib_latent_walk",
    html='<div class="latent-walk"></div>\n',
    css=source("latent_walk.css"),
    js=source(*SCRIPTS),
)


@dataclass(frozen=True)
class Way:
    """z_a + t (z_b - z_a) for t in [low, high]; `pixels` adds the same between two images.

    z_a, z_b: (d,); pixels: two images (C, H, W) in [0, 1]; start, end: words at the slider's ends.
    """

    z_a: np.ndarray
    z_b: np.ndarray
    low: float
    high: float
    start: str
    end: str
    pixels: tuple[np.ndarray, np.ndarray] | None = None

    def codes(self, amounts: np.ndarray) -> np.ndarray:
        """Codes at each amount t: (n,) -> (n, d)."""
        return (self.z_a + amounts[:, None] * (self.z_b - self.z_a)).astype(np.float32)


def latent_walk(
    key: str,
    name: str,
    way: Way,
    shape: tuple[int, ...],
    *,
    t: float,
    decode: Callable[[np.ndarray], np.ndarray] | None = None,
) -> float:
    """Draw the way and return t where the hand last rested (`t` at first).

    Args:
        key: the widget's key.
        name: of the decoder in `decoder_store`.
        way: the two ends.
        shape: (C, H, W) of the picture.
        t: where the slider stands at first.
        decode: (n, d) -> (n, C, H, W) in [0, 1], where the decoder is too large for the browser.
    """
    ways = [{"title": "In latents, then decoded", "kind": "latents"}]
    data: dict[str, object] = {
        "name": name,
        "shape": list(shape),
        "za": [float(v) for v in way.z_a],
        "zb": [float(v) for v in way.z_b],
        "low": way.low,
        "high": way.high,
        "from": way.start,
        "to": way.end,
        "strip": STRIP,
        "t": t,
    }
    digest = hashlib.sha256(way.z_a.tobytes() + way.z_b.tobytes() + name.encode())
    if way.pixels:
        ways.insert(0, {"title": "In pixels", "kind": "pixels"})
        data["xa"], data["xb"] = (_text(image[None]) for image in way.pixels)
        digest.update(way.pixels[0].tobytes() + way.pixels[1].tobytes())
    if decode:
        data["frames"] = _text(decode(way.codes(np.linspace(way.low, way.high, FRAMES))))
    _COMPONENT(
        key=key,
        data={**data, "ways": ways, "content": digest.hexdigest()},
        on_rest_change=lambda: None,
        height="content",
    )
    state = st.session_state.get(key)
    rest = state.get("rest") if isinstance(state, Mapping) else None
    told = rest.get("t") if isinstance(rest, Mapping) else None
    return float(np.clip(told, way.low, way.high)) if isinstance(told, int | float) else t


def _text(images: np.ndarray) -> str:
    """(n, C, H, W) in [0, 1] -> one byte a number, channels last, base64."""
    last = images.transpose(0, 2, 3, 1)
    block = np.round(np.clip(last, 0, 1) * 255).astype(np.uint8).tobytes()
    return base64.b64encode(block).decode()
