"""A Gibbs chain in the browser: weights travel once, then every step is made and drawn there.

``gibbs_store`` brings the layers of an RBM or DBN; ``gibbs_chain`` shows a chain over them, with
its own buttons. Nothing is sent back. A half-step of 784-500 is 0.4 million multiply-adds, less
where units are 0: some tenths of a millisecond.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from genlib.ui.components.decoder_store import store
from genlib.ui.components.packet import as_text, levels, pack
from genlib.ui.kit.web import component

Pixels = NDArray[np.float32]
Layers = Sequence[tuple[Pixels, Pixels, Pixels]]  # (W, a, b) of each pair, bottom first


@dataclass(frozen=True)
class Scene:
    """What the chain starts from and what is shown of it.

    digit (C, H, W) in [0, 1], C 1 or 3; start "noise" or "digit"; known (H, W), True where the
    digit's pixels are held, or None; show "probabilities" or "samples"; chains run side by side;
    band: free energies between which most test images lie, in nats; stride: steps between strip
    pictures.
    """

    digit: Pixels
    start: str = "noise"
    known: NDArray[np.bool_] | None = None
    show: str = "probabilities"
    chains: int = 1
    band: tuple[float, float] = (0.0, 0.0)
    stride: int = 10


def layers_data(layers: Layers) -> tuple[list[list[int]], NDArray[np.float32]]:
    """Sizes [[n, m], ...] and all numbers in a row, as chain.js reads them."""
    sizes = [[int(n) for n in w.shape] for w, _, _ in layers]
    return sizes, np.concatenate([part.ravel() for layer in layers for part in layer])


def gibbs_store(name: str, layers: Layers) -> None:
    """Share layers under ``name``, which must change when they do. Call it outside fragments."""
    sizes, numbers = layers_data(layers)
    store(name, pack({"name": name, "sizes": sizes}, {"numbers": numbers.astype(np.float32)}))


def gibbs_chain(key: str, name: str, scene: Scene) -> None:
    """Show a chain over the layers of that name; another scene (but ``show``) restarts it."""
    digit = as_text(levels(scene.digit))
    known = ""
    if scene.known is not None:
        known = as_text(np.broadcast_to(scene.known, scene.digit.shape).astype(np.uint8))
    parts = (name, digit, known, scene.start, str(scene.chains), str(scene.stride))
    component("gibbs_chain")(
        key=key,
        data={
            "name": name,
            "shape": list(scene.digit.shape),
            "digit": digit,
            "known": known,
            "start": scene.start,
            "show": scene.show,
            "chains": scene.chains,
            "band": list(scene.band),
            "stride": scene.stride,
            "content": hashlib.sha256("|".join(parts).encode()).hexdigest(),
        },
        height="content",
    )
