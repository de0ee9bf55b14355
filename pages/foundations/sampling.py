"""Sampling: from uniform numbers by the inverse of F, and from noise by a GAN that learns it."""

from __future__ import annotations

import streamlit as st

from genlib.ui.foundations.lessons.gans import SAMPLING
from genlib.ui.kit import standalone
from genlib.ui.kit.stage import STAGE, header, how_to_read
from genlib.ui.kit.web import component, module_url

TITLE = "Sampling"
IDEA = (
    "Noise goes in, samples come out. If p(x) is known, F⁻¹ does it; a GAN learns it from samples."
)

header(
    TITLE,
    "Noise goes in, samples come out. If p(x) is known, **F⁻¹** does it. A **GAN** learns the same "
    "map from samples alone.",
    r"u \sim U(0, 1),\; x = F^{-1}(u) \;\Rightarrow\; x \sim p \qquad z \sim N(0, 1),\; "
    r"x = G(z), \quad G^* = F^{-1} \circ \Phi, \quad D^*(x) = \frac{p(x)}{p(x) + q(x)}",
    "Slides “Generative taxonomy”: inverse transform sampling, and the same by a GAN. The best D: "
    "Goodfellow et al. 2014, arXiv:1406.2661, proposition 1.",
    lessons=SAMPLING,
)
with st.container(key=STAGE):
    component("sampling")(key="sampling.stage", data={}, height="content")


with how_to_read():
    st.markdown(
        "- **F(x)** is the share of p that lies below x. A number u, drawn uniformly "
        "between 0 and 1, goes across to the curve and down to x. Where F is steep, much of the "
        "axis of u leads to little of x: there p is high. Drag on the chart to choose u.\n"
        "- **G(z)** gets noise from N(0, 1) instead. Φ turns it into a uniform number, so the map "
        "that G should learn is F⁻¹(Φ(z)). Its mirror image is as good, and G may find that one.\n"
        "- **Between two modes** is a gap that no sample may fall into, so the map must jump. "
        "G is continuous: it can only be steep, and every z on the steep part is a sample in the "
        "gap. Steep maps need large weights, and large weights take long to learn.\n"
        "- **At a sharp edge** the map must stop rising at once. A smooth G bends too early or "
        "puts samples beyond the edge.\n"
        "- **D(x)** is what D believes. The best it could say is p/(p + q), q being the density of "
        "G's samples now. How close D comes depends on its steps so far; take steps of D alone to "
        "see it catch up.\n"
        "- **Distance** is Wasserstein's: how far a sample of G must move on average, so that "
        "together they follow p. **In gaps** is the share of G's samples where p is below 2% of "
        "its highest.\n"
        "- Drag on p(x) to draw a density of your own."
    )
standalone.offer(
    lambda: standalone.page("sampling", TITLE, IDEA, {"worker": module_url("sampling/worker.js")}),
    "sampling.html",
)
