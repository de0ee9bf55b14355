"""The two players of a GAN as a block diagram: the counterfeiter, the police, and the spy."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from genlib.explore.architecture import diagram
from genlib.store.checkpoint import Info
from genlib.ui.components.architecture import architecture
from genlib.ui.components.digit_picker import pick_digit
from genlib.ui.kit import links, loading

SEED = "gan.players.seed"


def players(info: Info, controls: DeltaGenerator) -> None:
    """The diagram of a GAN at one z and one real image, with what D says of both."""
    with controls:
        st.button(
            "Another counterfeit",
            icon=":material/casino:",
            key="gan.players.again",
            on_click=links.count_up,
            args=(SEED,),
        )
        digit = pick_digit("gan.players.digit", "Real image", data=loading.pictures_of(info))
    model = loading.model(info)
    fits = tuple(digit.image.shape) == model.config.shape
    drawn = diagram(model, digit.image if fits else None, links.number(SEED))
    architecture("gan.players.diagram", drawn, roles=True, start="verdict")
    if drawn.facts:
        st.caption(
            f"The police believe the real image with {drawn.facts['d_x']:.0%} and the counterfeit "
            f"with {drawn.facts['d_gz']:.0%}."
        )
