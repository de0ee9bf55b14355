"""Latent space: move through the codes of a model and watch what it draws."""

from collections.abc import Callable

import streamlit as st

from genlib.ui.kit.pickers import choose, pick_model
from genlib.ui.kit.stage import header, how_to_read, stage, stage_first
from genlib.ui.latents.latent_space import panels
from genlib.ui.latents.latent_space.data import Space
from genlib.ui.latents.latent_space.data import space as read_space
from genlib.ui.latents.latent_space.start import (
    KEY,
    choose_path,
    choose_start,
    link_z,
    pad,
    place,
    share_decoder,
)
from genlib.ui.latents.lessons import LATENT_SPACE

header(
    "Latent space",
    "A decoder turns a few numbers into an image. Drag a number and see what it means to the "
    "model.",
    r"z = f(x), \qquad \hat x = g(z), \qquad "
    r"\xi(x, x', \alpha) = g\big((1 - \alpha)\, f(x) + \alpha\, f(x')\big)",
    "Slides “Autoencoder: latent space”; Kingma & Welling 2013",
    lessons=LATENT_SPACE,
)

controls, picture = stage()
with controls:
    info = pick_model("Encodes", "Decodes", key=f"{KEY}.model", default="vae-20")
    space = read_space(info)
    choose_start(space)
    choose_path(space)
share_decoder(space)


@st.fragment(key=f"{KEY}.hand")
def hand() -> None:
    """The pad by itself."""
    with st.container(key=f"{KEY}.pad_box"):
        pad(space)


with picture:
    hand()

VIEWS: dict[str, tuple[str, Callable[[Space], None]]] = {  # in the link: label and what it draws
    "Around here": ("Around here", panels.around),
    "Between two digits": ("Between two digits", panels.between),
    "Class arithmetic": ("Class arithmetic", panels.means),
    "Manifold": ("Manifold", panels.manifold),
    "Generate": ("Generate", panels.generate),
    "Take away": ("Export", panels.take_away),
}


@st.fragment(key=f"{KEY}.panels")
def follow() -> None:
    """What follows when the pointer stops."""
    link_z(space, place(space))
    labels = {view: label for view, (label, _) in VIEWS.items()}
    view = choose("View", labels, f"{KEY}.view", hidden=True)
    VIEWS[view][1](space)


stage_first()
follow()
with how_to_read():
    st.markdown(
        "The slider of the latent that matters most comes first. The bar under a slider is its KL "
        "to N(0, 1) for a VAE, and its variance for a plain autoencoder. A slider's range is where "
        "the codes of real digits lie. Dots in the square are such codes, coloured by class. With "
        "two latents the square shows the decoded images instead; switch **pictures** off to see "
        "the dots. Double-click a slider to set it to the mean. **M** shows milliseconds per frame."
    )
