"""Walks through codes: between two of them, or endlessly through random ones.

Decoded in the browser like the latent pad; `decoder_store` with the same name must be on the page,
unless the server decodes.

The endless walk goes from one draw of N(0, I) to the next on cos(a) z + sin(a) z', a from 0 to 90
degrees: with z and z' standard normal and independent, so is every place between them. A straight
line would lead through codes that are too short for the prior, and so through pictures that G never
learnt to draw.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from genlib.ui.components import history
from genlib.ui.components.packet import as_text, levels
from genlib.ui.kit import links
from genlib.ui.kit.web import component, keep, said

STRIP = 11  # pictures in the filmstrip between two codes
FRAMES = 41  # pictures along the way where the server has to decode
LEG_STRIP = 13  # pictures in the filmstrip of a leg of the endless walk
LEGS = 6  # stops of the closed loop where the server decodes
PER_LEG = 14  # pictures on each of its legs
SLOWEST, FASTEST = 0.05, 3.0  # stops per second


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


def walk_between(
    key: str,
    name: str,
    way: Way,
    shape: tuple[int, ...],
    *,
    t: float,
    decode: Callable[[np.ndarray], np.ndarray] | None = None,
) -> float:
    """Draw the way and return t where it last came to rest (`t` at first).

    Args:
        key: the widget's key.
        name: of the decoder in `decoder_store`.
        way: the two ends.
        shape: (C, H, W) of the picture.
        t: where the slider stands at first.
        decode: (n, d) -> (n, C, H, W) in [0, 1], where the decoder is too large for the browser.
    """
    data = _data(name, way, shape, t)
    if decode:
        data["frames"] = _text(decode(way.codes(np.linspace(way.low, way.high, FRAMES))))
    component("walk")(
        key=key,
        data=data,
        on_rest_change=keep,
        height="content",
    )
    told = _rest(key).get("t")
    return float(np.clip(told, way.low, way.high)) if isinstance(told, int | float) else t


def _data(name: str, way: Way, shape: tuple[int, ...], t: float) -> dict[str, object]:
    """What the browser needs to know of a way."""
    images = way.pixels or ()
    content = hashlib.sha256(way.z_a.tobytes() + way.z_b.tobytes() + name.encode())
    for image in images:
        content.update(image.tobytes())
    ways = [{"title": "In latents, then decoded", "kind": "latents"}]
    return {
        "kind": "between",
        "name": name,
        "shape": list(shape),
        "za": [float(v) for v in way.z_a],
        "zb": [float(v) for v in way.z_b],
        **{side: _text(image[None]) for side, image in zip(("xa", "xb"), images, strict=False)},
        "low": way.low,
        "high": way.high,
        "from": way.start,
        "to": way.end,
        "strip": STRIP,
        "at": t,
        "ways": [{"title": "In pixels", "kind": "pixels"}, *ways] if images else ways,
        "content": content.hexdigest(),
    }


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


def endless_walk(
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
        "kind": "endless",
        "name": name,
        "strip": LEG_STRIP,
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
        data["frames"] = _text(decode(loop_codes(latent_dim, seed)))
    component("walk")(key=mounted, data=data, on_rest_change=keep, height="content")
    return place


def _place(key: str, mounted: str) -> Place:
    """The newest of what the browser said and what the link says; written into the link."""
    told = _rest(mounted)
    at = _number(told.get("at", st.query_params.get(f"{key}.at")), 0.0, 0.0, 1e6)
    speed = _number(told.get("speed", st.query_params.get(f"{key}.speed")), 0.4, SLOWEST, FASTEST)
    if told:
        # As many decimals as the page shows, and never "1e+03": the link is the place itself.
        links.show(f"{key}.at", f"{at:.2f}")
        links.show(f"{key}.speed", f"{speed:g}")
    return Place(at, speed)


def _number(text: object, default: float, low: float, high: float) -> float:
    try:
        value = float(str(text))
    except ValueError:
        return default
    return min(max(value, low), high) if np.isfinite(value) else default


def _rest(key: str) -> Mapping[str, object]:
    """What the browser said when the walk rested."""
    rest = said(key, "rest")
    return rest if isinstance(rest, Mapping) else {}


def _text(images: np.ndarray) -> str:
    """(n, C, H, W) in [0, 1] -> one byte a number, channels last, base64."""
    return as_text(levels(images.transpose(0, 2, 3, 1)))
