"""Energy-based GAN: the judge gives data low energy and samples energy up to a margin."""

import streamlit as st

from genlib.ui.adversarial import ebgan
from genlib.ui.adversarial.lessons import EBGAN
from genlib.ui.kit.pickers import choose, pick_model
from genlib.ui.kit.stage import header, how_to_read, stage

header(
    "Energy-based GAN",
    "The judge is an autoencoder. Its verdict is an **energy**: low for what it can reconstruct, "
    "such as real digits, high for the rest.",
    r"C(y) = \lVert \mathrm{Dec}(\mathrm{Enc}(y)) - y \rVert^2, \qquad "
    r"\ell_C = C(y) + [\,m - C(G(z))\,]^+, \qquad \ell_G = C(G(z)) + w\, m\, \mathrm{PT}(z)",
    "Lecture text “Autoencoders to GANs”, where w = 0; Zhao, Mathieu & LeCun 2016, whose pulling-"
    "away term PT is the mean squared cosine between the codes of two samples",
    EBGAN,
)

VIEWS = {"Energies": ebgan.energies, "Training": ebgan.training}
above, below = st.container(), st.empty()  # what the numbers say follows the stage as well


@st.fragment
def judge() -> None:
    """The stage: nothing else changes while one draws, or drags through the epochs."""
    controls, picture = stage()
    with controls:
        chosen = choose(
            "View",
            list(VIEWS),
            "ebgan.view",
            "One image and its energy, or the training.",
        )
        info = pick_model("HasMargin", "Samples", key="ebgan.model", default="ebgan")
    with picture:
        epoch, path = ebgan.choose_epoch(info)
    VIEWS[chosen](info, epoch, path, ebgan.Parts(controls, picture, below.container()))
    with controls:
        ebgan.weight_line(info)


with above:
    judge()

with how_to_read():
    st.markdown(
        "- **The game**: the judge learns to reconstruct real digits and to fail on the "
        "generator's, up to a **margin** m beyond which it no longer cares. The generator learns "
        "to draw what the judge reconstructs.\n"
        "- **Histogram**: share of each group at each energy. Real digits belong at the left. "
        "Where the generated ones lie over them, the judge can't tell them apart.\n"
        "- **Margin** (dashed): samples are pushed up to m and not beyond. Noise was never shown "
        "to the judge, so its energy may be anything. The last bar holds what lies beyond "
        "the axis.\n"
        "- **Merged**: half of each of two digits, which the judge never saw either. It is paler "
        "than a digit, and still most merges end up above the margin.\n"
        "- **Error**: reconstruction − image. Red is ink that the judge adds, blue is ink that it "
        "leaves out. The sum of the squares is the energy.\n"
        "- **Training**: the energy of real digits falls below the margin, and that of the samples "
        "is pushed up to it."
    )
