"""The latent pad: sliders, a 2-D pad and the decoded picture, which follows them at once.

The decoder runs in the browser (decoder.js), so a drag asks nothing of the server; 150 ms after
the last movement the server learns z. Decoders too large for that are run by the server, which is
asked for the newest z only. Call `decoder_store` with the same name on the page first.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypedDict

import numpy as np
import streamlit as st

from genlib.ui.components.packet import as_text, levels
from genlib.ui.kit.web import component, keep, said


class Dimension(TypedDict):
    """One latent: its index i in z, the slider's range, how to draw it at random within that (mean,
    std), how much it matters (weight >= 0, active) and a note in words."""

    i: int
    label: str
    low: float
    high: float
    mean: float
    std: float
    weight: float
    active: bool
    note: str


def set_z(key: str, z: np.ndarray) -> None:
    """Move the pad `key` to z (d,) the next time it is drawn, wherever it has been dragged to."""
    version = st.session_state.get(f"{key}.version", 0) + 1
    st.session_state[f"{key}.version"] = version
    st.session_state[f"{key}.start"] = np.asarray(z, np.float32)
    st.session_state.pop(f"{key}.want", None)  # it was for a picture of before


def current_z(key: str) -> np.ndarray | None:
    """Where the pad last rested, or what `set_z` said since: (d,) float32; None before both."""
    start: np.ndarray | None = st.session_state.get(f"{key}.start")
    if start is None:
        return None
    rest = _field(key, "rest")
    if rest is None or rest.get("version") != st.session_state[f"{key}.version"]:
        return start
    z = _vector(rest.get("z"), len(start))
    return start if z is None else z


def latent_pad(
    key: str,
    name: str,
    dims: Sequence[Dimension],
    shape: tuple[int, ...],
    *,
    classes: Sequence[str] = (),
    decode: Callable[[np.ndarray], np.ndarray] | None = None,
    on_rest: Callable[[], None] | None = None,
) -> np.ndarray:
    """Draw the pad and return z (d,) where it last came to rest.

    Args:
        key: the widget's key; `set_z(key, z)` must have been called once.
        name: of the decoder in `decoder_store`; shape: (C, H, W) of its pictures.
        dims: latents in the order in which the sliders should stand.
        classes: names of the labels in `decoder_store`, for a legend of the dots.
        decode: z (1, d) -> (1, C, H, W) in [0, 1]; if given, the server decodes, not the browser.
        on_rest: called when it comes to rest somewhere else.
    """
    z = current_z(key)
    assert z is not None, "set_z first"
    data: dict[str, object] = {
        "name": name,
        "dims": list(dims),
        "shape": list(shape),
        "classes": list(classes),
        "z": [float(v) for v in z],
        "version": st.session_state[f"{key}.version"],
        "path": "server" if decode else "browser",
    }
    data |= _answer(key, z, decode) if decode else {}
    component("latent_pad")(
        key=key,
        data=data,
        on_rest_change=on_rest or keep,
        on_want_change=lambda: _remember_want(key),
        height="content",
    )
    return z


def _answer(
    key: str, z: np.ndarray, decode: Callable[[np.ndarray], np.ndarray]
) -> dict[str, object]:
    """The picture of the z that the browser asked for last, or of `z` (d,) before it asks."""
    want = st.session_state.get(f"{key}.want") or {}
    wanted = _vector(want.get("z"), len(z))
    pixels = decode((z if wanted is None else wanted)[None])[0].transpose(1, 2, 0)
    return {"frame": as_text(levels(pixels)), "seq": int(want.get("seq", 0))}


def _remember_want(key: str) -> None:
    """Keep the request: a trigger is gone once the run that it started is over."""
    st.session_state[f"{key}.want"] = _field(key, "want")


def _field(key: str, name: str) -> Mapping[str, object] | None:
    value = said(key, name)
    return value if isinstance(value, Mapping) else None


def _vector(value: object, size: int) -> np.ndarray | None:
    """Read z as the browser sent it; None if it is not `size` finite numbers."""
    if not isinstance(value, Sequence) or len(value) != size:
        return None
    try:
        z = np.array(value, dtype=np.float32)
    except (TypeError, ValueError):
        return None
    return z if z.shape == (size,) and bool(np.isfinite(z).all()) else None
