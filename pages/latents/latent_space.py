"""Latent space: move through the codes of a model and watch what it draws."""

import streamlit as st

from genlib.ui.kit.pickers import choose, pick_model, try_this
from genlib.ui.kit.stage import header
from genlib.ui.latents.latent_space import panels
from genlib.ui.latents.latent_space.data import space as read_space
from genlib.ui.latents.latent_space.files import take_away
from genlib.ui.latents.latent_space.start import (
    KEY,
    choose_path,
    choose_start,
    link_z,
    pad,
    place,
    share_decoder,
)

header(
    "Latent space",
    "A decoder turns a few numbers into a picture. Move the numbers: the picture is decoded anew "
    "for every movement of your hand, so you see what each number means to the model, and which "
    "places mean nothing.",
    r"z = f(x), \qquad \hat x = g(z), \qquad "
    r"\xi(x, x', \alpha) = g\big((1 - \alpha)\, f(x) + \alpha\, f(x')\big)",
    "Slides “Autoencoder: latent space”; Kingma & Welling 2013",
)

left, right = st.columns([3, 2], gap="large")
info = pick_model("Encodes", "Decodes", key=f"{KEY}.model", default="vae-20", where=left)
space = read_space(info)
with right:
    choose_path(space)
share_decoder(space)


@st.fragment(key=f"{KEY}.hand")
def hand() -> None:
    """The pad by itself."""
    pad(space)


@st.fragment(key=f"{KEY}.start_controls")
def start() -> None:
    """Where to begin: drawing a digit here reruns this and the pad, nothing else."""
    choose_start(space)
    hand()


start()
with st.expander("How to read it", icon=":material/menu_book:"):
    st.markdown(
        "Sliders stand from the latent that says most to the one that says least: the bar under a "
        "slider is its KL to N(0, 1) for a VAE, its variance for a plain autoencoder. A slider's "
        "range is where codes of real digits lie; dots in the square are such codes, coloured by "
        "class. Double click a slider to put it back to the mean. **M** shows milliseconds per "
        "frame."
    )

VIEWS = {
    "Around here": panels.around,
    "Between two digits": panels.between,
    "Class arithmetic": panels.means,
    "Manifold": panels.manifold,
    "Generate": panels.generate,
    "Take away": take_away,
}


@st.fragment(key=f"{KEY}.panels")
def follow() -> None:
    """What follows once the hand rests."""
    link_z(space, place(space))
    view = choose("View", list(VIEWS), f"{KEY}.view", hidden=True)
    VIEWS[view](space)


follow()
try_this(
    [
        "With **vae-20**, drag the first slider from end to end, then the last one. Some latents "
        "turn strokes, some say nothing at all.",
        "**Between two digits**: press Play. In pixels the middle is a double exposure; in latents "
        "it is a digit of its own.",
        "**Generate** from the standard normal with **ae-30** beside **vae-20**: only the VAE was "
        "trained so that N(0, I) is where its codes lie. Then give ae-30 the Gaussian mixture.",
    ]
)
