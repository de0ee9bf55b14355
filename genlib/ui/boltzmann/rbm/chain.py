"""The RBM page's chain and weights.

The chain runs in the browser: the weights of an RBM or DBN travel once, then every step is made and
drawn there, and nothing is sent back. A half-step of 784-500 is 0.4 million multiply-adds, less
where units are 0: some tenths of a millisecond.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import streamlit as st
import torch
from numpy.typing import NDArray
from streamlit.delta_generator import DeltaGenerator
from torch import Tensor

from genlib.data.datasets import to_float
from genlib.models.capabilities import HasKernels, Stacked
from genlib.models.layers import binarize
from genlib.plots.kernels import OWN, SHARED, levels, shared_limit
from genlib.store.checkpoint import Info
from genlib.ui.components import packet
from genlib.ui.components.decoder_store import store
from genlib.ui.components.digit_picker import pick_digit
from genlib.ui.components.kernel_grid import kernel_grid
from genlib.ui.kit import loading
from genlib.ui.kit.pickers import choose
from genlib.ui.kit.plain import plain
from genlib.ui.kit.signed import palette, signed_legend
from genlib.ui.kit.stage import wait_for_drawing
from genlib.ui.kit.web import component

Pixels = NDArray[np.float32]
Layers = Sequence[tuple[Pixels, Pixels, Pixels]]  # (W, a, b) of each pair, bottom first

KEY = "rbm"
BROWSER_WEIGHTS = 4_000_000  # 16 MB; more would take longer than a frame for one step
STARTS = {"noise": "Noise", "digit": "This picture"}
SHOWS = {"probabilities": "Probabilities", "samples": "Samples"}
HIDES = ("Nothing", "Lower half", "Upper half", "Right half", "Left half", "Middle")


def chain(info: Info, controls: DeltaGenerator, picture: DeltaGenerator) -> None:
    """A chain over the model's layers, and in the controls where it starts and what it shows."""
    data = loading.all_pictures_of(info)
    if data.shape != loading.model(info).config.shape:
        picture.info(
            f"{plain(info.name)} takes images of another size or colour than those of "
            f"{plain(data.title)}. Train a model on {plain(data.title)} to run a chain."
        )
        return
    layers, band = layers_of(info)
    if sum(w.size for w, _, _ in layers) > BROWSER_WEIGHTS:
        picture.info(
            f"{plain(info.name)} has more than {BROWSER_WEIGHTS:,} weights, too many for the "
            "browser."
        )
        return
    with controls:
        start, hidden, chains, show = _controls()
        known = left_visible(hidden, *data.shape[1:])
        if known is not None:
            st.caption(_clamping(len(layers)))
        if data.shape[0] > 1:
            st.caption("A pixel is three units, red, green and blue, each 0 or 1.")
        picked = pick_digit(f"{KEY}.digit", "Picture", data=data, waits=True)
    with picture:
        name = f"{info.name}.{info.mtime_ns}"
        gibbs_store(name, layers)
        if picked.stand_in:
            wait_for_drawing()
        else:
            scene = Scene(picked.image.numpy(), start, known, show, chains, band, stride=10)
            gibbs_chain(f"{KEY}.chain", name, scene)


def left_visible(hidden: str, height: int, width: int) -> NDArray[np.bool_] | None:
    """Which pixels are held, (H, W), where that part is hidden; None where nothing is."""
    everything, down, right = slice(None), height // 2, width // 2
    top, left = round(height * 9 / 28), round(width * 9 / 28)
    parts = {
        "Lower half": (slice(down, None), everything),
        "Upper half": (slice(None, down), everything),
        "Right half": (everything, slice(right, None)),
        "Left half": (everything, slice(None, right)),
        "Middle": (slice(top, height - top), slice(left, width - left)),
    }
    if hidden not in parts:
        return None
    known = np.ones((height, width), np.bool_)
    known[parts[hidden]] = False
    return known


def _controls() -> tuple[str, str, int, str]:
    """Where the chains start, what is hidden, how many there are, and what is shown of them."""
    start = choose("Start from", STARTS, f"{KEY}.start", "Noise: every unit 0 or 1 by a fair coin.")
    with st.container(horizontal=True):
        hidden = st.selectbox(
            "Hidden part",
            HIDES,
            key=f"{KEY}.hide",
            bind="query-params",
            width=170,
            help="The rest of the image is clamped at every step, rounded to black and white. The "
            "chain fills in what is hidden.",
        )
        chains = st.selectbox(
            "Chains",
            [1, 4, 9, 16],
            key=f"{KEY}.chains",
            bind="query-params",
            width=90,
            help="Independent chains side by side, all from the same start.",
        )
    show = choose(
        "Show",
        SHOWS,
        f"{KEY}.show",
        "The chain always continues with samples, 0 or 1. They are drawn from the probabilities, "
        "which look smoother.",
    )
    return start, hidden, chains, show


def _clamping(depth: int) -> str:
    if depth == 1:
        return (
            "Pixels with a blue-green tint are clamped. In the long run the chain draws exactly "
            "from p(hidden pixels | clamped pixels)."
        )
    return (
        "Pixels with a blue-green tint are clamped. A DBN can do this only approximately: each "
        "step goes up to the top pair, makes a Gibbs step there and comes down."
    )


@st.cache_resource(max_entries=4, show_spinner="Loading the weights …", hash_funcs=loading.BY_FILE)
def layers_of(info: Info) -> tuple[Layers, tuple[float, float]]:
    """Weights as numpy, and the free energies between which 90% of the test images lie.

    Of a model that was trained on some of the classes, only their test images count.
    """
    model = loading.model(info)
    if not isinstance(model, Stacked):
        raise TypeError(f"{info.name} has no layers of binary units")
    pairs = [tuple(t.detach().float().cpu() for t in pair) for pair in model.pairs()]
    x = to_float(loading.pictures_of(info).test_x[:2000]).flatten(1)
    free = _free_energy(pairs, binarize(x, torch.Generator().manual_seed(0)))
    low, high = torch.quantile(free, torch.tensor([0.05, 0.95])).tolist()
    return [(w.numpy(), a.numpy(), b.numpy()) for w, a, b in pairs], (low, high)


def _free_energy(pairs: list[tuple[Tensor, ...]], v: Tensor) -> Tensor:
    """F of the top pair, images (B, n) drawn upwards to its lower layer: (B,)."""
    rng = torch.Generator().manual_seed(1)
    for w, _, b in pairs[:-1]:
        v = binarize((v @ w + b).sigmoid(), rng)
    w, a, b = pairs[-1]
    return -(v @ a) - torch.nn.functional.softplus(v @ w + b).sum(1)


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
    """Share layers under ``name``, which must change when they do."""
    sizes, numbers = layers_data(layers)
    store(
        name, packet.pack({"name": name, "sizes": sizes}, {"numbers": numbers.astype(np.float32)})
    )


def gibbs_chain(key: str, name: str, scene: Scene) -> None:
    """Show a chain over the layers of that name; another scene (but ``show``) restarts it."""
    digit = packet.as_text(packet.levels(scene.digit))
    known = ""
    if scene.known is not None:
        known = packet.as_text(np.broadcast_to(scene.known, scene.digit.shape).astype(np.uint8))
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


def weights(info: Info, controls: DeltaGenerator, picture: DeltaGenerator) -> None:
    """First-layer weights as pictures, the strongest first."""
    model = loading.model(info)
    if not isinstance(model, HasKernels):
        picture.info(f"{plain(info.name)} has no first layer that sees the whole image.")
        return
    scale = choose(
        "Colour scale",
        [SHARED, OWN],
        f"{KEY}.scale",
        "A shared scale shows which units are strong. Own scales show the shape of weak ones.",
        where=controls,
    )
    kernels = loading.cpu(model.kernels())
    strength = np.linalg.norm(kernels.reshape(len(kernels), -1), axis=1)
    order = np.argsort(-strength)
    controls.caption(
        f"The {len(order)} units of the first hidden layer, the strongest first (norm of the "
        "weights). Red pixels excite a unit, blue ones inhibit it."
    )
    with picture:
        kernel_grid(
            f"{KEY}.kernels",
            levels(kernels[order], scale == OWN),
            palette(),
            order.tolist(),
            [f"unit {u} · strength {strength[u]:.2f}" for u in order.tolist()],
            [False] * len(order),
            height=480,
        )
        limit = shared_limit(kernels)
        signed_legend(f"−{limit:.2f}", "0", f"+{limit:.2f}")
