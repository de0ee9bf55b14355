"""Home: what there is to see, drawn from the shipped models, and where to click first."""

import io

import streamlit as st
from PIL import Image

from genlib.ui import gallery

WIDTH = 224  # CSS pixels of a picture: each is that wide, so that no pixel is scaled
FIRST_CLICKS = (
    (
        "pages/latents/latent_space.py",
        "Drag a digit into another",
        "Move two sliders until the 1 has become a 7. Where between them is it neither?",
    ),
    (
        "pages/energy/merged_digits.py",
        "Blend two digits",
        "Which model notices that half a 3 and half an 8 is no digit, and which believes anything?",
    ),
    (
        "pages/latents/latent_map.py",
        "Find the lost digits",
        "Look for a 4 among the 9s, hover it, and judge for yourself.",
    ),
)


@st.cache_data(show_spinner=False)
def blank() -> bytes:
    """A dark picture that holds the place of one that is still being drawn."""
    buffer = io.BytesIO()
    Image.new("RGB", (WIDTH, 168), (11, 23, 24)).save(buffer, "PNG")
    return buffer.getvalue()


def show_card(card: gallery.Card, pictures: gallery.Gallery) -> None:
    """One card: picture, link, sentence."""
    with st.container(border=True, width=WIDTH + 34, height="stretch", gap="xsmall"):
        picture = pictures.pictures.get(card.page)
        st.image(picture or blank(), width=WIDTH, alt=f"What the page {card.title} shows")
        st.page_link(card.page, label=f"**{card.title}**", icon=f":material/{card.icon}:")
        st.markdown(f":small[{pictures.missing.get(card.page) or card.text}]")


infos = gallery.shipped()
pictures = gallery.gallery(infos)

st.title("See how generative models work")
st.markdown(
    "Open a trained model and **move what is inside**: its latents, its noise, its energy. "
    "Everything on screen is computed by the model you picked, while you watch."
)
if not infos:
    st.info(
        "There is no trained model yet. Train a model on the Train page; a small VAE is ready in "
        "about a minute, and every page will offer it.",
        icon=":material/info:",
    )
    st.page_link("pages/train/train.py", label="Train a model", icon=":material/model_training:")

st.subheader("Three first clicks")
with st.container(horizontal=True):
    for number, (page, title, text) in enumerate(FIRST_CLICKS, 1):
        with st.container(border=True, width=350, height="stretch", gap="xsmall"):
            st.page_link(page, label=f"**{title}**", icon=f":material/counter_{number}:")
            st.markdown(f":small[{text}]")


@st.fragment(run_every=None if pictures.done.is_set() else 0.4)
def show_gallery() -> None:
    """All cards; asks again while pictures are being drawn, and once more at the end."""
    was_done = pictures.done.is_set()
    with st.container(horizontal=True):
        for card in gallery.CARDS:
            show_card(card, pictures)
    # The run in which polling stops: guarded by a change, so that it happens once.
    if was_done and st.session_state.get("home.drawing"):
        st.session_state["home.drawing"] = False
        st.rerun()


st.subheader("What there is to see")
st.session_state["home.drawing"] = not pictures.done.is_set()
show_gallery()
