"""The stage of the Latent space page: where to start, and the pad itself.

Everything that a lecturer may want to come back to is in the link: the model, the start, and the
place of the pad, `latent_space.z`, as numbers with two decimals.
"""

from __future__ import annotations

import hashlib

import numpy as np
import streamlit as st

from genlib.ui.components import history
from genlib.ui.components.decoder_store import component_key, decoder_store
from genlib.ui.components.digit_picker import pick_digit
from genlib.ui.components.latent_pad import current_z, latent_pad, set_z
from genlib.ui.kit import links
from genlib.ui.kit.pickers import choose
from genlib.ui.latents.latent_space.data import Array, Space, cloud, digits, dimensions, start_code

KEY = "latent_space"
Z_PARAMETER = f"{KEY}.z"
STARTS = {"digit": "A digit", "mean": "The mean", "random": "Random"}
PATHS = {"auto": "Automatic", "server": "Server"}


def pad_key(space: Space) -> str:
    """The pad's widget key: one per model, since z of one means nothing to another, and another
    one after Back and Forward, so that the pad goes where the link says."""
    return history.of_this_visit(component_key(f"{KEY}.pad", space.name))


def place(space: Space) -> Array:
    """Where the pad last came to rest: z (d,)."""
    z = current_z(pad_key(space))
    assert z is not None
    return z


def share_decoder(space: Space) -> None:
    """Put the decoder and the codes of real digits where the page's components find them."""
    codes, labels = cloud(space)
    decoder_store(space.name, space.exported, cloud=codes, labels=labels)


def on_server(space: Space) -> bool:
    """Whether the server decodes: forced in the link, or the browser cannot."""
    return space.exported is None or st.session_state.get(f"{KEY}.path") == "server"


def choose_start(space: Space) -> None:
    """Draw the start's controls and move the pad when they changed."""
    start = choose(
        "Start from",
        STARTS,
        f"{KEY}.start",
        "Where the sliders begin, and where Reset returns to. The mean is the mean code of all "
        "test digits.",
        wrap=True,
    )
    z, what = START[start](space)
    _move(space, z, hashlib.sha256(what + space.name.encode()).hexdigest())


def _from_digit(space: Space) -> tuple[Array, bytes]:
    with st.popover("Choose or draw the digit", icon=":material/edit:", width="stretch"):
        digit = pick_digit(f"{KEY}.digit", "Digit", data=digits(space))
    return space.encode(digit.image), digit.image.numpy().tobytes()


def _from_mean(space: Space) -> tuple[Array, bytes]:
    return space.codes.mean(0).numpy(), b"mean"


def _from_random(space: Space) -> tuple[Array, bytes]:
    seed = links.number(f"{KEY}.seed")
    st.button(
        "Another one",
        icon=":material/casino:",
        on_click=links.count_up,
        args=(f"{KEY}.seed",),
        key=f"{KEY}.roll",
    )
    return start_code(space, np.random.default_rng(seed)), str(seed).encode()


START = {"digit": _from_digit, "mean": _from_mean, "random": _from_random}


def _move(space: Space, z: Array, signature: str) -> None:
    """Move the pad if the start is another than in the last run; a link's z comes first."""
    key = pad_key(space)
    if st.session_state.get(f"{key}.signature") == signature:
        return
    first = current_z(key) is None
    st.session_state[f"{key}.signature"] = signature
    linked = _linked_z(space) if first else None
    set_z(key, z if linked is None else linked)


def _linked_z(space: Space) -> Array | None:
    """z of the link, if it is for this model."""
    text = st.query_params.get(Z_PARAMETER, "")
    name, _, numbers = text.partition(":")
    if name != space.info.name:
        return None
    try:
        z = np.array([float(part) for part in numbers.split(",")], np.float32)
    except ValueError:
        return None
    return z if z.shape == (space.latent_dim,) and np.isfinite(z).all() else None


def link_z(space: Space, z: Array) -> None:
    """Write z into the link, with the model's name: "vae-2:0.52,-1.30"."""
    numbers = ",".join(f"{v:.2f}".rstrip("0").rstrip(".") for v in z)
    links.show(Z_PARAMETER, f"{space.info.name}:{numbers}")


def choose_path(space: Space) -> None:
    """Let the server decode instead, to compare; say why where the browser cannot."""
    choose(
        "Decode",
        PATHS,
        f"{KEY}.path",
        "Automatic: in the browser where the decoder is small enough for a frame, then a "
        "drag costs the server nothing. Press M to see milliseconds and frames per second.",
        disabled=space.exported is None,
    )
    if space.refusal:
        st.caption(f"Decoded on the server: {space.refusal}")


def pad(space: Space) -> None:
    """The pad, alone in a fragment, so that a server's frame reruns nothing else."""
    latent_pad(
        pad_key(space),
        space.name,
        dimensions(space),
        space.shape,
        classes=digits(space).classes,
        decode=space.decode if on_server(space) else None,
        on_rest=lambda: st.rerun(f"{KEY}.panels"),
    )
