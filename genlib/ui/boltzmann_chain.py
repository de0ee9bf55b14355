"""The RBM page's chain and weights."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import streamlit as st
import torch
from numpy.typing import NDArray
from torch import Tensor

from genlib.checkpoint import Info, peek
from genlib.datasets import to_float
from genlib.models.base import HasKernels, Stacked, binarize
from genlib.plots.kernels import PALETTE
from genlib.ui import kernels_view, loading
from genlib.ui.components.gibbs_chain import Layers, Scene, gibbs_chain, gibbs_store
from genlib.ui.components.kernel_grid import kernel_grid
from genlib.ui.pickers import pick_digit
from genlib.ui.picture_table import signed_legend

KEY = "rbm"
BROWSER_WEIGHTS = 4_000_000  # 16 MB; more would take longer than a frame for one step
STARTS = {"noise": "Noise", "digit": "This digit"}
SHOWS = {"probabilities": "Probabilities", "samples": "Samples"}


def _half(rows: slice, columns: slice) -> NDArray[np.bool_]:
    known = np.ones((28, 28), np.bool_)
    known[rows, columns] = False
    return known


ALL, HALF = slice(None), 14
KNOWN: dict[str, NDArray[np.bool_] | None] = {  # what is hidden -> which pixels are held
    "Nothing": None,
    "Lower half": _half(slice(HALF, None), ALL),
    "Upper half": _half(slice(None, HALF), ALL),
    "Right half": _half(ALL, slice(HALF, None)),
    "Left half": _half(ALL, slice(None, HALF)),
    "Middle": _half(slice(9, 19), slice(9, 19)),
}


def chain(info: Info) -> None:
    """A chain over the model's layers, its controls and where it starts."""
    layers, band = _layers(str(info.path), info.mtime_ns)
    if sum(w.size for w, _, _ in layers) > BROWSER_WEIGHTS:
        st.info(f"{info.name} has more than {BROWSER_WEIGHTS:,} weights, too many for the browser.")
        return
    store = f"{info.name}.{info.mtime_ns}"
    gibbs_store(store, layers)
    _live(info, store, band, len(layers))


@st.fragment
def _live(info: Info, store: str, band: tuple[float, float], depth: int) -> None:
    with st.container(horizontal=True, gap="large"):
        controls, subject = st.container(width=440), st.container(width=330)
    with subject:
        digit = pick_digit(f"{KEY}.digit", "Digit", data=loading.all_pictures_of(info))
    with controls:
        start, show, hidden, chains = _controls()
        if KNOWN[hidden] is not None:
            st.caption(_clamping(depth))
    scene = Scene(digit.image[0].numpy(), start, KNOWN[hidden], show, chains, band, stride=10)
    gibbs_chain(f"{KEY}.chain", store, scene)


def _controls() -> tuple[str, str, str, int]:
    with st.container(horizontal=True):
        start = st.segmented_control(
            "Start from", list(STARTS), format_func=STARTS.__getitem__, default="noise",
            required=True, key=f"{KEY}.start", bind="query-params",
            help="Noise: every unit 0 or 1 by a fair coin.",
        )  # fmt: skip
        show = st.segmented_control(
            "Show", list(SHOWS), format_func=SHOWS.__getitem__, default="probabilities",
            required=True, key=f"{KEY}.show", bind="query-params",
            help="The chain itself always goes on with samples, 0 or 1; probabilities are what "
            "they were drawn with, and look smoother.",
        )  # fmt: skip
    with st.container(horizontal=True):
        hidden = st.selectbox(
            "Hide of the digit", list(KNOWN), key=f"{KEY}.hide", bind="query-params", width=200,
            help="The rest of the digit is held fixed at every step (clamped), rounded to black "
            "and white; the chain fills in what is hidden.",
        )  # fmt: skip
        chains = st.selectbox(
            "Chains", [1, 4, 9, 16], key=f"{KEY}.chains", bind="query-params", width=110,
            help="Independent chains side by side, all from the same start.",
        )  # fmt: skip
    return start or "noise", show or "probabilities", hidden, chains


def _clamping(depth: int) -> str:
    if depth == 1:
        return (
            "Blue-green pixels are held. The chain then draws from p(hidden pixels | held pixels), "
            "exactly in the long run."
        )
    return (
        "Blue-green pixels are held. A DBN has no exact way to clamp: each step recognises the "
        "picture upwards, makes a Gibbs step in the top pair and comes down. Approximate."
    )


@st.cache_resource(max_entries=4, show_spinner="Loading the weights …")
def _layers(path: str, mtime_ns: int) -> tuple[Layers, tuple[float, float]]:
    """Weights as numpy, and the free energies between which 90 % of the test images lie."""
    model = loading.model(Path(path))
    if not isinstance(model, Stacked):
        raise TypeError(f"{path} has no layers of binary units")
    pairs = [tuple(t.detach().float().cpu() for t in pair) for pair in model.pairs()]
    x = to_float(loading.all_pictures_of(peek(Path(path))).test_x[:2000]).flatten(1)
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


def weights(info: Info) -> None:
    """First-layer weights as pictures, the strongest first."""
    model = loading.model(info)
    if not isinstance(model, HasKernels):
        st.info(f"{info.name} has no first layer that sees whole images.")
        return
    scale = st.segmented_control(
        "Colour scale", [kernels_view.SHARED, kernels_view.OWN], default=kernels_view.SHARED,
        required=True, key=f"{KEY}.scale", bind="query-params",
        help="One scale shows which units are strong, one for each shows the shape of the weak.",
    )  # fmt: skip
    kernels = model.kernels().float().cpu()
    strength = kernels.flatten(1).norm(dim=1)
    order = strength.argsort(descending=True)
    kernel_grid(
        f"{KEY}.kernels",
        kernels_view.levels(kernels[order], scale == kernels_view.OWN),
        PALETTE,
        order.tolist(),
        [f"unit {u} · strength {strength[u]:.2f}" for u in order.tolist()],
        [False] * len(order),
        height=560,
    )
    limit = kernels_view.shared_limit(kernels)
    signed_legend(f"−{limit:.2f}", "0", f"+{limit:.2f}")
    st.caption(
        f"The {len(order)} units of the first hidden layer, sorted by strength, the norm of their "
        "weights. Red pixels excite a unit, blue ones inhibit it."
    )
