"""Energy-based GAN: the cost network gives data low energy and samples energy up to a margin."""

import streamlit as st

from genlib.ui.adversarial import ebgan
from genlib.ui.kit.pickers import choose, pick_model, try_this
from genlib.ui.kit.stage import header

header(
    "Energy-based GAN",
    "Here the judge is an autoencoder, and its verdict an **energy**: the squared error of its "
    "reconstruction. It learns to rebuild real digits and to fail on the generator's, up to a "
    "**margin** m beyond which it no longer cares. The generator learns to be rebuilt.",
    r"C(y) = \lVert \mathrm{Dec}(\mathrm{Enc}(y)) - y \rVert^2, \qquad "
    r"\ell_C = C(y) + [\,m - C(G(z))\,]^+, \qquad \ell_G = C(G(z)) + w\, m\, \mathrm{PT}(z)",
    "Lecture text “Autoencoders to GANs”, where w = 0; Zhao, Mathieu & LeCun 2016, whose pulling-"
    "away term PT is the mean squared cosine between the codes of two samples",
)

info = pick_model("HasMargin", "Samples", key="ebgan.model", default="ebgan")
ebgan.weight_line(info)
VIEWS = {"Energies": ebgan.energies, "Training": ebgan.training}
with st.container(horizontal=True, vertical_alignment="bottom", gap="large"):
    chosen = choose(
        "View", list(VIEWS), "ebgan.view", "The image before the judge, or how the two got there."
    )
    epoch, path = ebgan.choose_epoch(info)
VIEWS[chosen](info, epoch, path)

with st.expander("How to read it", icon=":material/menu_book:"):
    st.markdown(
        "- **Histogram**: share of each group at each energy. Real digits belong at the left. "
        "Where the generated ones lie over them, the judge cannot tell them apart any more.\n"
        "- **Margin** (dashed): samples are pushed up to m and not beyond. Noise was never shown "
        "to the judge; nobody promised where it lies.\n"
        "- **Merged**: half of each of two digits, which the judge never saw either. Paler than a "
        "digit, and a pale image has little to get wrong.\n"
        "- **Error**: blue is ink that the judge leaves out, red is ink that it adds; the sum of "
        "the squares is the energy.\n"
        "- **Training**: two curves that pull against each other around the margin."
    )
try_this(
    [
        "Drag **Epoch** to 1: the judge rebuilds the generator's samples better than real digits. "
        "Then back: who has caught up? Train an **ebgan** of your own for the epochs between.",
        "**Merged**: drag α. Is the half-and-half digit at higher energy than both its parents?",
        "Draw a digit, then scribble over it: how much must you spoil before the energy passes m?",
    ]
)
