"""Architectures: block diagrams of the models that are here, drawn from the models themselves."""

import streamlit as st

from genlib.ui.components.architecture import architecture
from genlib.ui.foundations import architectures
from genlib.ui.foundations.lessons.shipped import ARCHITECTURES
from genlib.ui.kit import links, standalone
from genlib.ui.kit.pickers import no_model
from genlib.ui.kit.plain import plain
from genlib.ui.kit.stage import header, how_to_read, stage, stage_first

header(
    architectures.TITLE,
    "Autoencoder, VAE and GAN are the **same few blocks** in another order. Point at one or "
    "tap it: what it computes, and what it makes of this digit.",
    source="Redraws the figures of the lecture text “Autoencoders to GANs” from the models "
    "themselves. Counterfeiters and police: Goodfellow et al. 2014",
    lessons=ARCHITECTURES,
)

by_name = architectures.models()
if not by_name:
    no_model()

controls, picture = stage()
with picture:
    tall = st.container(key="tall")
    info = architectures.pick(by_name, tall)
with controls:
    image = architectures.pick_image(info)
    st.button(
        "Draw the noise again",
        icon=":material/casino:",
        key="architectures.again",
        on_click=links.count_up,
        args=("architectures.seed",),
        help="Other random numbers for a GAN's z or a VAE's ε.",
    )
drawn = architectures.diagram(info, image, links.number("architectures.seed"))
with controls:
    st.caption(f"{plain(drawn.title)}: {drawn.parameters:,} parameters in these parts.")
with tall:
    chosen = st.query_params.get("architectures.at", "")  # a lesson's: encoder.0 is its first bar
    architecture("architectures.diagram", drawn, start=chosen, linked=architectures.LINKED)

stage_first()
with st.expander("All layers", icon=":material/table_rows:"):
    st.dataframe(architectures.rows(drawn), hide_index=True, width="stretch")
with how_to_read():
    st.markdown(
        "Circles are values that are passed on, boxes are networks, and each bar in a box is a "
        "layer with the operations that follow it. The more numbers a layer outputs, the taller "
        "its bar (on a log scale); "
        "the number at the bottom of a box is how many parameters it learns. **Orange and dashed** "
        "is where noise enters: ε, z, or a bar with dropout, which is off here. **Red squares** "
        "are losses; dashed arrows lead to them. Shapes, names and rules come from the model "
        "itself, which runs once on the chosen image."
    )
standalone.offer(lambda: architectures.as_file(drawn), "architecture.html")
