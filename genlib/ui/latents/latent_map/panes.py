"""Three epochs next to each other, each with its own map of the same points."""

from __future__ import annotations

from dataclasses import replace

import streamlit as st

from genlib.ui.components.latent_map import Selection, latent_map, selected
from genlib.ui.latents.latent_map import data, panels
from genlib.ui.latents.latent_map.flow import Choice, Flat

HELP = "Epochs 0, 5 and 10 next to each other, as in the lecture."
NOT_THERE = (
    "With these settings the maps of three epochs are not all there. They come with vae-20, ae-30 "
    "and dae-500 for 2,000 points, perplexity 30 and seed 0; PCA is always there."
)


def three(key: str, choice: Choice, maps: dict[int, Flat], pictures: str) -> None:
    """Draw the maps side by side; a point that is picked in one is marked in all."""
    picked, titles = _picked(key, choice, list(maps)), {}
    with st.container(key="tall"):  # on a phone the maps stand below each other
        for column, (epoch, flat) in zip(st.columns(len(maps)), maps.items(), strict=True):
            with column:
                titles[epoch] = st.empty()
                titles[epoch].markdown(f"**Epoch {epoch}**")
                file = f"{choice.last.name}-epoch-{epoch}-{choice.kind}"
                cloud = panels.cloud(choice, epoch, flat, pictures, "", file)
                where = f"{key}.{epoch}"
                latent_map(where, replace(cloud, pane=True), selection=Selection(picked))
    st.caption(_how(choice, list(maps)))
    # The numbers take a moment the first time: the maps don't wait for them.
    for epoch, title in titles.items():
        accuracy = panels.percent(data.accuracy(choice.epochs[epoch], choice.n))
        title.markdown(f"**Epoch {epoch}** · 10-NN {accuracy}")


def _how(choice: Choice, epochs: list[int]) -> str:
    """Whether the maps were made independently of each other, or not."""
    last = max(choice.epochs)
    if choice.kind == "Latents":
        return "The two latents as they are."
    if choice.kind == "PCA":
        return f"Each epoch's own plane, turned onto that of epoch {last}."
    said = f"**Aligned**: each map starts from that of epoch {last}, so that most classes stay "
    said += "near their places"
    if last in epochs:
        said += f"; the map of epoch {last} is **independent**"
    return f"{said}. The 10-NN accuracy is of the codes, and doesn't depend on the maps."


def _picked(key: str, choice: Choice, epochs: list[int]) -> int | None:
    """The point that was clicked last, in whichever map."""
    numbers = choice.points.numbers
    now = {e: selected(f"{key}.{e}", numbers).picked for e in epochs}
    before: dict[int, int | None] = st.session_state.get(f"{key}.before", {})
    changed = [e for e in epochs if now[e] != before.get(e)]
    st.session_state[f"{key}.before"] = now
    if changed:
        st.session_state[f"{key}.picked"] = now[changed[-1]]
    return st.session_state.get(f"{key}.picked")
