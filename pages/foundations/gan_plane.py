"""A GAN in the plane, trained in the browser while one watches."""

from __future__ import annotations

import streamlit as st

from genlib.ui.foundations.lessons.gans import GAN_PLANE
from genlib.ui.kit import standalone
from genlib.ui.kit.stage import STAGE, header, how_to_read
from genlib.ui.kit.web import component, module_url

TITLE = "GAN in the plane"
IDEA = "Two small networks train each other. Press Play, and watch samples find the data."

header(
    TITLE,
    "Two small networks train each other. **Press Play**, and watch samples find the data.",
    r"\min_G \max_D \; \mathbb{E}_{x}\,[\log D(x)] + \mathbb{E}_{z}\,[\log (1 - D(G(z)))]",
    "Goodfellow et al. 2014, arXiv:1406.2661. The idea of the page is GAN Lab's (Kahng et al. "
    "2018, arXiv:1809.01587).",
    lessons=GAN_PLANE,
)
with st.container(key=STAGE):
    component("gan_plane")(key="gan_plane.stage", data={}, height="content")


with how_to_read():
    st.markdown(
        "- **Blue** points are data, **orange** ones are samples G(z) for a thousand fixed z.\n"
        "- **The background** shows what D believes: blue where it takes a point for real, orange "
        "where for generated. Where it can't tell, the background has no colour. Point at a place "
        "or tap it for its number.\n"
        "- **Arrows** are minus the gradient of G's loss at a sample: where G wants to move it. "
        "Arrows are scaled so that the longest one always has the same length.\n"
        "- **G's mesh** is the image of a square grid of z. G bends it, so that most of it lies on "
        "the data. It can't tear it: thin stripes between modes are all that it can do.\n"
        "- **Modes** is the number of Gaussians with at least a quarter of their fair share of the "
        "samples within 3 standard deviations. **On target** is the share of samples that lie that "
        "close to one of them. For data without modes, a data point is covered if some sample is "
        "closer to it than its fifth-nearest neighbour in the data (Naeem et al. 2020).\n"
        "- **Spread** is the samples' root mean squared distance from their mean, over the data's. "
        "0 means that all samples are one point.\n"
        "- **Losses**: dotted lines are what D and G pay where D can't tell. Those are log 4 and "
        "log 2. Under minimax G pays −log 2, and with least squares they are 0.25 and 0.125.\n"
        "- **Rewind** goes back to the same first weights, batches and noise. Change one setting "
        "and play again: only that differs.\n"
        "- Changing the loss, a learning rate or D's steps while it trains goes on from there. "
        "The link holds the settings and everything you did, so it opens exactly this state.\n"
        "- Each browser trains its own GAN. The server has nothing to do."
    )
standalone.offer(
    lambda: standalone.page(
        "gan_plane", TITLE, IDEA, {"worker": module_url("gan_plane/worker.js")}
    ),
    "gan-plane.html",
)
