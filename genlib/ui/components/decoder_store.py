"""Brings a decoder, or anything else that is heavy, into the browser once for all components.

The store is a component that draws nothing. Others (latent pad, walk, map, Gibbs chain) name what
they want; in the browser they find it in web/shared/store.js. So weights travel once, and the
messages sent while a slider moves stay small.
"""

from __future__ import annotations

import hashlib

import numpy as np

from genlib import environment
from genlib.export.operations import Exported
from genlib.ui.components import packets
from genlib.ui.components.packet import levels, pack
from genlib.ui.kit.web import component

# Above this many multiply-adds one decode takes the browser longer than a frame (16.7 ms at about
# a thousand million a second), and the server decodes instead.
BROWSER_MACS = 12_000_000


def component_key(stem: str, name: str) -> str:
    """The key of a component that belongs to something users name: "latent_space.pad.1f0c…".

    Streamlit refuses component keys with two underscores in a row, so that the name itself can't
    be a part of the key.
    """
    return f"{stem}.{hashlib.sha256(name.encode(errors='surrogatepass')).hexdigest()[:16]}"


def browser_refusal(exported: Exported) -> str:
    """Why the server should decode, in one sentence; "" where the browser should.

    The browser decodes what fits in a frame, unless ``GENLIB_DECODER`` names who does.
    """
    wish = environment.decoder()
    if wish == "server":
        return "GENLIB_DECODER is set to server."
    if wish == "auto" and exported.macs > BROWSER_MACS:
        return f"{exported.macs / 1e6:.0f} million multiply-adds are too many for one frame."
    return ""


def model_data(exported: Exported) -> dict[str, object]:
    """What decoder.js needs to know in addition to the weights."""
    return {
        "ops": exported.ops,
        "dtype": exported.dtype,
        "latent_dim": exported.latent_dim,
        "shape": list(exported.shape),
        "macs": exported.macs,
    }


def to_cloud(codes: np.ndarray, low: np.ndarray, high: np.ndarray) -> bytes:
    """Codes (n, d) as one byte a number, 0..255 between low (d,) and high (d,)."""
    scaled = (codes - low) / np.maximum(high - low, 1e-12)
    return levels(scaled).tobytes()


def decoder_store(
    name: str,
    exported: Exported | None,
    *,
    cloud: bytes = b"",
    labels: bytes = b"",
) -> None:
    """Share a decoder and the codes of real data under `name` with this page's components.

    `name` must change when the content does. It is hashed on every run, two milliseconds for each
    megabyte: call it outside fragments that run while something is dragged.
    Without `exported` only the codes are shared, for components that let the server decode.
    """
    values = {"name": name, "model": model_data(exported) if exported else None}
    weights = exported.weights if exported else b""
    store(name, pack(values, {"weights": weights, "cloud": cloud, "labels": labels}))


def store(name: str, message: bytes) -> None:
    """Bring a packed message into the browser, where components find what is in it by `name`.

    `name` must also be among the message's values, and must change when they do.
    """
    bring = component("store", "<span hidden></span>\n", styled=False)
    data = {"name": name, "address": packets.address(message)}
    bring(key=component_key("store", name), data=data, height="content")
