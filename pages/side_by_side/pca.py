"""PCA and mixtures: the oldest generative models, and why a linear autoencoder is one of them."""

from __future__ import annotations

import numpy as np
import streamlit as st
from torch import Tensor

from genlib.explore.pca import principal_angles
from genlib.plots.pca import explained_figure
from genlib.ui.components import digit_picker
from genlib.ui.components.live_slider import live_slider
from genlib.ui.kit import loading
from genlib.ui.kit.jobs import polled
from genlib.ui.kit.pickers import choose
from genlib.ui.kit.plain import note_of, plain
from genlib.ui.kit.stage import header, how_to_read, stage, stage_first
from genlib.ui.side_by_side.lessons import PCA
from genlib.ui.side_by_side.pca import view
from genlib.ui.side_by_side.pca.data import (
    components,
    decoder_matrix,
    exact_pca,
    linear_decoders,
)
from genlib.ui.side_by_side.pca.view import eigen_digits, one_digit, samples

STOPS = (1, 2, 3, 5, 8, 12, 20, 30, 50, 80, 120, 200, 300)
VIEWS = {"axes": "Eigen-digits", "linear": "Linear autoencoder", "mixture": "Mixture"}
SETTINGS = {
    "linear": ("pca.units", "pca.ae_seed", "pca.trained"),
    "mixture": ("pca.mixture", "pca.components"),
}

header(
    "PCA and mixtures",
    "A digit is the mean digit plus some of each axis. With Gaussian amounts this is a "
    "**generative model** with an exact likelihood.",
    r"x = \mu + W z + \varepsilon,\quad z \sim \mathcal N(0, I),\ \varepsilon \sim "
    r"\mathcal N(0, \sigma^2 I) \qquad "
    r"p(x) = \sum_k \pi_k\, \mathcal N(U^\top (x - \mu);\, m_k, C_k)\ \mathcal N(\text{rest}; 0, "
    r"\sigma^2 I)",
    "Probabilistic PCA: Tipping & Bishop 1999. Linear autoencoders: Baldi & Hornik 1989. Mixtures "
    "by EM: Dempster, Laird & Rubin 1977; slides “Generative taxonomy”, timeline.",
    PCA,
)
data = loading.dataset()
if data.note:
    st.caption(f":material/info: {note_of(data)}")
found = components(data.name)


def asked_for() -> str:
    """The view whose settings the link holds; links from before there were views name none."""
    for name, settings in SETTINGS.items():
        if any(setting in st.query_params for setting in settings):
            return name
    return "axes"


def draw_others() -> None:
    """Other random numbers for all samples."""
    st.session_state["pca.seed"] = st.session_state.get("pca.seed", 0) + 1


controls, picture = stage()
below = st.empty()  # what follows the slider, or a fit, as well
with controls:
    shown = choose("View", VIEWS, "pca.view", default=asked_for(), wrap=True)


@st.fragment
def few_axes(digit: Tensor) -> None:
    """A digit in d axes, the axes, the variance they hold, and samples."""
    d = int(
        live_slider(
            "pca.axes",
            "Axes kept",
            1,
            300,
            30,
            1,
            options=STOPS,
            help="How many numbers describe a digit.",
        )
    )
    model = exact_pca(data.name, d)
    one_digit(digit, model)
    st.caption(f"The first {d} axes hold {found.explained[d - 1]:.1%} of the variance.")
    with st.container(key="pca.eigen"):
        eigen_digits(found, data.shape)
    stage_first()
    with below.container():
        samples([(f"PCA, {d} axes", "z ~ N(0, I)", model)], data, seed)
        st.plotly_chart(explained_figure(found.explained, d), key="pca.explained")


def trained_one() -> None:
    """How far the decoder of a trained autoencoder is from the principal axes."""
    trained = {info.name: info for info in linear_decoders(data.shape)}
    if not trained:
        return
    name = st.selectbox(
        "Compare with a trained one",
        list(trained),
        key="pca.trained",
        bind="query-params",
        help="Autoencoders with one layer, shipped or your own. Does their decoder span the same "
        "subspace as PCA?",
    )
    matrix = decoder_matrix(trained[name or next(iter(trained))])
    width = matrix.shape[1]
    angles = principal_angles(matrix, found.axes[:width].T)
    st.markdown(
        f"The {width} columns of **{plain(name)}**'s decoder against the first {width} axes: half "
        f"of the angles are below **{np.median(angles):.0f}°**, the largest is {angles[-1]:.0f}°. "
        "The nonlinearity changes the subspace, and training stops before the last axes are found."
    )


seed = int(st.session_state.get("pca.seed", 0))
with controls:
    if shown == "axes":
        image = digit_picker.pick_digit("pca.digit", data=data, default_class=5).image
    elif shown == "linear":
        st.markdown(
            "Without a nonlinearity and with squared error, the best decoder spans exactly the "
            "principal axes, in a basis of its own. **Principal angles** measure how far two "
            "subspaces are apart: if all are 0°, they are the same."
        )
        trained_one()
    else:
        st.markdown(
            "One Gaussian mixes all digits. Of many, most take one kind of digit, and each sample "
            "is drawn from one of them."
        )
    if shown != "linear":
        st.button("Draw again", icon=":material/casino:", key="pca.draw", on_click=draw_others)

if shown == "axes":
    with picture:
        few_axes(image)
else:
    with picture, st.container(key="tall"):
        if shown == "linear":
            polled("pca.training", view.autoencoder, data, found)
        else:
            polled("pca.fitting", view.mixture, data, seed, below)

with how_to_read():
    st.markdown(
        "- Principal component analysis finds the directions that lose least. A linear autoencoder "
        "learns the same.\n"
        "- **Red** in an axis adds ink, **blue** removes it. The sign of a whole axis is "
        "arbitrary.\n"
        "- **Variance explained** is what the axes keep. The squared error is what they lose.\n"
        "- **Decoder, turned**: the autoencoder's columns are some basis of the subspace. The "
        "mixtures of them that come closest to each axis are shown, with the angle that is left.\n"
        "- The **last angle shrinks last**: the last axis that is kept and the first that isn't "
        "hold nearly the same variance, so the error hardly depends on which of them is taken.\n"
        "- **Samples** are drawn without the pixel noise σ."
    )
