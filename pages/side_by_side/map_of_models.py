"""The map of generative models: what kind of density each has, when it came, where it lives."""

from __future__ import annotations

import streamlit as st

from genlib.ui.kit import loading
from genlib.ui.kit.jobs import polled
from genlib.ui.kit.stage import STAGE, header, how_to_read
from genlib.ui.side_by_side.lessons import MAP_OF_MODELS
from genlib.ui.side_by_side.map_of_models import clicked, drawn, timeline_html, tree_html

header(
    "Map of models",
    "What can a generative model say about p(x)? **Click a model to open its page.** Dashed models "
    "have no page yet.",
    r"\theta^* = \arg\max_\theta \sum_i \log p_\theta(x^{(i)}) \quad\Longleftrightarrow\quad "
    r"\min_\theta \mathrm{KL}(p_{\text{data}} \,\Vert\, p_{\text{model}})",
    "Slides “Generative taxonomy”, after Goodfellow 2016, arXiv:1701.00160.",
    MAP_OF_MODELS,
)

job = drawn(loading.checkpoints())


def drawing(seen: int) -> bool:
    """Whether pictures are still being drawn; shows the new ones."""
    pictures = job.result if isinstance(job.result, dict) else {}
    if job.busy:
        st.caption(f":material/brush: Drawing {job.text} …")
    if len(pictures) != seen:
        st.rerun()
    return job.busy


marked = st.query_params.get("map.mark", "")  # a model that a lesson points at
pictures = job.result if isinstance(job.result, dict) else {}
with st.container(key=STAGE):
    opened = clicked("map.tree", tree_html(pictures, marked))
if opened:
    st.switch_page(opened)
polled("map_of_models.drawing", drawing, len(pictures))
st.subheader("By year")
opened = clicked("map.time", timeline_html(marked))
if opened:
    st.switch_page(opened)

with how_to_read():
    st.markdown(
        "- The first question is **what is modelled**. A generative model describes how images "
        "come about: p(x), or p(x, y) together with a label. A discriminative one gives p(y | x): "
        "the label of an image that is there already.\n"
        "- Models differ in what they can say about p(x): the exact number, a bound, an estimate, "
        "or only samples.\n"
        "- **Tractable**: one pass gives log p(x) in nats. See the Likelihood bench.\n"
        "- **Variational**: an encoder gives a bound, −ELBO. **Markov chain**: log Z must be "
        "estimated by annealing, and samples need many steps.\n"
        "- **Implicit**: no number for p(x). Samples are judged by eye, by a classifier's "
        "features, or by the discriminator.\n"
        "- **GANs** are below maximum likelihood as in the slides, but they don't maximise it: "
        "against a perfect discriminator, the original loss measures the Jensen–Shannon "
        "divergence instead of KL.\n"
        "- **Pictures** were made by the trained models: reconstructions where a model has an "
        "encoder, otherwise samples.\n"
        "- Dashed models have no page here. They show where flows, diffusion and later GANs "
        "belong."
    )
