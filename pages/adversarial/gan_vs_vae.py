"""GAN against VAE: what both draw from the same z after 1, 10 and 25 epochs."""

import streamlit as st

from genlib.ui.adversarial import gan_vs_vae
from genlib.ui.adversarial.gan.data import new_z
from genlib.ui.kit.pickers import pick_model, try_this
from genlib.ui.kit.stage import header, stage

header(
    "GAN against VAE",
    "Both turn random numbers into digits. The **VAE** answers with a mean, so its edges are soft; "
    "the **GAN** only has to pass for real.",
    r"\text{VAE: } \max\; \mathbb{E}_{q(z|x)}[\log p(x|z)] - \mathrm{KL}(q(z|x)\,\|\,p(z)) \qquad "
    r"\text{GAN: } \min_G \max_D\; \mathbb{E}_x[\log D(x)] + \mathbb{E}_z[\log(1 - D(G(z)))]",
    "Lecture text “Autoencoders to GANs”: the table of samples by epoch",
)

controls, picture = stage()
with controls:
    gan = pick_model("Judges", "Samples", key="versus.gan", label="GAN", default="dcgan-28")
    vae = pick_model("Bounds", "Samples", key="versus.vae", label="VAE", default="vae-20")
    rows = (vae, gan)
    epochs = gan_vs_vae.choose_epochs(rows)
with picture:
    with st.container(horizontal=True):
        new_z("versus", "Other z for both models; the link holds the seed.")
        gan_vs_vae.download_table(rows, epochs)
    gan_vs_vae.table(rows, epochs)

gan_vs_vae.numbers(rows, epochs)

with st.expander("How to read it", icon=":material/menu_book:"):
    st.markdown(
        "- Along a row **z is the same** at every epoch, tile by tile: only the weights changed. "
        "Between the rows z cannot be the same: each model has its own latent space.\n"
        "- Look at the **edges**: a VAE's picture is the mean of p(x|z), grey where it hesitates. "
        "A discriminator would recognise grey edges at once, so a GAN has none.\n"
        "- Look at **one tile along the row**: the VAE's digit stays what it is and gets clearer; "
        "the GAN's often becomes another digit. Nothing ties its z to a place.\n"
        "- The VAE is told, pixel by pixel, how far its reconstruction is from the original. The "
        "GAN is only told whether its picture passes for real: it is free to leave out what it "
        "can't draw.\n"
        "- An epoch is one pass over the training images for either; a GAN's step costs more."
    )
try_this(
    [
        "Compare **epoch 1**: the VAE draws digits already, the GAN textures. And at 25?",
        "Press **New z** a few times. Which model has the more hopeless tiles, and which the "
        "more convincing ones?",
        "Choose epoch **0** as well: what does each model draw before it has learnt anything?",
    ]
)
