"""Home: what there is to see, drawn from the shipped models, and where to click first."""

import streamlit as st

from genlib.ui import menu
from genlib.ui.kit.jobs import polled
from genlib.ui.kit.stage import STAGE, header
from genlib.ui.start import gallery

WIDTH = 224  # CSS pixels of a picture: each is that wide, so that no pixel is scaled

# Holds the place of a picture that is still being drawn: a tint of whatever the theme's ground is.
BLANK = (
    f"data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg' width='{WIDTH}' height='168'%3E"
    "%3Crect width='100%25' height='100%25' fill='gray' fill-opacity='.15'/%3E%3C/svg%3E"
)


def show_card(card: menu.Page, pictures: gallery.Gallery) -> None:
    """One card: picture, link, sentence."""
    title = card.long_title or card.title
    with st.container(border=True, width=WIDTH + 34, height="stretch", gap="xsmall"):
        picture = pictures.pictures.get(card.file)
        st.image(picture or BLANK, width=WIDTH, alt=f"What the page {title} shows")
        st.page_link(card.file, label=f"**{title}**", icon=card.icon)
        st.markdown(f":small[{pictures.missing.get(card.file) or card.idea}]")


infos = gallery.shipped()
job = gallery.drawn(infos)
names = {info.name for info in infos}

header(
    "See how generative models work",
    "Open a trained model and **move what is inside**: its latents, its noise, its energy. "
    "What you move is computed by the model you picked, while you watch.",
)
if not infos:
    st.info(
        "No trained model yet. Train one on the Train page: a small VAE is ready in about a "
        "minute, and every page will offer it.",
        icon=":material/info:",
    )
    train = menu.page("train")
    st.page_link(train.file, label="Train a model", icon=train.icon)

with st.container(key=STAGE):
    st.subheader("Three places to start", anchor=False)
    with st.container(horizontal=True, key="home.clicks"):
        clicks = [(page.first_click, page) for page in menu.PAGES if page.first_click]
        for click, page in sorted(clicks, key=lambda both: both[0].number):
            with st.container(border=True, width=350, height="stretch", gap="xsmall"):
                icon = f":material/counter_{click.number}:"
                query = click.query if set(click.query.values()) <= names else {}
                st.page_link(page.file, label=f"**{click.title}**", icon=icon, query_params=query)
                st.markdown(f":small[{click.text}]")


def show_gallery() -> bool:
    """All cards; returns whether pictures are still being drawn."""
    busy = job.busy
    pictures = job.result if isinstance(job.result, gallery.Gallery) else gallery.Gallery()
    with st.container(horizontal=True, key="home.cards"):
        for card in gallery.CARDS:
            show_card(card, pictures)
    return busy


st.subheader("All pages")
polled("home.drawing", show_gallery, every=0.4, busy=job.busy)
