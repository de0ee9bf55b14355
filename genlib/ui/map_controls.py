"""The controls of the latent map page: model, how to flatten, how many points, t-SNE settings."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from genlib.ui import map_data
from genlib.ui.map_flow import Choice
from genlib.ui.pickers import pick_model
from genlib.ui.plain import note_of

MANY = (500, 1000, 2000, 5000, 10_000)


def pick_choice() -> Choice:
    """Draw the controls and return what they say; stops the page where there is no model."""
    # Rows that wrap where the window is narrow, rather than squeeze.
    st.html(
        "<style>div:has(> .st-key-map_left) { flex: 100 1 520px; min-width: min(520px, 100%); }"
        "div:has(> .st-key-map_right) { flex: 1 0 330px; }</style>"
    )
    bar = st.container(horizontal=True, vertical_alignment="bottom", gap="medium")
    first, second, third, fourth = (bar.container(width=w) for w in (330, 230, 140, 140))
    last = pick_model("Encodes", key="map.model", default="vae-20", where=first)
    flat_already = last.config.get("latent_dim") == 2
    kinds = [k for k in ("Latents", "t-SNE", "PCA") if k != "Latents" or flat_already]
    kind = second.segmented_control(
        "Flatten by",
        kinds,
        default=kinds[0],
        required=True,
        key="map.by",
        bind="query-params",
        help="t-SNE keeps near codes near and may tear what is far. PCA is the plane of largest "
        "variance, a straight shadow. Models with two latents need neither: those are "
        "shown as they are.",
    )
    n = third.selectbox(
        "Points",
        MANY,
        index=2,
        key="map.points",
        bind="query-params",
        help="Test images on the map. t-SNE of 2,000 takes seconds, of 10,000 about a minute.",
    )
    perplexity, seed = _tsne_settings(fourth, kind == "t-SNE")
    some = map_data.points(last, int(n))
    if some.note:
        st.caption(f":material/info: {note_of(some)}")
    return Choice(last, map_data.epochs(last), str(kind), some, int(n), perplexity, seed)


def _tsne_settings(where: DeltaGenerator, on: bool) -> tuple[float, int]:
    """Perplexity and seed; greyed where the map is no t-SNE."""
    with where.popover("t-SNE", icon=":material/tune:", width="stretch"):
        perplexity = st.slider(
            "Perplexity", 5, 100, 30, key="map.perplexity", bind="query-params",
            disabled=not on,
            help="About how many neighbours each point should keep near: small shows fine grain, "
            "large the whole. " + ("" if on else "Only t-SNE has one."),
        )  # fmt: skip
        seed = st.number_input(
            "Seed", 0, 9999, 0, key="map.seed", bind="query-params", disabled=not on,
            help="Of the neighbour search: the same seed gives the same map.",
        )  # fmt: skip
    return float(perplexity), int(seed)
