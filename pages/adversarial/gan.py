"""GAN: a generator against a discriminator, looked at from both sides and trained by hand."""

import streamlit as st

from genlib.ui.adversarial.gan import panels, training
from genlib.ui.adversarial.gan.steps import theatre
from genlib.ui.adversarial.lessons import GAN
from genlib.ui.kit.pickers import choose, pick_model
from genlib.ui.kit.stage import header, how_to_read, stage

header(
    "GAN",
    "The **generator** G turns random numbers z into an image. The **discriminator** D says how "
    "likely an image is to be real.",
    r"\min_G \max_D \; \mathbb{E}_x[\log D(x)] + \mathbb{E}_z[\log(1 - D(G(z)))], \qquad "
    r"\text{in practice } \max_G \; \mathbb{E}_z[\log D(G(z))]",
    "Lecture text “Autoencoders to GANs”; article “Autoencoder, VAE and GAN”; Goodfellow et al. "
    "2014",
    GAN,
)

VIEWS = {
    "Samples": panels.samples,
    "Walk": panels.walk,
    "Verdict": panels.verdict,
    "Training": training.training,
    "Coverage": training.classes,
    "Step by step": theatre,
    "Players": panels.players,
}
HOW_TO_READ = {
    "Samples": "Every tile is G(z) for another z. G never sees a real image: all it learns comes "
    "from D. Click a tile: the training images nearest to it show whether it is a copy.",
    "Walk": "Play, or drag **By hand**: z moves a little, and so does the image. The strip shows "
    "the whole way from one draw of z to the next. Look where one digit becomes another.",
    "Verdict": "Where the two histograms are the same, D can't tell real from generated, and G has "
    "won. Where they differ, D sees something that G gets wrong. The yellow line is the chosen "
    "image.",
    "Training": "Samples and losses of the same epoch. A GAN has no single number that falls: "
    "watch the samples.",
    "Coverage": "A generator that fools D with a handful of images has **collapsed**: few "
    "classes, little variety. No loss shows it, so we count.",
    "Step by step": "A copy of the model, yours alone. Train one side and watch what happens to "
    "the other. Under each number is its change in the last step.",
    "Players": "A **counterfeiter** wants to print money that no one can tell from real money; the "
    "**police** want to tell. Each has to get better as the other does, until the counterfeits are "
    "perfect. What the counterfeiter learns of the police is the gradient that comes back through "
    "D: a **spy** who says which change of the image would make D believe it. Here all of it is "
    "drawn from the model: point at a bar or tap it to see what it computes and what it made of "
    "this z.",
}


above = st.container()
below = st.empty()  # follows the view, as the stage above it does


@st.fragment
def show() -> None:
    """All that follows the view: nothing else changes while one draws, or drags."""
    controls, picture = stage()
    with controls:
        view = choose("View", list(VIEWS), "gan.view", hidden=True, wrap=True)
        info = pick_model("StepsApart", "Decodes", key="gan.model", default="dcgan-28")
    with picture:
        VIEWS[view](info, controls)
    with below.container(), how_to_read():
        st.markdown(HOW_TO_READ[view])


with above:
    show()
