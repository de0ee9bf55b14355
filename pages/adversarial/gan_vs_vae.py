"""GAN against VAE: what both draw from the same z after 1, 10 and 25 epochs."""

import streamlit as st

from genlib.ui.adversarial import gan_vs_vae
from genlib.ui.adversarial.gan.data import new_z
from genlib.ui.adversarial.lessons import GAN_VS_VAE
from genlib.ui.kit.pickers import pick_model
from genlib.ui.kit.stage import header, how_to_read, stage

header(
    "GAN against VAE",
    "Both turn random numbers into digits. The **VAE** answers with a mean, so its edges are soft; "
    "the **GAN** only has to pass for real.",
    r"\text{VAE: } \max\; \mathbb{E}_{q(z|x)}[\log p(x|z)] - \mathrm{KL}(q(z|x)\,\|\,p(z)) \qquad "
    r"\text{GAN: } \min_G \max_D\; \mathbb{E}_x[\log D(x)] + \mathbb{E}_z[\log(1 - D(G(z)))]",
    "Lecture text “Autoencoders to GANs”: the table of samples by epoch",
    GAN_VS_VAE,
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

with how_to_read():
    st.markdown(
        "- Along a row **z is the same** at every epoch, tile by tile: only the weights changed. "
        "Between the rows z cannot be the same: each model has its own latent space.\n"
        "- Look at the **edges**: a VAE draws the mean of p(x|z), which is grey where several "
        "things could be. A discriminator would notice, so a GAN's ink is about as grey as that of "
        "real digits.\n"
        "- Look at **one tile along the row**: from epoch 10 to 25 most of the VAE's digits stay "
        "what they are. The GAN's change more often: nothing ties its z to a digit.\n"
        "- The VAE is told, pixel by pixel, how far its reconstruction is from the original. The "
        "GAN is only told, through D's gradient, what would make its image look more real.\n"
        "- An epoch is one pass over the training images in both rows."
    )
