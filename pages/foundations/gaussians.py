"""Gaussians: height and weight in one and two dimensions, as classes, as a mixture, and as q."""

from __future__ import annotations

import streamlit as st

from genlib.ui.foundations import people
from genlib.ui.foundations.lessons.statistics import GAUSSIANS
from genlib.ui.kit.stage import header, how_to_read

IDEA = "A bell curve, an ellipse, and a handful of numbers: the smallest generative models."

header(
    "Gaussians",
    IDEA,
    r"f(x) = \frac{e^{-(x-\mu)^2/(2\sigma^2)}}{\sigma\sqrt{2\pi}} \qquad "
    r"\mathcal N(x; \mu, \Sigma) = \frac{e^{-\frac12 (x-\mu)^\top \Sigma^{-1} (x-\mu)}}"
    r"{\sqrt{(2\pi)^d\,|\Sigma|}} \qquad p(y \mid x) = \frac{p(y)\, p(x \mid y)}{p(x)}",
    "Overview “Generative models”, section Gaussian distribution; slides “Generative taxonomy”. "
    "EM: Dempster, Laird & Rubin 1977. People: Heinz, Peterson, Johnson & Kerr 2003.",
    lessons=GAUSSIANS,
)
people.show("gaussians", "Gaussians", IDEA)

with how_to_read():
    st.markdown(
        "- **Log-likelihood** is the mean of log p(x) over the points, in nats. Fit moves the "
        "Gaussian to where it is highest: to the mean and covariance of the data.\n"
        "- **A slice** through a Gaussian is a Gaussian again, narrower than before. The means of "
        "all slices lie on a line: linear regression.\n"
        "- **Two classes**: the solid border is where Bayes' rule says fifty-fifty. The dashed "
        "one is logistic regression's. If both classes have the same covariance, the solid border "
        "is a line too.\n"
        "- **Mixture**: EM finds a maximum near its start, not always the best one.\n"
        "- **A VAE's q** is a Gaussian with a diagonal covariance for every image.\n"
        "- **A CSV file** has two columns of numbers. It may have a header row and a third column "
        "with two classes. It is read in the browser and sent nowhere. The button **CSV** saves "
        "the points, with their class, in the same form."
    )
with st.expander("Where the people come from", icon=":material/groups:"):
    people.where_from()
