"""What the Class images page begins with: knobs, for its lessons too, and the first pictures."""

from __future__ import annotations

from collections.abc import Callable

import streamlit as st
import torch
from torch import Tensor
from torch.nn import functional as F

from genlib.data.pictures.photographs import PictureError, decode, sample, square
from genlib.explore.ascent.climb import noise
from genlib.explore.ascent.knobs import Knobs
from genlib.explore.ascent.lens import Lens, Network
from genlib.ui.components.digit_picker import pick_digit
from genlib.ui.kit.pickers import choose
from genlib.ui.kit.plain import plain

KEY = "class_images"
CLASS = 3  # a 3, or a cat
FEW = 12  # classes that fit on a screen together
# As in the lecture: the score, its gradient and L2, without anything that would help a network to
# draw. Chosen by looking at all classes of the shipped networks.
DIGITS = Knobs(lr=0.02, l2=0.5, normalise=True)
COLOUR = Knobs(lr=0.02, l2=0.1, normalise=True, parameterisation="fourier")
LARGE = Knobs(lr=0.02, l2=0.05, jitter=16, blur_every=8, normalise=True)


def begins_with(network: Network) -> tuple[str, Knobs]:
    """Where the link keeps the knobs of a network of this kind, and their first values."""
    if len(network.classes) > FEW:
        return f"{KEY}.large", LARGE
    return (KEY, DIGITS) if network.shape[0] == 1 else (f"{KEY}.colour", COLOUR)


Start = Callable[[Lens], Tensor]
NAMES = {"noise": "Noise", "blank": "Blank", "digit": "A digit", "photo": "A photograph"}


def pick_start(key: str, network: Network, count: int) -> Start:
    """Let the person pick; returns a function that makes the first pictures (count, C, H, W)."""
    with st.expander("Start from", icon=":material/flag:"):
        last = "digit" if network.shape[0] == 1 else "photo"
        kind = choose(
            "Start from",
            {k: NAMES[k] for k in ("noise", "blank", last)},
            f"{key}.from",
            "Used by Reset; a picture that is climbing is never thrown away.",
            hidden=True,
            wrap=True,
        )
        if kind == "digit":
            return _digit(key, network, count)
        if kind == "photo":
            return _photo(network, count)
        if kind == "blank":
            return lambda lens: lens.base.cpu().expand(count, *network.shape).clone()
        seed = st.number_input(
            "Seed of the noise",
            0,
            9999,
            0,
            key=f"{key}.seed",
            bind="query-params",
            help="Another number, another start; the same number, the same pictures.",
        )
    return lambda lens: _noise(lens, count, int(seed or 0))


def _noise(lens: Lens, count: int, seed: int) -> Tensor:
    rng = torch.Generator().manual_seed(seed)
    return noise((count, *lens.network.shape), lens.base.cpu(), rng)


def _digit(key: str, network: Network, count: int) -> Start:
    digit = pick_digit(f"{key}.digit", "Digit").image[None].float()
    side = network.shape[-1]
    if digit.shape[-1] != side:
        digit = F.interpolate(digit, (side, side), mode="bilinear", antialias=True).clamp(0, 1)
    return lambda lens: digit.expand(count, *network.shape).clone()


def _photo(network: Network, count: int) -> Start:
    try:
        photo = square(decode(sample("flower"), 640), network.shape[-1])
    except PictureError as problem:
        st.error(plain(str(problem)), icon=":material/error:")
        return lambda lens: lens.base.cpu().expand(count, *network.shape).clone()
    return lambda lens: photo.expand(count, *network.shape).clone()
