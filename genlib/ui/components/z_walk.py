"""An endless walk through z of a generator: play, speed, by hand; decoded in the browser.

From one draw of N(0, I) to the next on cos(a) z + sin(a) z', a from 0 to 90 degrees: with z and z'
standard normal and independent, so is every place between them. A straight line would lead through
codes that are too short for the prior, and so through pictures that G never learnt to draw.
`decoder_store` with the same name must be on the page, unless pictures are sent along.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from genlib.ui.components import history
from genlib.ui.components.decoder_store import source

LEGS = 6  # stops of the closed loop where the server decodes
PER_LEG = 14  # pictures on each of its legs
SLOWEST, FASTEST = 0.05, 3.0  # stops per second

_COMPONENT = st.components.v2.component(
    "genlib_z_walk",
    html='<div class="z-walk"></div>\n',
    css=source("z_walk.css"),
    js=source("decoder.js", "theme.js", "z_walk.js"),
)


@dataclass(frozen=True)
class Place:
    """Where the walk rests: stops passed since the start, and speed in stops a second."""

    at: float
    speed: float


def loop_codes(latent_dim: int, seed: int) -> NDArray[np.float32]:
    """Codes along a closed walk through LEGS draws of N(0, I): (LEGS * PER_LEG, latent_dim)."""
    stops = np.random.default_rng(seed).standard_normal((LEGS, latent_dim))
    angles = np.arange(PER_LEG)[:, None] / PER_LEG * np.pi / 2
    legs = [
        np.cos(angles) * a + np.sin(angles) * b
        for a, b in zip(stops, np.roll(stops, -1, axis=0), strict=True)
    ]
    return np.concatenate(legs).astype(np.float32)


def z_walk(
    key: str,
    name: str,
    latent_dim: int,
    shape: tuple[int, ...],
    seed: int,
    *,
    decode: Callable[[NDArray[np.float32]], NDArray[np.float32]] | None = None,
) -> Place:
    """Draw the walk and return where it last rested; place and speed are linked under `key`.

    Args:
        key: the widget's key.
        name: of the decoder in `decoder_store`.
        latent_dim: numbers in z.
        shape: (C, H, W) of the picture.
        seed: another one is another walk.
        decode: (n, d) -> (n, C, H, W) in [0, 1], where the decoder is too large for the browser.
    """
    mounted = history.of_this_visit(key)
    place = _place(key, mounted)
    data: dict[str, object] = {
        "name": name,
        "dim": latent_dim,
        "shape": list(shape),
        "seed": seed,
        "at": place.at,
        "speed": place.speed,
        "slowest": SLOWEST,
        "fastest": FASTEST,
        "legs": LEGS,
        "content": f"{name}:{seed}:{decode is None}",
    }
    if decode:
        pictures = decode(loop_codes(latent_dim, seed)).transpose(0, 2, 3, 1)
        block = np.round(np.clip(pictures, 0, 1) * 255).astype(np.uint8).tobytes()
        data["frames"] = base64.b64encode(block).decode()
    _COMPONENT(key=mounted, data=data, on_rest_change=lambda: None, height="content")
    return place


def _place(key: str, mounted: str) -> Place:
    """The newest of what the browser said and what the link says; written into the link."""
    state = st.session_state.get(mounted)
    rest = state.get("rest") if isinstance(state, Mapping) else None
    told: Mapping[str, object] = rest if isinstance(rest, Mapping) else {}
    at = _number(told.get("at", st.query_params.get(f"{key}.at")), 0.0, 0.0, 1e6)
    speed = _number(told.get("speed", st.query_params.get(f"{key}.speed")), 0.4, SLOWEST, FASTEST)
    if told:
        # As many decimals as the page shows, and never "1e+03": the link is the place itself.
        said = {f"{key}.at": f"{at:.2f}", f"{key}.speed": f"{speed:g}"}
        if any(st.query_params.get(name) != text for name, text in said.items()):
            st.query_params.update(said)
    return Place(at, speed)


def _number(text: object, default: float, low: float, high: float) -> float:
    try:
        value = float(str(text))
    except ValueError:
        return default
    return min(max(value, low), high) if np.isfinite(value) else default
