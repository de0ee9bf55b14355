"""Linear regression as a generative model: a line, and an error around it."""

from __future__ import annotations

import streamlit as st

from genlib.data.curve import noisy_curve
from genlib.ui import menu
from genlib.ui.foundations import people
from genlib.ui.foundations.lessons.statistics import LINEAR_REGRESSION
from genlib.ui.kit.stage import header, how_to_read

IDEA = (
    "A line predicts. A line with an error around it says how likely every point is, and can "
    "make new ones."
)

header(
    "Linear regression",
    IDEA,
    r"x = f_\theta(z) + \varepsilon,\quad \varepsilon \sim \mathcal N(0, \sigma^2) \qquad "
    r"p_\theta(x \mid z) = \mathcal N(x;\, f_\theta(z),\, \sigma^2)",
    "Slides “Autoencoders and the latent space”, Recap: Linear Regression (observed data = true "
    "model + error). People: Heinz, Peterson, Johnson & Kerr 2003.",
    lessons=LINEAR_REGRESSION,
)
people.show("linear_regression", "Linear regression", IDEA, {"curve": noisy_curve().tolist()})

pca = menu.page("pca")
if st.button("When z isn't given: PCA and mixtures", icon=pca.icon, key="linear_regression.pca"):
    st.switch_page(pca.file)
with how_to_read():
    st.markdown(
        "- **z** is given, **x** is observed. The slides use these names too; there, z becomes a "
        "latent later.\n"
        "- **Dark points** were used for the fit. Pale ones are held out: no fit has seen them.\n"
        "- **Log-likelihood** is the mean of log p(x | z) over points, in nats. Of two models the "
        "one with the higher value on held-out points is better.\n"
        "- **95% bands** by Student's t: the inner one is for the line, the outer one for a new "
        "point. They assume that the model is right.\n"
        "- **Women** are drawn from one Gaussian, so that the true model is a line with a constant "
        "error. The adults as a whole are not.\n"
        "- **A curve with noise** is x = 2 + 0.4 z + 2 sin z + N(0, 0.8²).\n"
        "- **A CSV file** has two columns of numbers, z first. It is read in the browser and sent "
        "nowhere."
    )
with st.expander("Where the people come from", icon=":material/groups:"):
    people.where_from()
